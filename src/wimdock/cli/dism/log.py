"""The DISM.log of a run, in DISM's format, so that `wimdock doctor` and people's tools read it.

It is written to /LogPath, else to dism.log in the folder for wimdock's state. Where the default log
cannot be written the run goes on and says so; a log that was asked for must be had.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock import __version__
from wimdock.cli.dism.drives import Drives
from wimdock.cli.dism.syntax import refuse_value, value_of
from wimdock.cli.failure import Failure
from wimdock.errors import StorageError
from wimdock.files import refuse_special

if TYPE_CHECKING:
    from wimdock.doctor.logs.dism_form import DismLog
    from wimdock.reparse.hosts import Build

EVERYTHING = 3
"""From this level on a log holds everything; below it errors only, since nothing here warns."""

_PROGRAM = "DISM.EXE"
_NO_LOG = 0xC1500010
_UNSPECIFIED = 0x80004005
_HEAD = 512


class SessionLog:
    """The log of one run; every method does nothing where there is no file to write to."""

    def __init__(self, path: Path | None = None, typed: str = "") -> None:
        """Write to `path`: people are told of it as `typed`, where it was asked for."""
        self.level = EVERYTHING
        self._path = path
        self._typed = typed
        self._file: DismLog | None = None
        self._opened = False
        self._missing: OSError | StorageError | None = None

    @property
    def whereabouts(self) -> str:
        """Where the log is, for people; nothing where none was written."""
        return (self._typed or str(self._path)) if self._opened else ""

    def start(self, tokens: Sequence[str], host: Build | None) -> None:
        """Open the file and write what every session begins with.

        StorageError where a log that was asked for cannot be written.
        """
        from wimdock.clock import SystemClock
        from wimdock.doctor.logs.dism_form import DismLog

        if self._path is None or self._opened:
            return
        try:
            _refuse_other(self._path)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = DismLog(self._path, SystemClock())
        except (OSError, StorageError) as error:
            self._missing = error
        else:
            self._opened = True
            if self.level >= EVERYTHING:
                self._begin(command_line(tokens), host)
        if self._missing is not None and self._typed:
            cause, self._opened = self._missing, False
            reason = cause.strerror if isinstance(cause, OSError) else cause.message
            message = f"the log {self._typed} cannot be written: {reason}"
            hint = "Give another /LogPath; nothing was done."
            raise StorageError(message, hint=hint, hresult=_NO_LOG) from cause

    def _begin(self, typed: str, host: Build | None) -> None:
        """Write the start of a session; a Windows build is named where one is played only."""
        if host is not None:
            self._write(lambda file: file.session_start(typed, host))
            return
        for line in (
            "",
            "<----- Starting Dism.exe session ----->",
            "",
            f"Host machine information: wimdock {__version__}, no Windows",
            f"Executing command line: {typed}",
        ):
            self.note(_PROGRAM, line)

    def _write(self, record: Callable[[DismLog], None]) -> None:
        """Write to the file; one that cannot be written any more stops no work that goes on."""
        if self._file is None:
            return
        try:
            record(self._file)
        except StorageError as error:
            self._missing = error
            self._file.close()
            self._file = None

    def note(self, source: str, message: str) -> None:
        """Write an information."""
        if self.level >= EVERYTHING:
            self._write(lambda file: file.info(source, message))

    def commit_failed(self, code: int) -> None:
        """Write what DISM leaves when a mounted folder cannot be captured again."""
        from wimdock.doctor.logs.commit_failure import write_commit_failure

        self._write(lambda file: write_commit_failure(file, code))

    def failed(self, tokens: Sequence[str], found: Sequence[Failure]) -> None:
        """Write what a run failed with; opens the log where the run did not come so far."""
        with suppress(StorageError):
            self.start(tokens, None)
        for failure in found:
            code = _UNSPECIFIED if failure.hresult is None else failure.hresult
            text = f"{' '.join(failure.message.split())} HRESULT=0x{code:08X}"
            self._write(lambda file, text=text: file.error(_PROGRAM, text))  # type: ignore[misc]

    def end(self) -> None:
        """Write what every session ends with, and close the file."""
        if self.level >= EVERYTHING:
            self._write(lambda file: file.session_end())
        if self._file is not None:
            self._file.close()
            self._file = None


def _refuse_other(path: Path) -> None:
    """Raise StorageError where no log can be: no image or disk is to grow a log's tail."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISCHR(mode):  # /dev/null, a terminal
        return
    refuse_special(path)
    with path.open("rb") as file:
        if b"\0" in file.read(_HEAD):
            message = "it is a file of another kind"
            raise StorageError(message)


def command_line(tokens: Sequence[str]) -> str:
    """Give a command line as it would be typed in Windows."""
    return " ".join(["wimdock dism", *(_quoted(token) for token in tokens)])


def _quoted(token: str) -> str:
    if " " not in token or '"' in token:
        return token
    name, colon, value = token.partition(":")
    return f'{name}:"{value}"' if colon and " " not in name else f'"{token}"'


def default_log() -> SessionLog:
    """Give the log of a run that asks for no other: dism.log in the folder for wimdock's state."""
    from wimdock.servicing.mounts.record import state_folder

    return SessionLog(state_folder() / "dism.log")


def asked_log(tokens: Sequence[str], drives: Drives) -> SessionLog | None:
    """Give the log that /LogPath names, also where the rest of the line makes no sense.

    UsageError where it lies in /MountDir: it would be written into the image, and keep it mounted.
    """
    typed, mounted = value_of(tokens, "logpath"), value_of(tokens, "mountdir")
    if not typed:
        return None
    path = drives.path(typed)
    if mounted:
        from wimdock.servicing.mounts.mountinfo import place_of

        if place_of(path).is_relative_to(place_of(drives.path(mounted))):
            refuse_value("LogPath", typed, "it lies in the folder of the mounted image")
    return SessionLog(path, typed)
