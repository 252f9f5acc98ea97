"""Servicing on a copy: for files that must not be edited in place.

Order of writes: the file and its sidecar are copied beside it; the copy is serviced by its own
transaction; the original becomes the backup by a second name; the sidecar of the copy, then the
copy itself, are renamed into place. That last rename is the commit. A crash before it leaves the
original at its place (and perhaps a copy, which the next run replaces), one after it the new file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.events import Reporter
from wimdock.files import Disk, copy_file, exclusive_lock, open_file, storage_error
from wimdock.wim.generations import sidecar_path


class ServicedCopy:
    """The copy that is worked on; `keep` puts it in the place of the original."""

    def __init__(self, original: Path, disk: Disk) -> None:
        """Name the copy and the backup beside the original."""
        self.original = original
        self.path = original.with_name(f".{original.name}.servicing")
        self._backup = original.with_name(f"{original.name}.backup")
        self._disk = disk
        self._kept = False

    @property
    def backup(self) -> Path | None:
        """Where the original is kept, once the copy has taken its place."""
        return self._backup if self._kept else None

    def keep(self) -> None:
        """Commit: the original becomes the backup, the copy takes its place."""
        second_name = self._backup.with_name(f".{self._backup.name}.new")
        second_name.unlink(missing_ok=True)
        try:
            second_name.hardlink_to(self.original)
        except OSError as error:
            raise storage_error(error, second_name) from error
        self._disk.replace(second_name, self._backup)
        copied, target = sidecar_path(self.path), sidecar_path(self.original)
        if copied.exists():
            self._disk.replace(copied, target)
        self._disk.replace(self.path, self.original)
        self._kept = True

    def remove(self) -> None:
        """Take away what was not kept."""
        for path in (self.path, sidecar_path(self.path)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


@contextmanager
def serviced_copy(original: Path, disk: Disk, reporter: Reporter) -> Iterator[ServicedCopy]:
    """Copy an image file with its sidecar, holding the lock on the original all the while."""
    copy = ServicedCopy(original, disk)
    fd = open_file(original, os.O_RDONLY)
    try:
        with exclusive_lock(fd, original):
            copy.remove()
            try:
                with reporter.step("Copy the image file"):
                    copy_file(original, copy.path, disk)
                    if sidecar_path(original).exists():
                        copy_file(sidecar_path(original), sidecar_path(copy.path), disk)
                yield copy
            finally:
                copy.remove()
    finally:
        os.close(fd)
