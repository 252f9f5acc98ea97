"""The folder that a run works in: its own alone, and gone after it, even after one that was killed.

A workspace holds a file on which its run keeps a lock. The system takes the lock away when the
process ends, however it ends; so the next run can tell a workspace that was left behind from one in
use, and removes it. Only folders with such a file, or empty ones, of the same user, are removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.files import storage_error

_PREFIX = "wimdock-run-"
_LOCK = "run.lock"
_CONTENT = "content"


@contextmanager
def open_workspace(parent: Path | None = None) -> Iterator[Path]:
    """Make an empty folder in `parent`, or where TMPDIR says, and take it away afterwards.

    What killed runs of this user left there is removed first. StorageError where the folder cannot
    be made.
    """
    folder, lock = _make(parent)
    try:
        content = folder / _CONTENT
        try:
            content.mkdir()
        except OSError as error:
            raise storage_error(error, content) from error
        yield content
    finally:
        try:
            _remove(folder)
        except BaseException:  # told to end just now: that can wait
            _remove(folder)
            raise
        finally:
            os.close(lock)


def _remove(folder: Path) -> None:
    """Take a workspace away; its lock goes last, so that what is left can be told."""
    shutil.rmtree(folder / _CONTENT, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _make(parent: Path | None) -> tuple[Path, int]:
    """Make the folder and hold the lock in it; give both."""
    try:
        place = parent or Path(tempfile.gettempdir())
        _remove_abandoned(place)
        while True:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            lock = _locked(folder)
            if lock is not None:
                return folder, lock
    except OSError as error:
        raise storage_error(error, error.filename or parent or "the temporary folder") from error


def _locked(folder: Path) -> int | None:
    """Lock a new folder, or give None where another run just took it for an abandoned one."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        raise
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            os.close(lock)
            return None
        # A file system without locks: nobody else can lock the file either, and so it is safe.
    if not os.fstat(lock).st_nlink:
        os.close(lock)
        return None
    return lock


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            try:
                lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                folder.rmdir()  # which only an empty one allows
                continue
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)
            finally:
                os.close(lock)
