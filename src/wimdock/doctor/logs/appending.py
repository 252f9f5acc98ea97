"""Appending records to a log that others read, and may write, meanwhile.

Every record is one write at the file's end, with the file locked as far as the system can. A record
that does not fit on the disk is taken back, so that a log never ends with half of one. Where a log
is rolled over, the writer that finds it too large ends it with a marker and renames it; the others
notice at their next record that the name leads to another file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from wimdock.files import storage_error

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
_MODE = 0o644


class LogEnd:
    """The end of a log, a file or an open text stream, to which records are appended."""

    def __init__(
        self,
        target: Path | TextIO,
        *,
        most: int | None = None,
        archive: str = ".lo_",
        marker: str = "",
    ) -> None:
        """Open a file for appending, or take a stream, which stays the caller's.

        A file is renamed, with `marker` as its last line, before a record would make it larger than
        `most` bytes; None lets it grow. `archive` takes the place of the name's suffix then. Raises
        StorageError.
        """
        self._stream = None if isinstance(target, Path) else target
        self._path = target if isinstance(target, Path) else None
        self._most = most
        self._archive = archive
        self._marker = _bytes(marker)
        self._fd = -1
        if self._path is not None:
            self._fd = _opened(self._path)

    def append(self, text: str) -> None:
        r"""Append lines, each ended by `\r\n`, and have them in the file; raise StorageError."""
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()
            return
        if self._path is None:
            message = "the log is closed"
            raise ValueError(message)
        data = _bytes(text)
        try:
            with self._locked(self._path):
                while self._is_too_large_with(data):
                    self._roll(self._path)
                self._write(data)
        except OSError as error:
            raise storage_error(error, self._path) from error

    def close(self) -> None:
        """Close the file; a stream is left to its owner."""
        fd, self._fd, self._path = self._fd, -1, None
        if fd >= 0:
            os.close(fd)

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the lock of the file that the name leads to now."""
        self._lock_current(path)
        try:
            yield
        finally:
            if self._fd >= 0:
                _unlock(self._fd)

    def _lock_current(self, path: Path) -> None:
        if self._fd < 0:  # renamed, and not made anew yet
            self._fd = _opened(path)
        _lock(self._fd)
        while not _leads_to(path, self._fd):
            os.close(self._fd)
            self._fd = -1
            self._fd = _opened(path)
            _lock(self._fd)

    def _is_too_large_with(self, data: bytes) -> bool:
        size = os.fstat(self._fd).st_size
        return self._most is not None and size > 0 and size + len(data) > self._most

    def _roll(self, path: Path) -> None:
        """Rename the file; whoever was quicker may have filled and renamed the next one as well."""
        self._write(self._marker)
        path.replace(path.with_suffix(self._archive))
        os.close(self._fd)
        self._fd = -1
        self._lock_current(path)

    def _write(self, data: bytes) -> None:
        before = os.fstat(self._fd).st_size
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError:
            if len(left) < len(data):
                with suppress(OSError):
                    os.ftruncate(self._fd, before)
            raise


class AppendedLog:
    """A log that is written record by record: a context manager that closes it."""

    def __init__(self, end: LogEnd) -> None:
        """Take the end of the log."""
        self._end = end

    def close(self) -> None:
        """Close the file."""
        self._end.close()

    def __enter__(self) -> Self:
        """Give the log itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def one_line(text: str) -> str:
    """Give a text without what would end its line."""
    return " ".join(text.splitlines())


def _bytes(text: str) -> bytes:
    """Encode as UTF-8; NUL, which readers drop, is shown by its symbol."""
    return text.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "backslashreplace")


def _opened(path: Path) -> int:
    try:
        return os.open(path, _FLAGS | getattr(os, "O_CLOEXEC", 0), _MODE)
    except OSError as error:
        raise storage_error(error, path) from error


def _leads_to(path: Path, fd: int) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(fd)
    return (named.st_dev, named.st_ino) == (mine.st_dev, mine.st_ino)


def _lock(fd: int) -> None:
    """Wait for the lock; a system without it, such as Windows, has appending writes alone."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(fd, fcntl.LOCK_EX)


def _unlock(fd: int) -> None:
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(fd, fcntl.LOCK_UN)
