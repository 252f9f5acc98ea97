"""Servicing on a copy: for files that must not be edited in place.

Order of writes: when there is something to write, the file and its sidecar are copied beside it;
the copy is serviced by its own transaction; the original becomes the backup by a second name; the
sidecar of the copy, then the copy itself, are renamed into place. That last rename is the commit.
A crash before it leaves the original at its place (and perhaps a copy, which the next run takes
away), after it the new file.

The new file has the owner, mode and extended attributes of the original. Other hard links to the
original stay names of the original; a symbolic link leads to the new file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.files import Disk, copy_file, exclusive_lock, open_file, storage_error
from wimdock.wim.generations import sidecar_path


class ServicedCopy:
    """The copy that is worked on; `keep` puts it in the place of the original."""

    def __init__(self, original: Path, disk: Disk) -> None:
        """Name the copy and the backup beside the original."""
        self.original = original
        self.path = _copy_path(original)
        self._backup = _backup_path(original)
        self._disk = disk
        self._kept = False

    @property
    def backup(self) -> Path | None:
        """Where the original is kept, once the copy has taken its place."""
        return self._backup if self._kept else None

    def make(self) -> None:
        """Copy the original and its sidecar; what is left of an earlier copy is replaced."""
        remove_leftovers(self.original)
        copy_file(self.original, self.path, self._disk)
        if sidecar_path(self.original).exists():
            copy_file(sidecar_path(self.original), sidecar_path(self.path), self._disk)

    def keep(self) -> None:
        """Commit: the original becomes the backup, the copy takes its place."""
        _take_over_attributes(self.original, self.path)
        second_name = _second_name(self.original)
        try:
            second_name.hardlink_to(self.original)
        except OSError:
            # No file system has to know hard links: then the backup is a copy.
            copy_file(self.original, second_name, self._disk)
            _take_over_attributes(self.original, second_name)
        self._disk.replace(second_name, self._backup)
        copied, target = sidecar_path(self.path), sidecar_path(self.original)
        if copied.exists():
            self._disk.replace(copied, target)
        self._disk.replace(self.path, self.original)
        self._kept = True


@contextmanager
def serviced_copy(original: Path, disk: Disk) -> Iterator[ServicedCopy]:
    """Give the copy to be made, holding the lock on the original all the while."""
    copy = ServicedCopy(original, disk)
    fd = open_file(original, os.O_RDONLY)
    try:
        with exclusive_lock(fd, original):
            try:
                yield copy
            finally:
                remove_leftovers(original)
    finally:
        os.close(fd)


def remove_leftovers(original: Path) -> None:
    """Take away what is not kept, or what a run that was killed left; needs the file's lock."""
    copy = _copy_path(original)
    records = (sidecar_path(copy), sidecar_path(original))
    half_written = (record.with_name(f".{record.name}.new") for record in records)
    for path in (copy, records[0], *half_written, _second_name(original)):
        with suppress(OSError):
            path.unlink(missing_ok=True)
    backup = _backup_path(original)
    with suppress(OSError):
        if backup.samefile(original):
            # Stopped right before the copy took its place: a second name is no backup.
            backup.unlink()


def _backup_path(original: Path) -> Path:
    return original.with_name(f"{original.name}.backup")


def _copy_path(original: Path) -> Path:
    return original.with_name(f".{original.name}.servicing")


def _second_name(original: Path) -> Path:
    return original.with_name(f".{original.name}.backup.new")


def _take_over_attributes(source: Path, target: Path) -> None:
    """Give a file the owner, mode and extended attributes of another, as far as one is allowed."""
    try:
        facts = source.stat()
        with suppress(OSError):
            os.chown(target, facts.st_uid, facts.st_gid)
        target.chmod(stat.S_IMODE(facts.st_mode))
        with suppress(OSError):
            for name in os.listxattr(source):
                with suppress(OSError):
                    os.setxattr(target, name, os.getxattr(source, name))
    except OSError as error:
        raise storage_error(error, target) from error
