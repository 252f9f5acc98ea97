"""Deleting what lies below a folder, name by name, without ever leaving it.

Order: what is in a folder goes before the folder. Committed is each single name that is gone. A
crash leaves fewer names, all of which are still recognised, so that running again goes on from
there: no journal is needed. A link goes itself, what it leads to stays; a reparse point that the
system shows as a folder is removed as one name, which the system refuses where it is not empty.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import Disk, name_of, storage_error
from wimdock.servicing.cleanup.descent import descend
from wimdock.servicing.cleanup.ground import Ground, changed, is_folder

_BLOCK = 512
_HINTS = {
    errno.EPERM: "It may be immutable: `lsattr` shows that. Change it, then run the command again.",
    errno.ENOTEMPTY: "Something was put there meanwhile: look again with --dry-run.",
    errno.EBUSY: "Something is mounted there: look again with --dry-run.",
}


@dataclass(slots=True)
class Tally:
    """What was deleted: names of each kind, and the bytes on the disk that no name holds any more.

    A file with another name elsewhere keeps its bytes there.
    """

    files: int = 0
    folders: int = 0
    links: int = 0
    freed: int = 0


class Removal:
    """Deletes from one ground and counts; `disk` does it, so that a test can stop it anywhere."""

    def __init__(self, ground: Ground, disk: Disk) -> None:
        """Stay on `ground`."""
        self._ground = ground
        self._disk = disk
        self.tally = Tally()

    def remove(self, folder: int, name: str) -> None:
        """Remove a name from an open folder, with everything below it; nothing where none is.

        StagingError where something was moved, replaced or mounted meanwhile, StorageError where
        the system refuses. What was deleted until then is gone.
        """
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, Path(name_of(folder), name)) from error
        if is_folder(status):
            self._empty(folder, name, status)
        self._remove_name(folder, name, status)

    def remove_empty(self, folder: int, name: str) -> None:
        """Remove an empty folder; StorageError where it is not empty, nothing where none is."""
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        self._remove_name(folder, name, status, is_folder_asked=True)

    @contextmanager
    def inside(self, folder: int, name: str) -> Iterator[int]:
        """Open a folder below an open one, on the same ground; StagingError for anything else."""
        where = Path(name_of(folder), name)
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            raise storage_error(error, where) from error
        fd = self._ground.enter(folder, name, status)
        if fd is None:
            raise changed(where)
        try:
            yield fd
        finally:
            os.close(fd)

    def _empty(self, folder: int, name: str, status: os.stat_result) -> None:
        """Remove everything below a folder, but not the folder itself."""
        fd = self._ground.enter(folder, name, status)
        if fd is None:
            return
        try:
            for visit in descend(fd, self._ground):
                self._remove_name(visit.folder, visit.name, visit.status)
        finally:
            os.close(fd)

    def _remove_name(
        self, folder: int, name: str, status: os.stat_result, *, is_folder_asked: bool = False
    ) -> None:
        try:
            self._disk.remove(folder, name, is_folder=is_folder_asked or is_folder(status))
        except StorageError as error:
            cause = error.__cause__
            number = cause.errno if isinstance(cause, OSError) else None
            error.hint = _HINTS.get(number or 0, error.hint)
            raise
        self._count(status)

    def _count(self, status: os.stat_result) -> None:
        if is_folder(status):
            self.tally.folders += 1
        elif stat.S_ISLNK(status.st_mode):
            self.tally.links += 1
        else:
            self.tally.files += 1
            if status.st_nlink == 1:
                self.tally.freed += status.st_blocks * _BLOCK
