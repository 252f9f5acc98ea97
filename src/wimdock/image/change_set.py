"""The change set: the exact edits to one image, as values that can be printed before they are made.

Everything up to here is pure. `wimdock.image.staging` turns a change set into metadata and blobs;
only the transaction of `wimdock.wim` writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

from wimdock.paths import ImagePath

ATTRIBUTE_ARCHIVE = 0x20


class HiveName(Enum):
    """The hives of an image that a package can edit; the value is the file in `config`."""

    SOFTWARE = "SOFTWARE"
    SYSTEM = "SYSTEM"
    COMPONENTS = "COMPONENTS"
    DEFAULT = "DEFAULT"

    @property
    def path(self) -> ImagePath:
        """Where the hive lies in the image."""
        return ImagePath(("Windows", "System32", "config", self.value))


@dataclass(frozen=True, slots=True)
class PutFile:
    """Make `path`, and every one of `links`, names of one file with this content.

    Whatever stood at these paths is replaced; other names of what stood there keep it. Missing
    parent folders are made. `source` is a file on disk or the bytes themselves; `modified` is None
    for the time of the run; `security` is a self-relative security descriptor, or None to keep that
    of the file replaced or, for a new one, to take that of its folder.
    """

    path: ImagePath
    source: Path | bytes
    links: tuple[ImagePath, ...] = ()
    attributes: int = ATTRIBUTE_ARCHIVE
    security: bytes | None = None
    modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class PutData:
    """Give the file at `path`, by all its names, other data; everything else of it stays."""

    path: ImagePath
    source: Path | bytes


@dataclass(frozen=True, slots=True)
class PutLinks:
    """Make every one of `links` a further name of the file that stands at `path` already."""

    path: ImagePath
    links: tuple[ImagePath, ...]


@dataclass(frozen=True, slots=True)
class PutDirectory:
    """Make sure that a folder exists; `security` as for PutFile, set only where it is new."""

    path: ImagePath
    security: bytes | None = None


@dataclass(frozen=True, slots=True)
class PutReparsePoint:
    """Make `path` a reparse point; `data` without the 8-byte header ([MS-FSCC] 2.1.2)."""

    path: ImagePath
    tag: int
    data: bytes
    directory: bool = False
    security: bytes | None = None


@dataclass(frozen=True, slots=True)
class PutStream:
    """Give an existing file or folder a named stream with this content."""

    path: ImagePath
    name: str
    source: Path | bytes


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a name away, a folder with all that is below it; its absence is an error."""

    path: ImagePath


FileEdit = PutFile | PutData | PutLinks | PutDirectory | PutReparsePoint | PutStream | Delete


@dataclass(frozen=True, slots=True)
class CreateKey:
    r"""Make sure that a key exists. `key` is relative to the hive's root (`Microsoft\Windows`).

    `security` is a self-relative descriptor for the key if it is new; None inherits its parent's.
    """

    hive: HiveName
    key: str
    security: bytes | None = None


@dataclass(frozen=True, slots=True)
class SetValue:
    """Set a value, making its key first where that is missing; `name` "" is the default value."""

    hive: HiveName
    key: str
    name: str
    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DeleteValue:
    """Take a value away where it exists."""

    hive: HiveName
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """Take a key away with all that is below it, where it exists."""

    hive: HiveName
    key: str


RegistryEdit = CreateKey | SetValue | DeleteValue | DeleteKey


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """All edits to one image, in the order in which they are made."""

    files: tuple[FileEdit, ...] = field(default=())
    registry: tuple[RegistryEdit, ...] = field(default=())

    def __bool__(self) -> bool:
        """Tell whether there is anything to do."""
        return bool(self.files or self.registry)

    def __add__(self, other: ChangeSet) -> ChangeSet:
        """Give both, `other` after `self`."""
        return ChangeSet(self.files + other.files, self.registry + other.registry)

    def hives(self) -> Iterator[HiveName]:
        """Name the hives that are edited, each once, in order of first use."""
        yield from dict.fromkeys(edit.hive for edit in self.registry)
