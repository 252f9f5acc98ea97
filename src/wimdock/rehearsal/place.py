"""Where a rehearsal takes place: the folders of a run, their names on the drive that is played."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.configmgr.staging import MOUNT_FOLDER, STAGING_FOLDER
from wimdock.errors import ImageBusy, StorageError
from wimdock.files import exclusive_lock, open_file, real_path, storage_error

_LOCK = ".wimdock-rehearsal.lock"
_LOGS = "Logs"
_SOURCES = "PackageSource"
_HISTORY = "history.jsonl"
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_CONTENT = uuid.UUID("4517870a-0000-5000-8000-000000000000")


class Place:
    r"""The folder that plays the root of the staging drive, and what a run makes in it.

    `ConfigMgr_OfflineImageServicing\<package ID>` holds the copy of the image file and its mount
    directory, `ConfigMgr_OfflineImageServicing\<content GUID>` an update each; beside it stand the
    logs (`Logs`), and the image packages as a run would leave them (`PackageSource`).
    """

    def __init__(self, root: Path, drive: str, package_id: str) -> None:
        """Name the folders; nothing is made yet."""
        self.root = real_path(root)
        self.drive = drive
        self.staging = self.root / _staging_name(self.root)
        self.package = self.staging / package_id
        self.mount_directory = self.package / MOUNT_FOLDER
        self.logs = self.root / _LOGS
        self.source = self.root / _SOURCES / package_id
        self.history = self.source / _HISTORY
        self.folders = (self.staging, self.logs, self.source.parent, self.source)

    def windows(self, path: Path) -> str:
        r"""Give a path below the root as it is called on the drive: `D:\Logs`.

        What no name in Windows holds, a quotation mark or a line break, is shown as `_`.
        """
        parts = (_windows_name(part) for part in path.relative_to(self.root).parts)
        return "\\".join((f"{self.drive}:", *parts))

    def content_folder(self, update: Path) -> Path:
        """Give the folder for an update's binary; its GUID follows from the file's name."""
        return self.staging / str(uuid.uuid5(_CONTENT, update.name.lower()))

    def make(self, folder: Path) -> Path:
        """Make a folder, with those above it, where it is not there."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
        return folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the place for one run; ImageBusy where another rehearsal holds it."""
        if not self.root.is_dir():
            message = f"{self.root} is no folder"
            hint = "Make the folder that plays the staging drive, or name another: --staging DIR."
            raise StorageError(message, hint=hint, hresult=0x80070003)
        path = self.root / _LOCK
        fd = open_file(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with exclusive_lock(fd, path):
                yield
        except ImageBusy as error:
            if str(path) not in error.message:
                raise
            message = f"another rehearsal is running in {self.root}"
            raise ImageBusy(message, hint="Wait for it, or use another --staging DIR.") from error
        finally:
            os.close(fd)


def _staging_name(root: Path) -> str:
    """Give the name of the staging folder as it stands there: Windows compares without case."""
    with suppress(OSError):
        names = {path.name for path in root.iterdir()}
        alike = sorted(each for each in names if each.casefold() == STAGING_FOLDER.casefold())
        if alike and STAGING_FOLDER not in names:
            return alike[0]
    return STAGING_FOLDER


def _windows_name(name: str) -> str:
    return "".join(
        "_" if char in _NOT_IN_NAMES or not char.isprintable() else char for char in name
    )
