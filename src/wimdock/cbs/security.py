"""Security descriptors: the bytes that Windows keeps for the SDDL of a manifest.

Binary form, self-relative: [MS-DTYP] 2.4.6, ACLs 2.4.5, ACEs 2.4.4.

A descriptor that was *assigned* to a file or a key differs from its text, because Windows maps
generic rights to those of the object and splits an entry that is both effective and inherited:
`(A;CI;GA;;;SY)` on a key is kept as `(A;;KA;;;SY)(A;CIIO;GA;;;SY)`. Its control bits show what
automatic inheritance leaves behind. The SYSTEM hive of a Windows 10 shows exactly this for the keys
of its components (docs/internals/component-store.md).
"""

from __future__ import annotations

import struct
from enum import Enum
from functools import lru_cache

from wimdock.cbs.sddl import (
    DACL_PRESENT,
    GENERIC,
    GENERIC_ALL,
    GENERIC_EXECUTE,
    GENERIC_READ,
    GENERIC_WRITE,
    INHERIT_ONLY,
    INHERITABLE,
    NO_PROPAGATE,
    RIGHTS,
    SACL_PRESENT,
    AccessList,
    Entry,
    Parts,
    parse_sddl,
    refuse_sddl,
)
from wimdock.cbs.sid import SYSTEM, sid_bytes

_HEADER = struct.Struct("<BBHIIII")  # revision, padding, control, owner, group, SACL, DACL
_ACL = struct.Struct("<BBHHH")  # revision, padding, size, count, padding
_ACE = struct.Struct("<BBHI")  # type, flags, size, access mask
_REVISION = 1
_ACL_REVISION = 2
_MAX_ACL = 0xFFFF

_AUTO_INHERIT_REQ = 0x0300
_AUTO_INHERITED = 0x0C00
_SELF_RELATIVE = 0x8000
_ASSIGNED = DACL_PRESENT | SACL_PRESENT | _AUTO_INHERITED


class ObjectKind(Enum):
    """What a descriptor is assigned to; the value maps its generic rights, in SDDL's letters."""

    FILE = "FA FR FW FX"
    KEY = "KA KR KW KX"

    def map_rights(self, mask: int) -> int:
        """Give an access mask with generic rights replaced by those of the object."""
        mapped = mask & ~GENERIC
        generic = (GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, GENERIC_EXECUTE)
        for bit, name in zip(generic, self.value.split(), strict=True):
            if mask & bit:
                mapped |= RIGHTS[name]
        return mapped


@lru_cache(maxsize=1024)
def descriptor(sddl: str) -> bytes:
    """Give the self-relative security descriptor that a text stands for, word for word.

    Raises UnsupportedPackage for what is not understood.
    """
    parts = parse_sddl(sddl)
    return _pack(parts, _control_of(parts))


@lru_cache(maxsize=1024)
def assigned_descriptor(sddl: str, kind: ObjectKind) -> bytes | None:
    """Give what a file, folder or key carries once Windows assigned it this descriptor.

    None where the text sets no DACL: then the object takes that of its folder or parent key, for a
    descriptor without one would open it to everybody. An owner or group that the text leaves out
    is the local system, on whose behalf components are installed.
    Raises UnsupportedPackage for what is not understood.
    """
    parts = parse_sddl(sddl)
    if parts.dacl is None:
        return None
    system = sid_bytes(SYSTEM)
    kept = Parts(
        parts.owner or system,
        parts.group or system,
        _assign(parts.dacl, kind),
        _assign(parts.sacl, kind) if parts.sacl else None,
    )
    return _pack(kept, _control_of(parts) & ~_AUTO_INHERIT_REQ | _ASSIGNED)


def _control_of(parts: Parts) -> int:
    return (parts.dacl.control if parts.dacl else 0) | (parts.sacl.control if parts.sacl else 0)


def _assign(acl: AccessList, kind: ObjectKind) -> AccessList:
    if acl.entries is None:
        return acl
    kept = tuple(piece for entry in acl.entries for piece in _assign_entry(entry, kind))
    return AccessList(acl.control, kept)


def _assign_entry(entry: Entry, kind: ObjectKind) -> tuple[Entry, ...]:
    """Give the entry, or the two entries, that Windows keeps after assigning this one."""
    if entry.flags & INHERIT_ONLY or not entry.mask & GENERIC:
        return (entry,)
    flags = entry.flags & ~(INHERITABLE | NO_PROPAGATE)
    effective = Entry(entry.type, flags, kind.map_rights(entry.mask), entry.sid)
    if not entry.flags & INHERITABLE:
        return (effective,)
    return (effective, Entry(entry.type, entry.flags | INHERIT_ONLY, entry.mask, entry.sid))


def _pack(parts: Parts, control: int) -> bytes:
    """Lay out SACL, DACL, owner and group in that order, as Windows does."""
    body = b""
    offsets = []
    sacl = _acl_bytes(parts.sacl) if parts.sacl else b""
    dacl = _acl_bytes(parts.dacl) if parts.dacl else b""
    for piece in (sacl, dacl, parts.owner, parts.group):
        offsets.append(_HEADER.size + len(body) if piece else 0)
        body += piece
    sacl_at, dacl_at, owner_at, group_at = offsets
    control |= _SELF_RELATIVE
    return _HEADER.pack(_REVISION, 0, control, owner_at, group_at, sacl_at, dacl_at) + body


def _acl_bytes(acl: AccessList) -> bytes:
    """Pack a list; a NULL list has no bytes, and its offset in the header is 0."""
    if acl.entries is None:
        return b""
    body = b"".join(
        _ACE.pack(entry.type, entry.flags, _ACE.size + len(entry.sid), entry.mask) + entry.sid
        for entry in acl.entries
    )
    size = _ACL.size + len(body)
    if size > _MAX_ACL:
        refuse_sddl("it has more entries than an access control list can hold")
    return _ACL.pack(_ACL_REVISION, 0, size, len(acl.entries), 0) + body
