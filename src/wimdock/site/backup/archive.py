"""The file of a backup: plain members of a tar archive, gzipped, written and read in one stream.

`tar -tzf` lists it. Reading takes members of the expected names and sizes only: links, devices,
sparse files, long names and whatever else tar can hold are refused before anything is made of them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from wimdock.errors import BackupError
from wimdock.files import Disk, open_file, refuse_special, storage_error
from wimdock.site.backup.layout import LARGEST_MANIFEST, MANIFEST, Manifest, Member, refuse
from wimdock.site.backup.spool import Source

_BLOCK = tarfile.BLOCKSIZE
_RECORD = tarfile.RECORDSIZE
_PIECE = 1 << 20
_GZIP = 31  # zlib's window size that stands for a gzip header and trailer
_FAST = 1
_SMALL = 6
_MODE = 0o600
_UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError, ValueError)


class ArchiveWriter:
    """Writes members after each other through a `Disk`."""

    def __init__(self, fd: int, disk: Disk) -> None:
        """Begin at the start of an empty file."""
        self._fd = fd
        self._disk = disk
        self._written = 0
        self._length = 0
        self._level = _SMALL
        self._packer = zlib.compressobj(_SMALL, zlib.DEFLATED, _GZIP)

    def add(
        self,
        name: str,
        size: int,
        source: Source,
        *,
        packed: bool = False,
        watch: Callable[[int], None] | None = None,
    ) -> None:
        """Add a member of `size` bytes; what is `packed` already costs little time.

        ValueError where the source has another size: it changed meanwhile.
        """
        self._set_level(_FAST if packed else _SMALL)
        info = tarfile.TarInfo(name)
        info.size = size
        info.mode = _MODE
        self._put(info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict"))
        left = size
        while left and (piece := source.read(min(left, _PIECE))):
            self._put(piece)
            left -= len(piece)
            if watch is not None:
                watch(len(piece))
        if left or source.read(1):
            message = f"{name} changed while it was read"
            raise ValueError(message)
        self._put(bytes(-size % _BLOCK))

    def finish(self) -> None:
        """Write the end of the archive and wait until all of it is on the disk."""
        self._put(bytes(2 * _BLOCK))
        self._put(bytes(-self._length % _RECORD))
        self._write(self._packer.flush())
        self._disk.flush(self._fd)

    def _set_level(self, level: int) -> None:
        """Go on in another gzip member where another level is wanted."""
        if level == self._level:
            return
        self._write(self._packer.flush())
        self._packer = zlib.compressobj(level, zlib.DEFLATED, _GZIP)
        self._level = level

    def _put(self, data: bytes) -> None:
        self._length += len(data)
        self._write(self._packer.compress(data))

    def _write(self, data: bytes) -> None:
        if data:
            self._disk.write_at(self._fd, data, self._written)
            self._written += len(data)


class MemberStream(io.RawIOBase):
    """The bytes of one member, hashed as they are read; `close_checked` judges them at the end."""

    def __init__(self, source: IO[bytes], member: Member) -> None:
        """Read a member that begins where the source stands."""
        self._source = source
        self._member = member
        self._left = member.size
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Read on; BackupError where the file ends early."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        piece = _read(self._source, min(len(view), self._left))
        self._digest.update(piece)
        self._left -= len(piece)
        view[: len(piece)] = piece
        return len(piece)

    def check(self) -> None:
        """Read what is left; BackupError where the member is not what the manifest says."""
        while self.read(_PIECE):
            pass
        if self._digest.hexdigest() != self._member.sha256:
            refuse(f"{self._member.name} does not match its SHA-256")
        _read(self._source, -self._member.size % _BLOCK)


@contextmanager
def opened(path: Path) -> Iterator[ArchiveReader]:
    """Open a backup and read its manifest. BackupError where it is none."""
    refuse_special(path)
    fd = open_file(path)
    with os.fdopen(fd, "rb") as file:
        try:
            yield ArchiveReader(file)
        except BackupError as error:
            if str(path) not in error.message:
                error.message = f"{path}: {error.message}"
            raise


class ArchiveReader:
    """Reads a backup from its start to its end."""

    def __init__(self, file: IO[bytes]) -> None:
        """Take an open file and read the manifest."""
        self._source: IO[bytes] = gzip.GzipFile(fileobj=file, mode="rb")  # type: ignore[assignment]
        size = self._header(MANIFEST)
        if size is None or size > LARGEST_MANIFEST:
            refuse("it does not begin with a manifest")
        data = _read(self._source, size)
        _read(self._source, -size % _BLOCK)
        self.manifest = Manifest.from_json(data)

    def members(self) -> Iterator[tuple[Member, IO[bytes]]]:
        """Give each member with its bytes; it is judged when the next one is asked for.

        BackupError for anything that is not as the manifest says, also behind the last one.
        """
        for member in self.manifest.members:
            if self._header(member.name) != member.size:
                refuse(f"{member.name} has another size")
            stream = MemberStream(self._source, member)
            yield member, io.BufferedReader(stream, _PIECE)
            stream.check()
        if self._header("") is not None:
            refuse("it holds more than its manifest names")
        self._read_end()

    def check(self) -> None:
        """Read everything; BackupError where anything is not as the manifest says."""
        for _ in self.members():
            pass

    def _header(self, name: str) -> int | None:
        """Read a header, which must be that of a plain file of this name; None at the end."""
        block = _read(self._source, _BLOCK)
        if not any(block):
            if name:
                refuse(f"{name} is missing")
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except _UNREADABLE as error:
            refuse(f"it is no archive: {error}")
        if not info.isreg() or info.issparse() or info.name != name or info.size < 0:
            refuse(f"it holds {info.name!r:.60} where {name or 'its end'} should be")
        return info.size

    def _read_end(self) -> None:
        """Read what is behind the last member: zeros up to a whole record, and no more."""
        count = _BLOCK
        while piece := _read(self._source, _RECORD, whole=False):
            count += len(piece)
            if any(piece) or count > 2 * _RECORD:
                refuse("something follows its end")
        if count < 2 * _BLOCK or self._source.tell() % _RECORD:
            refuse("it ends early")


def _read(source: IO[bytes], size: int, *, whole: bool = True) -> bytes:
    pieces = []
    left = size
    try:
        while left and (piece := source.read(min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
    except _UNREADABLE:
        refuse("it ends early, or was changed")
    except OSError as error:
        raise storage_error(error, "the backup") from error
    if left and whole:
        refuse("it ends early")
    return b"".join(pieces)
