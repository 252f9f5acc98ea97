"""What stands on a volume of the lab, as values: files, folders, further names, reparse points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

READ_ONLY = 0x01
HIDDEN = 0x02
SYSTEM = 0x04
DIRECTORY = 0x10
ARCHIVE = 0x20
SPARSE = 0x200
REPARSE_POINT = 0x400
COMPRESSED = 0x800
NOT_INDEXED = 0x2000


@dataclass(frozen=True, slots=True)
class Times:
    """FILETIMEs: 100 ns since 1601."""

    created: int
    written: int
    accessed: int


@dataclass(frozen=True, slots=True)
class LabEntry:
    """What a file and a folder have in common.

    `path` is relative to the volume with forward slashes; folders above it are made. `streams` are
    named streams. `attributes` are set besides those that NTFS keeps itself. `security` is a
    self-relative descriptor. `reparse` is raw reparse data with its 8-byte header (24 for
    third-party tags).
    """

    path: str
    streams: tuple[tuple[str, bytes], ...] = ()
    attributes: int = 0
    short_name: str = ""
    security: bytes | None = None
    reparse: bytes | None = None
    times: Times | None = None
    object_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class LabFolder(LabEntry):
    """A folder; in a `compressed` one NTFS compresses the files that are made later."""

    compressed: bool = False


@dataclass(frozen=True, slots=True)
class LabFile(LabEntry):
    """A file with its content; `links` are further names of it.

    `sparse_size`, where given, is the size of the file: a hole, and the content at its end.
    """

    content: bytes = b""
    links: tuple[str, ...] = ()
    sparse_size: int = 0


@dataclass(frozen=True, slots=True)
class LabSpecial:
    """A pipe, device or socket, made by mknod the way WSL has it: a reparse point without data."""

    path: str
    kind: Literal["fifo", "character device", "block device", "socket"]
    major: int = 0
    minor: int = 0


@dataclass(frozen=True, slots=True)
class LabVolume:
    """Everything that stands on one NTFS volume, in the order in which it is made."""

    entries: tuple[LabFile | LabFolder, ...]
    specials: tuple[LabSpecial, ...] = ()
    megabytes: int = 64
    label: str = "LAB"
