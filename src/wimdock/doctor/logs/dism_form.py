"""DISM.log, written as DISM writes it, so that every reader of such logs understands it."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from wimdock.clock import Clock, SystemClock
from wimdock.doctor.logs.appending import AppendedLog, LogEnd, one_line
from wimdock.doctor.logs.forms import escaped
from wimdock.reparse.hosts import Build

MOST_BYTES = 16 << 20
"""How large a log grows before it is renamed."""

_PROGRAM = "DISM.EXE"
_LEVEL_WIDTH = 22
_COMPONENT = "DISM   "
_WORD = 0xFFFFFFFF


class DismLog(AppendedLog):
    r"""Appends records in the form of DISM.log.

    A message may hold anything and is read back as it was given, but for what `ServerLog` names.
    Its lines but the first stand behind the record's first line; one that would be taken for a
    record of its own, or that is blank, gets a tab before it.
    """

    def __init__(
        self,
        target: Path | TextIO,
        clock: Clock | None = None,
        pid: int | None = None,
        tid: int | None = None,
        *,
        bias: int = 0,
        most: int | None = MOST_BYTES,
    ) -> None:
        """Open the log for appending; raise StorageError where that fails.

        Process and thread are the caller's where they are not given. Times are local: UTC less
        `bias` minutes. A file that would grow beyond `most` bytes becomes `.log.bak` first, the
        archive's name that Windows uses; None never does.
        """
        super().__init__(LogEnd(target, most=most, archive=".log.bak"))
        self._clock = clock or SystemClock()
        self._pid = os.getpid() if pid is None else pid
        self._tid = tid
        self._bias = bias

    def session_start(
        self, command_line: str, host: Build, *, architecture: str = "amd64", processors: int = 1
    ) -> None:
        """Say that a command begins, on which host: the doctor judges by that build."""
        self.info(_PROGRAM, "")
        self.info(_PROGRAM, "<----- Starting Dism.exe session ----->")
        self.info(_PROGRAM, "")
        self.info(
            _PROGRAM,
            f"Host machine information: OS Version={host}, Running architecture={architecture}, "
            f"Number of processors={processors}",
        )
        self.info(_PROGRAM, f"Executing command line: {command_line}")

    def session_end(self) -> None:
        """Say that a command has ended."""
        self.info(_PROGRAM, "")
        self.info(_PROGRAM, "<----- Ending Dism.exe session ----->")
        self.info(_PROGRAM, "")

    def info(self, source: str, message: str, *, thread: bool = True) -> None:
        """Append a record; `source` is DISM.EXE, or a provider such as `DISM WIM Provider`.

        What a provider passes on from the image library names no `thread`.
        """
        self._write("Info", source, message, thread=thread)

    def warning(self, source: str, message: str) -> None:
        """Append a warning."""
        self._write("Warning", source, message)

    def error(self, source: str, message: str) -> None:
        """Append an error."""
        self._write("Error", source, message)

    def stack(self, code: int, function: str, line: int, text: str) -> None:
        """Append a frame of the image library: innermost first, the code unsigned or signed."""
        words = f": {one_line(text)}" if text else ""
        self._end.append(
            f"[{self._pid}] [0x{code & _WORD:08x}] {one_line(function)}:({line}){words}\r\n"
        )

    def _write(self, level: str, source: str, message: str, *, thread: bool = True) -> None:
        """Append a record; a provider's line names process and thread, DISM.EXE's does not."""
        local = self._clock.now() - timedelta(minutes=self._bias)
        numbers = f"PID={self._pid} " + (f"TID={self._thread} " if thread else "")
        numbers = "" if source == _PROGRAM else numbers
        first, *others = message.split("\n")
        head = f"{local.year:04}{local:-%m-%d %H:%M:%S}, {level:<{_LEVEL_WIDTH}}{_COMPONENT}"
        lines = [f"{head}{one_line(source)}: {numbers}{first}", *map(escaped, others)]
        self._end.append("".join(f"{line}\r\n" for line in lines))

    @property
    def _thread(self) -> int:
        return threading.get_native_id() if self._tid is None else self._tid
