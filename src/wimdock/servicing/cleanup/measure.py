"""How much lies in a folder, counted without leaving its file system."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from wimdock.errors import WimdockError
from wimdock.files import storage_error
from wimdock.servicing.cleanup.descent import descend
from wimdock.servicing.cleanup.ground import Ground, identity, is_folder, open_folder


@dataclass(slots=True)
class Measure:
    """Files and their bytes; a file with several names counts once. `newest` is its last change.

    `unreadable` says in words what could not be counted.
    """

    files: int = 0
    size: int = 0
    newest: float = 0.0
    unreadable: list[str] = field(default_factory=list)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    @property
    def changed(self) -> datetime | None:
        """Give the time of the last change, None where there is no file."""
        try:
            return datetime.fromtimestamp(self.newest, UTC) if self.newest else None
        except (OverflowError, ValueError, OSError):
            return None

    def add(self, path: Path) -> None:
        """Count a file, or everything below a folder; what cannot be read is noted."""
        try:
            status = path.lstat()
            if not is_folder(status):
                self._count(status)
                return
            fd = open_folder(path)
        except OSError as error:
            self.unreadable.append(storage_error(error, path).message)
            return
        try:
            for visit in descend(fd, Ground.of(fd)):
                if not visit.is_folder:
                    self._count(visit.status)
        except WimdockError as error:
            self.unreadable.append(error.message)
        finally:
            os.close(fd)

    def _count(self, status: os.stat_result) -> None:
        if status.st_nlink > 1:
            if identity(status) in self._seen:
                return
            self._seen.add(identity(status))
        self.files += 1
        self.size += status.st_size
        self.newest = max(self.newest, status.st_mtime)
