"""Self-relative security descriptors, built from plain numbers ([MS-DTYP] 2.4.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SELF_RELATIVE = 0x8000
_DACL_PRESENT = 0x0004
_SACL_PRESENT = 0x0010
_DACL_PROTECTED = 0x1000

FULL = 0x001F01FF
READ_EXECUTE = 0x001200A9
INHERITED_BY_ALL = 0x03


def sid(*parts: int, authority: int = 5) -> bytes:
    """Give S-1-<authority>-<parts> in its binary form."""
    head = struct.pack(">BBQ", 1, len(parts), authority)
    return head[:2] + head[4:] + struct.pack(f"<{len(parts)}I", *parts)


SYSTEM = sid(18)
ADMINISTRATORS = sid(32, 544)
USERS = sid(32, 545)
EVERYONE = sid(0, authority=1)
TRUSTED_INSTALLER = sid(80, 956008885, 3418522649, 1831038044, 1853292631, 2271478464)
ALL_APP_PACKAGES = sid(2, 1, authority=15)
ALL_RESTRICTED_APP_PACKAGES = sid(2, 2, authority=15)


@dataclass(frozen=True, slots=True)
class Ace:
    """One entry of an access list; `kind` 0 allows, 1 denies, 2 audits."""

    subject: bytes
    mask: int
    flags: int = 0
    kind: int = 0

    def to_bytes(self) -> bytes:
        """Give the entry as it is stored."""
        body = struct.pack("<I", self.mask) + self.subject
        return struct.pack("<BBH", self.kind, self.flags, 4 + len(body)) + body


def acl(*aces: Ace) -> bytes:
    """Give a list of access entries as it is stored."""
    body = b"".join(ace.to_bytes() for ace in aces)
    return struct.pack("<BBHHH", 2, 0, 8 + len(body), len(aces), 0) + body


def descriptor(
    *aces: Ace,
    owner: bytes = TRUSTED_INSTALLER,
    group: bytes = TRUSTED_INSTALLER,
    audit: tuple[Ace, ...] = (),
    protected: bool = False,
) -> bytes:
    """Give a descriptor in the order in which NTFS likes it: SACL, DACL, owner, group."""
    control = _SELF_RELATIVE | _DACL_PRESENT
    control |= _DACL_PROTECTED if protected else 0
    control |= _SACL_PRESENT if audit else 0
    sacl = acl(*audit) if audit else b""
    dacl = acl(*aces)
    dacl_at = 20 + len(sacl)
    owner_at = dacl_at + len(dacl)
    group_at = owner_at + len(owner)
    head = struct.pack("<BBHIIII", 1, 0, control, owner_at, group_at, 20 if sacl else 0, dacl_at)
    return head + sacl + dacl + owner + group


SYSTEM_FILE = descriptor(
    Ace(TRUSTED_INSTALLER, FULL),
    Ace(ADMINISTRATORS, READ_EXECUTE),
    Ace(SYSTEM, READ_EXECUTE),
    Ace(USERS, READ_EXECUTE),
    Ace(ALL_APP_PACKAGES, READ_EXECUTE),
    protected=True,
)
FOLDER = descriptor(
    Ace(SYSTEM, FULL, INHERITED_BY_ALL),
    Ace(ADMINISTRATORS, FULL, INHERITED_BY_ALL),
    Ace(USERS, READ_EXECUTE, INHERITED_BY_ALL),
    owner=SYSTEM,
    group=SYSTEM,
)
PRIVATE = descriptor(
    Ace(EVERYONE, 0x00010000, kind=1),
    Ace(SYSTEM, FULL),
    Ace(ADMINISTRATORS, FULL),
    owner=ADMINISTRATORS,
    group=SYSTEM,
    audit=(Ace(EVERYONE, FULL, 0xC0, 2),),
    protected=True,
)
SYSTEM_FOLDER = descriptor(
    Ace(TRUSTED_INSTALLER, FULL, INHERITED_BY_ALL),
    Ace(SYSTEM, FULL, INHERITED_BY_ALL),
    Ace(USERS, READ_EXECUTE, INHERITED_BY_ALL),
    protected=True,
)
DENIED_LISTING = descriptor(
    Ace(EVERYONE, 0x00000001, kind=1),
    Ace(EVERYONE, READ_EXECUTE),
    Ace(SYSTEM, FULL),
    owner=SYSTEM,
    group=SYSTEM,
)
