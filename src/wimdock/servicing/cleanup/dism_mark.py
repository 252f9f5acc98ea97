r"""The marks that DISM leaves on a mount directory.

A mounted directory carries the alternate data stream `$WIMMOUNTDATA`, in which DISM keeps the image
file, the mount directory and its log; and the files that nobody changed are reparse points of the
tag IO_REPARSE_TAG_WIM ([MS-FSCC] 2.1.2.1). The stream's layout is not documented: what is known of
it was found out by looking, so it is read as far as it makes sense, and never needed.

Streams are seen through an extended attribute (ntfs-3g), or under the name `folder:stream` (on
Windows, and ntfs-3g with streams_interface=windows). The kernel's own drivers and shares may show
neither: that no mark is seen proves nothing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wimdock.servicing.cleanup.ground import REPARSE_DATA

STREAM = "$WIMMOUNTDATA"
_LARGEST = 1 << 16
_RECORDS_AT = 0x28
_RECORD = struct.Struct("<II")
_IMAGE = 1
_DIRECTORY = 2
_TAG_WIM = struct.pack("<I", 0x80000008)
_LOOKED_AT = 256


@dataclass(frozen=True, slots=True)
class DismMark:
    """What shows that DISM mounted an image here: its image file and mount directory, if told."""

    seen: str
    image: str = ""
    directory: str = ""


def find_mark(directory: Path) -> DismMark | None:
    """Look for DISM's marks on a mount directory; None where none is to be seen."""
    data = _stream(directory)
    if data is not None:
        records = dict(_records(data))
        return DismMark(
            f"it carries DISM's stream {STREAM}",
            records.get(_IMAGE, ""),
            records.get(_DIRECTORY, ""),
        )
    if any(_is_stub(path) for path in _first_entries(directory)):
        return DismMark("files in it are stand-ins for those of a mounted image (tag 0x80000008)")
    return None


def _stream(directory: Path) -> bytes | None:
    if hasattr(os, "getxattr"):
        with suppress(OSError):
            return os.getxattr(directory, f"user.{STREAM}", follow_symlinks=False)
    with suppress(OSError, ValueError), open(f"{directory}:{STREAM}", "rb") as stream:  # noqa: PTH123 - no path
        return stream.read(_LARGEST)
    return None


def _records(data: bytes) -> Iterator[tuple[int, str]]:
    """Give the texts of the stream: number, length and UTF-16, each padded to eight bytes."""
    place = _RECORDS_AT
    while place + _RECORD.size <= len(data):
        number, length = _RECORD.unpack_from(data, place)
        place += _RECORD.size
        if length > len(data) - place:
            return
        yield number, data[place : place + length].decode("utf-16-le", "replace").split("\0")[0]
        place += -(-length // 8) * 8


def _first_entries(directory: Path) -> list[Path]:
    found: list[Path] = []
    folders = [directory]
    while folders and len(found) < _LOOKED_AT:
        with suppress(OSError), os.scandir(folders.pop(0)) as entries:
            for entry in entries:
                if len(found) == _LOOKED_AT:
                    break
                found.append(Path(entry.path))
                if entry.is_dir(follow_symlinks=False) and len(folders) < _LOOKED_AT:
                    folders.append(Path(entry.path))
    return found


def _is_stub(path: Path) -> bool:
    with suppress(OSError):
        if hasattr(os, "getxattr"):
            return os.getxattr(path, REPARSE_DATA, follow_symlinks=False)[:4] == _TAG_WIM
        tag = getattr(path.lstat(), "st_reparse_tag", 0)
        return bool(tag == int.from_bytes(_TAG_WIM, "little"))
    return False
