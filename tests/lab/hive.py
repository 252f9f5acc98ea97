"""Registry hives, filled by hivexregedit from text; only an empty hive's frame is our own bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from tests.lab.descriptor import ADMINISTRATORS, SYSTEM, USERS, Ace, descriptor
from tests.lab.tool import run

REG_NONE, REG_SZ, REG_EXPAND_SZ, REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_QWORD = (
    0,
    1,
    2,
    3,
    4,
    7,
    11,
)

_PAGE = 4096
_NOTHING = 0xFFFFFFFF
_KEY_READ = 0x20019
_KEY_FULL = 0xF003F
_INHERITED = 0x02
_WHEN = 132_223_104_000_000_000  # 2020-01-01

_SECURITY = descriptor(
    Ace(SYSTEM, _KEY_FULL, _INHERITED),
    Ace(ADMINISTRATORS, _KEY_FULL, _INHERITED),
    Ace(USERS, _KEY_READ, _INHERITED),
    owner=ADMINISTRATORS,
    group=SYSTEM,
)


@dataclass(frozen=True, slots=True)
class LabValue:
    """A registry value with its data as stored."""

    name: str
    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LabKey:
    """A key, by its path below the hive's root, with values."""

    path: str
    values: tuple[LabValue, ...] = ()


def text(name: str, content: str, kind: int = REG_SZ) -> LabValue:
    """Give a string value."""
    return LabValue(name, kind, f"{content}\0".encode("utf-16-le"))


def texts(name: str, *contents: str) -> LabValue:
    """Give a value of several strings."""
    joined = "".join(f"{content}\0" for content in contents)
    return LabValue(name, REG_MULTI_SZ, f"{joined}\0".encode("utf-16-le"))


def dword(name: str, number: int) -> LabValue:
    """Give a 32-bit number."""
    return LabValue(name, REG_DWORD, struct.pack("<I", number))


def qword(name: str, number: int) -> LabValue:
    """Give a 64-bit number."""
    return LabValue(name, REG_QWORD, struct.pack("<Q", number))


def binary(name: str, data: bytes) -> LabValue:
    """Give raw bytes."""
    return LabValue(name, REG_BINARY, data)


def empty_hive(name: str) -> bytes:
    """Give a hive that holds a root key without values and its security descriptor."""
    key = struct.pack(
        "<2sHQIIIIIIIIIIIIIIIHH",
        b"nk", 0x2C, _WHEN, 0, _NOTHING, 0, 0, _NOTHING, _NOTHING, 0, _NOTHING,
        0x20 + _cell_size(0x4C + 4), _NOTHING, 0, 0, 0, 0, 0, 4, 0,
    ) + b"ROOT"  # fmt: skip
    at = 0x20 + _cell_size(len(key))
    security = struct.pack("<2sHIIII", b"sk", 0, at, at, 1, len(_SECURITY)) + _SECURITY
    cells = _cell(key) + _cell(security)
    free = _PAGE - 0x20 - len(cells)
    cells += struct.pack("<i", free) + bytes(free - 4)
    bin_header = struct.pack("<4sIIQQI", b"hbin", 0, _PAGE, 0, _WHEN, 0)
    label = name.encode("utf-16-le")[:64].ljust(64, b"\0")
    head = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, _WHEN, 1, 5, 0, 1, 0x20, _PAGE, 1) + label
    base = bytearray(head.ljust(_PAGE, b"\0"))
    checksum = 0
    for (word,) in struct.iter_unpack("<I", bytes(base[:508])):
        checksum ^= word
    struct.pack_into("<I", base, 508, checksum)
    return bytes(base) + bin_header + cells


def _cell_size(length: int) -> int:
    return (length + 4 + 7) & ~7


def _cell(content: bytes) -> bytes:
    size = _cell_size(len(content))
    return struct.pack("<i", -size) + content.ljust(size - 4, b"\0")


def make_hive(path: Path, *keys: LabKey, basis: bytes | None = None) -> Path:
    """Make a hive with these keys, or add them to a copy of another hive; give its path."""
    path.write_bytes(empty_hive(path.name) if basis is None else basis)
    return merge(path, *keys)


def merge(path: Path, *keys: LabKey) -> Path:
    """Add keys to a hive with hivexregedit; give its path."""
    if keys:
        run("hivexregedit", "--merge", path, stdin=registry_text(*keys).encode())
    return path


def export(path: Path) -> str:
    """Give a whole hive as hivexregedit writes it: every key, every value in hexadecimal."""
    return run("hivexregedit", "--export", path, "\\").decode()


def registry_text(*keys: LabKey) -> str:
    """Give the text from which hivexregedit makes the keys."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    known: set[str] = set()
    for key in keys:
        # hivexregedit makes a key only below one that is there.
        for above in accumulate(key.path.split("\\"), lambda one, other: f"{one}\\{other}"):
            if above.lower() not in known:
                known.add(above.lower())
                lines += [f"[\\{above}]", ""]
        lines.append(f"[\\{key.path}]")
        lines += [_line(value) for value in key.values]
        lines.append("")
    return "\n".join(lines)


def _line(value: LabValue) -> str:
    name = '"' + value.name.replace("\\", "\\\\").replace('"', '\\"') + '"' if value.name else "@"
    return f"{name}=hex({value.type:x}):{value.data.hex(',')}"
