"""Where the contents of an extracted package are: small ones in memory, others on disk.

Making a file costs more than writing a few kilobytes into it, and packages hold thousands of small
ones. What is kept in memory is bounded. On disk, files lie under plain numbers.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wimdock.cbs.contents import ContentFile, fold_name
from wimdock.errors import MalformedPackage
from wimdock.files import storage_error

MAX_KEPT = 64 << 20
"""All that one spool keeps in memory, in bytes."""
MAX_KEPT_FILE = 256 << 10
"""The largest file that is kept in memory."""

# What others open by its path.
_ALWAYS_ON_DISK = (".cab", ".cat", ".mum")
_SPARE = 16 << 20


class Spool:
    """Takes contents as they come and keeps them as long as it and its folder exist."""

    def __init__(self, folder: Path) -> None:
        """Take a folder, made when it is first needed; nobody else writes there."""
        self.folder = folder
        self._count = 0
        self._left = MAX_KEPT

    def make_room(self, total: int) -> None:
        """Make sure that `total` bytes fit on the disk: StorageError (disk full) where not."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            room = os.statvfs(self.folder)
        except OSError as error:
            raise storage_error(error, self.folder) from error
        if room.f_bavail * room.f_frsize < total + _SPARE:
            raise storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self.folder)

    def put(self, name: str, size: int, blocks: Iterable[bytes]) -> ContentFile:
        """Keep a file of exactly `size` bytes.

        MalformedPackage where the blocks make more or less, StorageError where the disk refuses.
        """
        checked = _exactly(blocks, size, name)
        small = size <= min(MAX_KEPT_FILE, self._left)
        if small and not fold_name(name).endswith(_ALWAYS_ON_DISK):
            self._left -= size
            return ContentFile(name, b"".join(checked), size)
        path = self.folder / f"{self._count:06d}"
        self._count += 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                for block in checked:
                    file.write(block)
        except OSError as error:
            raise storage_error(error, path) from error
        return ContentFile(name, path, size)


def on_disk(file: ContentFile) -> Path:
    """Give the path of a file of a kind that a spool always keeps on disk."""
    if isinstance(file.content, bytes):
        message = f"{file.name} is of no kind that is kept on disk"
        raise MalformedPackage(message)
    return file.content


def _exactly(blocks: Iterable[bytes], size: int, name: str) -> Iterator[bytes]:
    left = size
    for block in blocks:
        left -= len(block)
        if left < 0:
            break
        yield block
    if left:
        message = f"{name} does not have the size that was promised"
        raise MalformedPackage(message)
