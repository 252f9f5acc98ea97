"""By what a changed image file is known without reading it: its header, its length, its sidecar."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import open_file, read_at, refuse_special
from wimdock.site.models import FileState, ImagePackage
from wimdock.wim import layout
from wimdock.wim.generations import sidecar_path

_ABSENT = (0x80070002, 0x80070003)


@dataclass(frozen=True, slots=True)
class FileMark:
    """The first 208 bytes of a file, its size in bytes, and whether its sidecar is there."""

    header: bytes
    length: int
    has_sidecar: bool

    def is_of(self, package: ImagePackage) -> bool:
        """Tell whether the file is as the site knows it."""
        return (
            package.state is FileState.AS_RECORDED
            and self.header.hex() == package.header
            and self.length == package.length
            and (self.has_sidecar or package.generation is None)
        )


def read_mark(file: Path) -> FileMark:
    """Read the mark of a file; StorageError where that fails."""
    refuse_special(file)
    fd = open_file(file)
    try:
        header = read_at(fd, layout.HEADER_SIZE, 0)
        return FileMark(header, os.fstat(fd).st_size, sidecar_path(file).exists())
    finally:
        os.close(fd)


def state_after(error: Exception) -> FileState:
    """Give the state of a file that could not be read for that reason."""
    if isinstance(error, StorageError) and error.hresult in _ABSENT:
        return FileState.MISSING
    return FileState.UNREADABLE
