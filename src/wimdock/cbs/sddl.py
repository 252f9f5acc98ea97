"""Security descriptor definition language (SDDL): from text to owner, group and access lists.

[MS-DTYP] 2.5.1. The entries that manifests use are read; object, conditional and other rare kinds
of entry are refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from wimdock.cbs.refusal import refuse
from wimdock.cbs.sid import SID_PATTERN, sid_bytes

DACL_PRESENT = 0x0004
SACL_PRESENT = 0x0010
_DACL_PROTECTED = 0x1000
_DACL_AUTO_INHERITED = 0x0400
_DACL_AUTO_INHERIT_REQ = 0x0100
# What P, AI and AR set for the DACL; the SACL's bits are each one place higher.
_ACL_FLAGS = {
    "P": _DACL_PROTECTED,
    "AI": _DACL_AUTO_INHERITED,
    "AR": _DACL_AUTO_INHERIT_REQ,
}

_ACE_TYPES = {"A": 0x00, "D": 0x01, "AU": 0x02, "ML": 0x11}
_ACE_TYPES_REFUSED = {
    "OA": "object",
    "OD": "object",
    "OU": "object",
    "OL": "object",
    "AL": "alarm",
    "XA": "conditional",
    "XD": "conditional",
    "XU": "conditional",
    "ZA": "conditional",
    "RA": "resource attribute",
    "SP": "scoped policy",
    "TL": "process trust label",
    "FL": "access filter",
}
OBJECT_INHERIT = 0x01
CONTAINER_INHERIT = 0x02
NO_PROPAGATE = 0x04
INHERIT_ONLY = 0x08
_ACE_FLAGS = {
    "OI": OBJECT_INHERIT,
    "CI": CONTAINER_INHERIT,
    "NP": NO_PROPAGATE,
    "IO": INHERIT_ONLY,
    "ID": 0x10,
    "SA": 0x40,
    "FA": 0x80,
}
INHERITABLE = OBJECT_INHERIT | CONTAINER_INHERIT

GENERIC_READ = 0x80000000
GENERIC_WRITE = 0x40000000
GENERIC_EXECUTE = 0x20000000
GENERIC_ALL = 0x10000000
GENERIC = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL
RIGHTS = {
    "GA": GENERIC_ALL,
    "GR": GENERIC_READ,
    "GW": GENERIC_WRITE,
    "GX": GENERIC_EXECUTE,
    "RC": 0x00020000,
    "SD": 0x00010000,
    "WD": 0x00040000,
    "WO": 0x00080000,
    "CC": 0x00000001,
    "DC": 0x00000002,
    "LC": 0x00000004,
    "SW": 0x00000008,
    "RP": 0x00000010,
    "WP": 0x00000020,
    "DT": 0x00000040,
    "LO": 0x00000080,
    "CR": 0x00000100,
    "FA": 0x001F01FF,
    "FR": 0x00120089,
    "FW": 0x00120116,
    "FX": 0x001200A0,
    "KA": 0x000F003F,
    "KR": 0x00020019,
    "KW": 0x00020006,
    "KX": 0x00020019,
}
_LABEL_RIGHTS = {"NW": 0x1, "NR": 0x2, "NX": 0x4}

_SPACE = re.compile(r"\s*")
_PART = re.compile(r"([OGDS])\s*:", re.IGNORECASE)
_ENTRY = re.compile(r"\(([^()]*)\)")
_NUMBER = re.compile(r"0x[0-9a-f]{1,8}|0[0-7]{0,11}|[1-9][0-9]{0,9}", re.IGNORECASE)
_NO_ACL = "NO_ACCESS_CONTROL"
_ACE_FIELDS = 6
_MAX_TEXT = 65536
_ALL_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One access control entry: its type and flags as numbers, an access mask, a SID's bytes."""

    type: int
    flags: int
    mask: int
    sid: bytes


