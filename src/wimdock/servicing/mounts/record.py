"""Our record of a mount: one JSON file in the state folder for each mount directory.

The record is written before the image is mounted and taken away after it is unmounted. A crash in
between leaves a record without a mount, never a mount of ours without a record.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from wimdock.errors import ImageBusy, UsageError
from wimdock.files import Disk, open_file, storage_error
from wimdock.reparse.hosts import Build

_FORMAT = {"document": "mount", "version": 1}
_LARGEST = 1 << 16
_MOMENT = 0.3
_PAUSE = 0.01
# The folders that this thread of work holds itself.
_HELD: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


class Phase(Enum):
    """How far a mount is; what is not MOUNTED was cut short when nobody works on it."""

    MOUNTING = "mounting"
    MOUNTED = "mounted"
    COMMITTING = "committing"
    DISCARDING = "discarding"


@dataclass(frozen=True, slots=True)
class MountRecord:
    """What is mounted where.

    `host` is the provider that a rehearsal plays: a commit ends as that host's would. `typed` is
    the directory as it was typed to DISM's syntax. `staging` is the folder where wimlib keeps what
    is changed until it is committed; None for a read-only mount. `inode` and `header` (a SHA-256)
    tell which file was mounted, `generation` the one that it was in when its commit began.
    """

    directory: Path
    image: Path
    index: int
    writable: bool
    since: datetime
    host: Build | None = None
    typed: str = ""
    phase: Phase = Phase.MOUNTING
    staging: Path | None = None
    inode: int | None = None
    header: str = ""
    generation: int | None = None

    def in_phase(self, phase: Phase) -> MountRecord:
        """Give the record in another phase."""
        return replace(self, phase=phase)


def state_folder() -> Path:
    """Give the folder for what wimdock remembers from one command to the next; it may not exist.

    WIMDOCK_STATE, else /var/lib/wimdock for root, else wimdock in XDG_STATE_HOME or ~/.local/state.
    """
    named = os.environ.get("WIMDOCK_STATE")
    if named:
        return Path(os.path.abspath(named))  # noqa: PTH100 - it need not exist yet
    if os.geteuid() == 0:
        return Path("/var/lib/wimdock")
    home = os.environ.get("XDG_STATE_HOME", "")
    # A relative path there is to be ignored, says the specification of base directories.
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "wimdock"


def record_path(directory: Path) -> Path:
    """Give the path of the record of a mount directory."""
    key = hashlib.sha256(os.fsencode(directory)).hexdigest()[:20]
    return state_folder() / "mounts" / f"{key}.json"


def read_record(directory: Path) -> MountRecord | None:
    """Give the record of a mount directory, or None."""
    return _read(record_path(directory))


def all_records() -> tuple[MountRecord, ...]:
    """Give every record, oldest first; a file that is none is passed over."""
    folder = state_folder() / "mounts"
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError as error:
        raise storage_error(error, folder) from error
    found = [record for path in paths if (record := _read(path)) is not None]
    return tuple(sorted(found, key=lambda record: (record.since, record.directory)))


def write_record(record: MountRecord, disk: Disk) -> None:
    """Write a record, atomically and durably, over the one of the same directory."""
    document = {
        "wimdock": _FORMAT,
        "directory": os.fsdecode(record.directory),
        "image": os.fsdecode(record.image),
        "index": record.index,
        "writable": record.writable,
        "since": record.since.isoformat(),
        "host": None if record.host is None else str(record.host),
        "typed": record.typed,
        "phase": record.phase.value,
        "staging": None if record.staging is None else os.fsdecode(record.staging),
        "inode": record.inode,
        "header": record.header,
        "generation": record.generation,
    }
    path = record_path(record.directory)
    disk.replace_contents(path, json.dumps(document, indent=1).encode("ascii") + b"\n")


def remove_record(record: MountRecord, disk: Disk) -> None:
    """Take a record away."""
    path = record_path(record.directory)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, path) from error
    disk.flush_folder(path.parent)


@contextmanager
def working_on(directory: Path) -> Iterator[None]:
    """Let nobody else mount or unmount here meanwhile; ImageBusy where somebody does."""
    path = record_path(directory).with_suffix(".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, path.parent) from error
    fd = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        _lock(fd, directory)
        before = _HELD.set(_HELD.get() | {directory})
        try:
            yield
        finally:
            _HELD.reset(before)
    finally:
        os.close(fd)


def _lock(fd: int, directory: Path) -> None:
    """Take the lock; who only asks for it, as a list of mounts does, has it for a moment."""
    import fcntl

    end = time.monotonic() + _MOMENT
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if time.monotonic() > end:
                message = f"another wimdock is mounting or unmounting {directory}"
                raise ImageBusy(message) from error
            time.sleep(_PAUSE)
        else:
            return


def is_worked_on(directory: Path) -> bool:
    """Tell whether somebody else mounts or unmounts here right now."""
    import fcntl

    if directory in _HELD.get():
        return False
    path = record_path(directory).with_suffix(".lock")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _read(path: Path) -> MountRecord | None:
    """Give the record in a file; None where the file is none, or is filed under a wrong name."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            text = file.read(_LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        record = _record(json.loads(text))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, UsageError):
        return None
    # Whoever works by this record holds the lock of the name that it is filed under.
    return record if record_path(record.directory).name == path.name else None


def _record(found: dict[str, object]) -> MountRecord:
    """Give the record that a document tells of; ValueError and the like where it is none."""
    if found["wimdock"] != _FORMAT:
        message = "a document of another kind"
        raise ValueError(message)
    return MountRecord(
        _path(found["directory"]),
        _path(found["image"]),
        _whole(found["index"]),
        found["writable"] is True,
        # A time without a zone raises nothing there, and means this machine's.
        datetime.fromisoformat(str(found["since"])).astimezone(UTC),
        None if found["host"] is None else Build.parse(str(found["host"])),
        str(found["typed"]),
        Phase(found["phase"]),
        None if found["staging"] is None else _path(found["staging"]),
        None if found["inode"] is None else _whole(found["inode"]),
        str(found["header"]),
        None if found["generation"] is None else _whole(found["generation"]),
    )


def _path(value: object) -> Path:
    """Give an absolute path that the system can be asked about; ValueError for anything else."""
    text = str(value)
    if not text.startswith("/") or b"\0" in os.fsencode(text):
        message = f"{text!r} is no path"
        raise ValueError(message)
    return Path(text)


def _whole(value: object) -> int:
    if type(value) is not int:
        message = f"{value!r} is no whole number"
        raise TypeError(message)
    return value
