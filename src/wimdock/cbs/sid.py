"""Security identifiers (SIDs), from the text that SDDL uses to bytes.

[MS-DTYP] 2.4.2 gives both forms, 2.4.2.4 the well-known SIDs and 2.5.1.1 their two-letter names.
A name that is relative to a domain (DA, LA, …) has no meaning in an image, which belongs to none.
"""

from __future__ import annotations

import re
import struct

from wimdock.cbs.refusal import refuse

_MAX_SUB_AUTHORITIES = 15
_MAX_SUB_AUTHORITY = 0xFFFFFFFF
_MAX_AUTHORITY = 0xFFFFFFFFFFFF

SYSTEM = "S-1-5-18"
TRUSTED_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

SID_PATTERN = re.compile(
    r"S-1-(?P<authority>0x[0-9a-f]{1,12}|[0-9]{1,15})(?P<rest>(?:-[0-9]{1,10})*)", re.IGNORECASE
)

WELL_KNOWN = {
    "AA": "S-1-5-32-579",  # access control assistance operators
    "AC": "S-1-15-2-1",  # all application packages
    "AN": "S-1-5-7",  # anonymous logon
    "AO": "S-1-5-32-548",  # account operators
    "AS": "S-1-18-1",  # authentication authority asserted identity
    "AU": "S-1-5-11",  # authenticated users
    "BA": "S-1-5-32-544",  # administrators
    "BG": "S-1-5-32-546",  # guests
    "BO": "S-1-5-32-551",  # backup operators
    "BU": "S-1-5-32-545",  # users
    "CD": "S-1-5-32-574",  # certificate service DCOM access
    "CG": "S-1-3-1",  # creator group
    "CO": "S-1-3-0",  # creator owner
    "CY": "S-1-5-32-569",  # cryptographic operators
    "ED": "S-1-5-9",  # enterprise domain controllers
    "ER": "S-1-5-32-573",  # event log readers
    "ES": "S-1-5-32-576",  # RDS endpoint servers
    "HA": "S-1-5-32-578",  # Hyper-V administrators
    "HI": "S-1-16-12288",  # high integrity
    "IS": "S-1-5-32-568",  # IIS users
    "IU": "S-1-5-4",  # interactive
    "LS": "S-1-5-19",  # local service
    "LU": "S-1-5-32-559",  # performance log users
    "LW": "S-1-16-4096",  # low integrity
    "ME": "S-1-16-8192",  # medium integrity
    "MP": "S-1-16-8448",  # medium plus integrity
    "MS": "S-1-5-32-577",  # RDS management servers
    "MU": "S-1-5-32-558",  # performance monitor users
    "NO": "S-1-5-32-556",  # network configuration operators
    "NS": "S-1-5-20",  # network service
    "NU": "S-1-5-2",  # network
    "OW": "S-1-3-4",  # owner rights
    "PO": "S-1-5-32-550",  # print operators
    "PS": "S-1-5-10",  # principal self
    "PU": "S-1-5-32-547",  # power users
    "RA": "S-1-5-32-575",  # RDS remote access servers
    "RC": "S-1-5-12",  # restricted code
    "RD": "S-1-5-32-555",  # remote desktop users
    "RE": "S-1-5-32-552",  # replicator
    "RM": "S-1-5-32-580",  # remote management users
    "RU": "S-1-5-32-554",  # pre-Windows 2000 compatible access
    "SI": "S-1-16-16384",  # system integrity
    "SO": "S-1-5-32-549",  # server operators
    "SS": "S-1-18-2",  # service asserted identity
    "SU": "S-1-5-6",  # service
    "SY": SYSTEM,  # local system
    "UD": "S-1-5-84-0-0-0-0-0",  # user-mode drivers
    "WD": "S-1-1-0",  # everyone
    "WR": "S-1-5-33",  # write restricted
}

# Relative to a domain or to the machine's own account domain, which an image does not have yet.
DOMAIN_RELATIVE = frozenset(
    {"AP", "CA", "CN", "DA", "DC", "DD", "DG", "DU", "EA", "EK", "KA"}
    | {"LA", "LG", "PA", "RO", "RS", "SA"}
)


def sid_bytes(text: str) -> bytes:
    """Give the bytes of a SID written as `S-1-…` or as a two-letter name.

    Raises UnsupportedPackage for what is no SID and for names that are relative to a domain.
    """
    name = text.upper()
    if name in DOMAIN_RELATIVE:
        refuse(f"the SID {text!r} is relative to a domain, which an image does not have")
    match = SID_PATTERN.fullmatch(WELL_KNOWN.get(name, text))
    if match is None:
        refuse(f"{text[:80]!r} is no SID")
    authority = int(match["authority"], 0) if "x" in match["authority"] else int(match["authority"])
    parts = [int(part) for part in match["rest"].split("-")[1:]]
    if (
        authority > _MAX_AUTHORITY
        or not 1 <= len(parts) <= _MAX_SUB_AUTHORITIES
        or any(part > _MAX_SUB_AUTHORITY for part in parts)
    ):
        refuse(f"{text[:80]!r} is no SID")
    head = bytes((1, len(parts))) + authority.to_bytes(6, "big")
    return head + struct.pack(f"<{len(parts)}I", *parts)
