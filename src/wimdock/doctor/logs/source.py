"""Log files as blocks of bytes, compressed ones too."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from wimdock.errors import LogError
from wimdock.files import storage_error

BLOCK = 1 << 17
"""Bytes that are read at once: what the processor's caches hold while it is searched."""

COMPRESSED = (".gz", ".xz")


def blocks(
    path: Path, on_read: Callable[[int], None], on_trouble: Callable[[Path, str], None]
) -> Iterator[bytes]:
    """Give the file's content in blocks; `on_read` is told how many bytes of the file were taken.

    A compressed file that ends too early or is damaged ends there, which `on_trouble` is told.
    Raises StorageError where the file cannot be read, LogError where it is no kind of file to read.
    """
    try:
        with path.open("rb", buffering=0) as file:
            kind = os.fstat(file.fileno()).st_mode
            if stat.S_ISBLK(kind) or stat.S_ISCHR(kind) or stat.S_ISDIR(kind):
                message = f"{path} is no log file"
                raise LogError(message)
            yield from _content(path, file, on_read, on_trouble)
    except OSError as error:
        raise storage_error(error, path) from error


def _content(
    path: Path,
    file: io.FileIO,
    on_read: Callable[[int], None],
    on_trouble: Callable[[Path, str], None],
) -> Iterator[bytes]:
    counted = _Counted(file, on_read)
    suffix = path.suffix.lower()
    if suffix not in COMPRESSED:
        while block := counted.read(BLOCK):
            yield block
        return
    buffered = io.BufferedReader(counted, BLOCK)
    try:
        with gzip.open(buffered) if suffix == ".gz" else lzma.open(buffered) as opened:
            while block := opened.read(BLOCK):
                yield block
    except EOFError:
        on_trouble(path, "the compressed file ends too early: the rest of the log is missing")
    except (lzma.LZMAError, zlib.error, gzip.BadGzipFile):
        on_trouble(path, "the compressed file is damaged: the log was read as far as it could be")


class _Counted(io.RawIOBase):
    """A file that tells how much was read of it."""

    def __init__(self, file: io.FileIO, on_read: Callable[[int], None]) -> None:
        self._file = file
        self._on_read = on_read

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read a block."""
        data = self._file.read(-1 if size is None else size) or b""
        self._on_read(len(data))
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read into a buffer."""
        count = self._file.readinto(buffer) or 0
        self._on_read(count)
        return count
