"""What a backup gathers before it is written: counted and hashed as it goes through."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol, Self

from wimdock.files import storage_error
from wimdock.site.backup.layout import Member


class Source(Protocol):
    """Whatever bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end."""


class Sink(Protocol):
    """Whatever bytes can be written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of the bytes."""


class HashedSource:
    """A file whose SHA-256 is known when it was read to its end."""

    def __init__(self, file: Source) -> None:
        """Read from a file."""
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int, /) -> bytes:
        """Read on."""
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


class Spool:
    """A file without a name: nothing of it is left, however the process ends."""

    def __init__(self, folder: Path) -> None:
        """Make it in a folder, whose disk must have room for what comes."""
        self._folder = folder
        try:
            self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see __exit__
        except OSError as error:
            raise storage_error(error, folder) from error
        self._size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, which is then gone; what could not be written is gone with it."""
        with suppress(OSError):
            self.file.close()

    def write(self, data: bytes, /) -> int:
        """Write on."""
        try:
            self.file.write(data)
        except OSError as error:
            raise storage_error(error, self._folder) from error
        self._digest.update(data)
        self._size += len(data)
        return len(data)

    def member(self, name: str, columns: Sequence[str] = (), rows: int = 0) -> Member:
        """Give what a manifest says of it; it can be read from its start then."""
        try:
            self.file.seek(0)  # writes what is still in memory
        except OSError as error:
            raise storage_error(error, self._folder) from error
        return Member(name, self._size, self._digest.hexdigest(), tuple(columns), rows)
