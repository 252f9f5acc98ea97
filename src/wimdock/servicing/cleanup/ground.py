"""The ground that must not be left: one file system, one mount of it, no link, no reparse point."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import StagingError
from wimdock.files import name_of, storage_error
from wimdock.servicing.cleanup.mounts_in import mount_id

REPARSE_DATA = "system.ntfs_reparse_data"
"""The extended attribute by which ntfs-3g and the kernel's NTFS drivers show a reparse point."""

_CHANGED = "Something else works in the folder: end it, then run the command again."


def open_folder(name: str | Path, parent: int | None = None) -> int:
    """Open a folder itself, never what a link leads to, and never wait; OSError where it is none.

    The constants are looked up here because Windows has none of them.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(name, flags, dir_fd=parent)


def identity(found: os.stat_result) -> tuple[int, int]:
    """Give what makes a file itself: device and inode number."""
    return found.st_dev, found.st_ino


def is_reparse_point(fd: int) -> bool:
    """Tell whether an open folder is a reparse point that the system shows as a plain folder."""
    with suppress(OSError):
        return bool(os.getxattr(fd, REPARSE_DATA))
    return False


@dataclass(frozen=True, slots=True)
class Ground:
    """The file system and the mount of it that a descent stays on."""

    device: int
    mount: int

    @classmethod
    def of(cls, fd: int) -> Ground:
        """Give the ground that an open folder stands on."""
        return cls(os.fstat(fd).st_dev, mount_id(fd))

    def refuse_other(self, fd: int) -> None:
        """Raise StagingError where an open folder stands on another ground."""
        if os.fstat(fd).st_dev == self.device and mount_id(fd) == self.mount:
            return
        message = f"{name_of(fd)} is on another file system: something is mounted there"
        hint = "Unmount it yourself, then run the command again; nothing in it was touched."
        raise StagingError(message, hint=hint)

    def enter(self, parent: int, name: str, seen: os.stat_result) -> int | None:
        """Open a folder below `parent` that `seen` described; None for a reparse point.

        StagingError where something else stands there by now, or another file system;
        StorageError where it cannot be opened.
        """
        try:
            fd = open_folder(name, parent)
        except OSError as error:
            where = Path(name_of(parent), name)
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.ENOENT}:
                raise changed(where) from error
            raise storage_error(error, where) from error
        try:
            self.refuse_other(fd)
            _refuse_changed(fd, identity(seen))
            if is_reparse_point(fd):
                os.close(fd)
                return None
        except BaseException:
            with suppress(OSError):
                os.close(fd)
            raise
        return fd

    def leave(self, fd: int, expected: tuple[int, int]) -> int:
        """Open the folder above an open one; StagingError where that is not the expected one."""
        try:
            above = open_folder("..", fd)
        except OSError as error:
            raise storage_error(error, name_of(fd)) from error
        try:
            _refuse_changed(above, expected)
            self.refuse_other(above)
        except BaseException:
            os.close(above)
            raise
        return above


def _refuse_changed(fd: int, expected: tuple[int, int]) -> None:
    if identity(os.fstat(fd)) != expected:
        raise changed(Path(name_of(fd)))


def changed(where: Path) -> StagingError:
    """Give the error for a place that became another one under our hands."""
    message = f"{where} was moved or replaced while it was worked on: stopped there"
    return StagingError(message, hint=_CHANGED)


def is_folder(found: os.stat_result) -> bool:
    """Tell whether a status is that of a folder, and of no link to one."""
    return stat.S_ISDIR(found.st_mode)
