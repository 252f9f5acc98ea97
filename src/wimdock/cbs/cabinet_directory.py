"""The directory of a cabinet ([MS-CAB] 2): read and judged before anything is extracted.

The decompression is libarchive's; which names and sizes there may be is decided here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from wimdock.cbs.contents import fold_name, safe_name
from wimdock.errors import MalformedPackage, UnsupportedPackage

SIGNATURE = b"MSCF"

# signature, reserved1, cbCabinet, reserved2, coffFiles, reserved3, versionMinor, versionMajor,
# cFolders, cFiles, flags, setID, iCabinet
_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_HEADER_SIZE = 36
assert _HEADER.size == _HEADER_SIZE  # noqa: S101 - as the specification gives it
# cbCFHeader, cbCFFolder, cbCFData
_RESERVE = struct.Struct("<HBB")
# cbFile, uoffFolderStart, iFolder, date, time, attribs; then the name, ended by NUL
_FILE = struct.Struct("<IIHHHH")
_FILE_SIZE = 16
assert _FILE.size == _FILE_SIZE  # noqa: S101 - as the specification gives it
# of a signed cabinet's reserve: two words, then where the signature lies and its length
_SIGNED_RESERVE = struct.Struct("<HHII")

_VERSION_MAJOR = 1
_PREVIOUS_CABINET = 0x1
_NEXT_CABINET = 0x2
_RESERVE_PRESENT = 0x4
_CONTINUED_FOLDER = 0xFFFD
_NAME_IS_UTF8 = 0x80
_NAME_BYTES = 256
_SIGNED_MARK = 0x10

MAX_TOTAL = 64 << 30
"""No package that is extracted may hold more bytes than this."""
MAX_GROWTH = 400
"""Nor more than this many times the size of the cabinet, and `GROWTH_FREE` bytes."""
GROWTH_FREE = 64 << 20


@dataclass(frozen=True, slots=True)
class CabinetEntry:
    """A file that the cabinet declares: its safe name, its size, when it was changed last.

    Cabinets know no time zone: the time is taken as UTC. None where it is none.
    """

    name: str
    size: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class CabinetDirectory:
    """What a cabinet declares to hold, in its own order."""

    entries: tuple[CabinetEntry, ...]

    @property
    def total(self) -> int:
        """The sum of all sizes."""
        return sum(entry.size for entry in self.entries)


def read_directory(file: BinaryIO, size: int) -> CabinetDirectory:
    """Read the directory of a cabinet of `size` bytes.

    Raises MalformedPackage for a truncated or damaged one, unsafe or repeated names and sizes
    beyond the bounds of this module, UnsupportedPackage for a part of a set of cabinets.
    """
    fields = _unpack(_HEADER, file, 0)
    signature, length, files_at = fields[0], fields[2], fields[4]
    version, count, flags = fields[7], fields[9], fields[10]
    if signature != SIGNATURE or version != _VERSION_MAJOR:
        message = "the file is no cabinet"
        raise MalformedPackage(message)
    if length > size:
        message = f"the cabinet is cut off: {size} of {length} bytes are there"
        raise MalformedPackage(message)
    if flags & (_PREVIOUS_CABINET | _NEXT_CABINET):
        message = "the cabinet is one part of a set of cabinets"
        raise UnsupportedPackage(message, reasons=(message,))
    if flags & _RESERVE_PRESENT:
        _check_signature_is_there(file, size)
    if not count:
        message = "the cabinet is empty"
        raise MalformedPackage(message)
    entries = _read_entries(file, files_at, count, length)
    directory = CabinetDirectory(entries)
    if directory.total > min(MAX_TOTAL, GROWTH_FREE + MAX_GROWTH * size):
        message = f"the cabinet claims to hold {directory.total} bytes: more than any real one"
        raise MalformedPackage(message)
    return directory


def _read_entries(file: BinaryIO, offset: int, count: int, length: int) -> tuple[CabinetEntry, ...]:
    file.seek(offset)
    block = file.read(min(count * (_FILE.size + _NAME_BYTES), max(length - offset, 0)))
    entries: list[CabinetEntry] = []
    seen: set[str] = set()
    at = 0
    for _ in range(count):
        end = block.find(b"\0", at + _FILE.size, at + _FILE.size + _NAME_BYTES)
        if end < 0:
            message = "the cabinet's list of files is damaged"
            raise MalformedPackage(message)
        size, _start, folder, date, time, attributes = _FILE.unpack_from(block, at)
        name = _decode_name(block[at + _FILE.size : end], attributes)
        if folder >= _CONTINUED_FOLDER:
            message = f"{name} continues in another cabinet"
            raise UnsupportedPackage(message, reasons=(message,))
        if fold_name(name) in seen:
            message = f"the cabinet holds {name[:200]!r} twice"
            raise MalformedPackage(message)
        seen.add(fold_name(name))
        entries.append(CabinetEntry(name, size, _moment(date, time)))
        at = end + 1
    return tuple(entries)


def _moment(date: int, time: int) -> datetime | None:
    """Read a date and time of MS-DOS: years from 1980, seconds by two."""
    try:
        return datetime(
            1980 + (date >> 9),
            date >> 5 & 0xF,
            date & 0x1F,
            time >> 11,
            time >> 5 & 0x3F,
            (time & 0x1F) * 2,
            tzinfo=UTC,
        )
    except ValueError:
        return None


def _decode_name(raw: bytes, attributes: int) -> str:
    try:
        return safe_name(raw.decode("utf-8" if attributes & _NAME_IS_UTF8 else "cp1252"))
    except UnicodeDecodeError as error:
        message = f"the cabinet holds a file whose name cannot be read: {raw[:80]!r}"
        raise MalformedPackage(message) from error


def _check_signature_is_there(file: BinaryIO, size: int) -> None:
    """Notice a signed cabinet whose appended signature is cut off."""
    header_reserve, _folder, _data = _unpack(_RESERVE, file, _HEADER.size)
    if header_reserve < _SIGNED_RESERVE.size:
        return
    zero, mark, offset, length = _unpack(_SIGNED_RESERVE, file, _HEADER.size + _RESERVE.size)
    if zero == 0 and mark == _SIGNED_MARK and offset + length > size:
        message = f"the cabinet is cut off: {size} of {offset + length} bytes are there"
        raise MalformedPackage(message)


def _unpack(layout: struct.Struct, file: BinaryIO, offset: int) -> tuple[Any, ...]:
    file.seek(offset)
    data = file.read(layout.size)
    if len(data) < layout.size:
        message = "the cabinet is cut off in its header"
        raise MalformedPackage(message)
    return layout.unpack(data)
