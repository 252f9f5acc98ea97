"""The files of a run in the staging folder: copied there before it, taken away after it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import Disk, copy_file, open_file, storage_error
from wimdock.rehearsal.place import Place

_MARGIN = 16 << 20
BACKUP = ".backup"


class StagedFiles:
    """The copies of an image file and of updates, in the folders where a run has them."""

    def __init__(self, image: Path, updates: Sequence[Path], place: Place, disk: Disk) -> None:
        """Name them; nothing is copied yet."""
        self._image = image
        self._updates = updates
        self._place = place
        self._disk = disk
        self.copy = place.package / image.name
        self.result = place.source / image.name

    @property
    def replaced(self) -> tuple[Path, ...]:
        """The files that a run takes away or replaces, but for the copies of updates."""
        return (self.copy, self.result, self.result.with_name(self.result.name + BACKUP))

    def binary(self, update: Path) -> Path:
        """Give the copy of an update."""
        return self._place.content_folder(update) / update.name

    def need_space(self) -> None:
        """Refuse before anything is made what the disk cannot hold: StorageError 0x80070070.

        The copy of the image may double when updates are put in, and an update may be unpacked.
        """
        needed = _MARGIN + 2 * sum(path.stat().st_size for path in (self._image, *self._updates))
        root = self._place.root
        free = shutil.disk_usage(root).free
        if free < needed:
            message = (
                f"{root} has {free >> 20:,} MiB free, but the rehearsal may need "
                f"{-(-needed >> 20):,} MiB"
            )
            hint = "Free space on that disk, or use another --staging DIR; nothing was copied."
            raise StorageError(message, hint=hint, hresult=0x80070070)

    def put(self) -> None:
        """Copy them, over those of a run that was cut short."""
        self._remove()
        for update in self._updates:
            self._place.make(self._place.content_folder(update))
            copy_file(update, self.binary(update), self._disk)
        self._place.make(self._place.package)
        copy_file(self._image, self.copy, self._disk)
        self._place.make(self._place.mount_directory)

    def put_back(self) -> None:
        """Put the copy where the package source is played; what stood there becomes the backup."""
        self._place.make(self._place.source)
        # Its history says that what stands there is a rehearsal's, also to one after a crash.
        os.close(open_file(self._place.history, os.O_RDWR | os.O_CREAT))
        if self.result.exists():
            self._disk.replace(self.result, self.result.with_name(self.result.name + BACKUP))
        self._disk.replace(self.copy, self.result)
        self.clear()

    def clear(self) -> None:
        """Take away what this run made, and the folders that are empty then."""
        self._remove()
        folders = [self._place.mount_directory, self._place.package]
        folders += [self._place.content_folder(update) for update in self._updates]
        for folder in (*folders, self._place.staging):
            with suppress(OSError):  # it holds what another run left, or is not there
                folder.rmdir()

    def _remove(self) -> None:
        files = [self.copy, self.copy.with_name(f"{self.copy.name}.generations")]
        files += [self.binary(update) for update in self._updates]
        for file in files:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, file) from error