@dataclass(frozen=True, slots=True)
class AccessList:
    """One access control list: its control bits, and its entries or None for a NULL list."""

    control: int
    entries: tuple[Entry, ...] | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text defines; an owner or group that it leaves out is empty."""

    owner: bytes = b""
    group: bytes = b""
    dacl: AccessList | None = None
    sacl: AccessList | None = None


def refuse_sddl(why: str) -> NoReturn:
    """Raise UnsupportedPackage for a descriptor that is not understood."""
    refuse(f"a security descriptor is not understood: {why}")


def parse_sddl(sddl: str) -> Parts:
    """Read a text; raise UnsupportedPackage for what is not understood."""
    if len(sddl) > _MAX_TEXT:
        refuse_sddl(f"its text has {len(sddl)} characters")
    found: dict[str, bytes | AccessList] = {}
    position = _skip_space(sddl, 0)
    while position < len(sddl):
        match = _PART.match(sddl, position)
        if match is None:
            refuse_sddl(f"no O:, G:, D: or S: at {sddl[position : position + 20]!r}")
        name = match[1].upper()
        if name in found:
            refuse_sddl(f"{name}: occurs twice")
        position = _skip_space(sddl, match.end())
        if name in "OG":
            found[name], position = _parse_sid(sddl, position)
        else:
            found[name], position = _parse_acl(sddl, position, system=name == "S")
        position = _skip_space(sddl, position)
    owner, group = found.get("O", b""), found.get("G", b"")
    dacl, sacl = found.get("D"), found.get("S")
    return Parts(
        owner if isinstance(owner, bytes) else b"",
        group if isinstance(group, bytes) else b"",
        dacl if isinstance(dacl, AccessList) else None,
        sacl if isinstance(sacl, AccessList) else None,
    )


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _parse_sid(text: str, position: int) -> tuple[bytes, int]:
    match = SID_PATTERN.match(text, position)
    end = match.end() if match else position + 2
    return sid_bytes(text[position:end]), end


def _parse_acl(text: str, position: int, *, system: bool) -> tuple[AccessList, int]:
    control = SACL_PRESENT if system else DACL_PRESENT
    null = False
    while position < len(text) and text[position] != "(" and not _PART.match(text, position):
        for flag in (_NO_ACL, "AI", "AR", "P"):
            if text[position : position + len(flag)].upper() == flag:
                null = null or flag == _NO_ACL
                control |= _ACL_FLAGS.get(flag, 0) << system
                position = _skip_space(text, position + len(flag))
                break
        else:
            refuse_sddl(f"unknown flag at {text[position : position + 20]!r}")
    entries: list[Entry] = []
    while position < len(text) and text[position] == "(":
        match = _ENTRY.match(text, position)
        if match is None:
            refuse_sddl(f"an entry of a kind that is not supported at {text[position:][:40]!r}")
        entries.append(_parse_entry(match[1]))
        position = _skip_space(text, match.end())
    if null and entries:
        refuse_sddl("a list that is NULL has entries")
    return AccessList(control, None if null else tuple(entries)), position


def _parse_entry(text: str) -> Entry:
    fields = [field.strip() for field in text.split(";")]
    kind = fields[0].upper()
    if kind in _ACE_TYPES_REFUSED:
        refuse_sddl(f"the {_ACE_TYPES_REFUSED[kind]} entry ({text[:60]}) is not supported")
    if kind not in _ACE_TYPES:
        refuse_sddl(f"unknown type of entry in ({text[:60]})")
    if len(fields) != _ACE_FIELDS or fields[3] or fields[4]:
        refuse_sddl(f"the entry ({text[:60]}) has not the six fields of its type")
    flags = _sum_of(fields[1], _ACE_FLAGS, text)
    rights = _LABEL_RIGHTS if kind == "ML" else RIGHTS
    return Entry(_ACE_TYPES[kind], flags, _mask(fields[2], rights, text), sid_bytes(fields[5]))


def _mask(text: str, rights: dict[str, int], entry: str) -> int:
    """Read rights: letters in pairs, or a number as C writes it."""
    if not _NUMBER.fullmatch(text):
        return _sum_of(text, rights, entry)
    octal = text.isdigit() and text.startswith("0")
    mask = int(text, 8) if octal else int(text, 0)
    if mask > _ALL_BITS:
        refuse_sddl(f"rights of more than 32 bits in ({entry[:60]})")
    return mask


def _sum_of(text: str, names: dict[str, int], entry: str) -> int:
    value = 0
    for at in range(0, len(text), 2):
        bit = names.get(text[at : at + 2].upper())
        if bit is None:
            refuse_sddl(f"unknown letters {text[at : at + 2]!r} in ({entry[:60]})")
        value |= bit
    return value
