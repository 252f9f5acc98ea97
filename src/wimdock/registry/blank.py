"""A hive with nothing in it but a root key."""

from __future__ import annotations

from struct import pack

from wimdock.errors import RegistryError
from wimdock.registry.allocator import cell_size
from wimdock.registry.base_block import checksum
from wimdock.registry.layout import (
    BASE_BLOCK,
    BASE_CHECKSUM,
    BASE_SIGNATURE,
    BIN,
    BIN_HEADER,
    BIN_SIGNATURE,
    CELL_HEADER,
    I32,
    KEY,
    KEY_ASCII_NAME,
    KEY_IS_ROOT,
    KEY_NO_DELETE,
    NIL,
    PAGE,
    SECURITY,
    SECURITY_SIGNATURE,
    U32,
    BaseBlock,
)
from wimdock.registry.names import encode_utf16
from wimdock.registry.node import new_node

_ROOT_NAME = b"ROOT"
_FILE_NAME = 64
_MINOR = 5

_ALL_ACCESS = 0x000F_003F
_READ = 0x0002_0019
_TO_SUBKEYS = 0x02
_SYSTEM = bytes.fromhex("010100000000000512000000")
_ADMINISTRATORS = bytes.fromhex("01020000000000052000000020020000")
_USERS = bytes.fromhex("01020000000000052000000021020000")


def _default_security() -> bytes:
    """Give O:BAG:SYD:(A;CI;KA;;;BA)(A;CI;KA;;;SY)(A;CI;KR;;;BU) ([MS-DTYP] 2.4.6)."""
    granted = ((_ADMINISTRATORS, _ALL_ACCESS), (_SYSTEM, _ALL_ACCESS), (_USERS, _READ))
    entries = b"".join(
        pack("<BBHI", 0, _TO_SUBKEYS, 8 + len(sid), mask) + sid for sid, mask in granted
    )
    acl = pack("<BBHHH", 2, 0, 8 + len(entries), len(granted), 0) + entries
    owner = 20
    group = owner + len(_ADMINISTRATORS)
    dacl = group + len(_SYSTEM)
    return pack("<BBHIIII", 1, 0, 0x8004, owner, group, 0, dacl) + _ADMINISTRATORS + _SYSTEM + acl


def _cell(content: bytes) -> bytes:
    size = cell_size(len(content))
    return I32.pack(-size) + content.ljust(size - CELL_HEADER, b"\0")


def blank_hive(name: str, written: int) -> bytes:
    """Give the bytes of a hive of version 1.5 with a root key; `written` is a FILETIME."""
    file_name = encode_utf16(name)
    if len(file_name) > _FILE_NAME:
        message = f"the name of a hive is too long: {name!r}"
        raise RegistryError(message, hint=f"It has at most {_FILE_NAME // 2} characters.")
    root = BIN_HEADER
    security = root + cell_size(KEY.size + len(_ROOT_NAME))
    descriptor = _default_security()
    node = new_node(
        flags=KEY_IS_ROOT | KEY_NO_DELETE | KEY_ASCII_NAME,
        written=written,
        parent=NIL,
        security=security,
        name_length=len(_ROOT_NAME),
    )
    secured = SECURITY.pack(SECURITY_SIGNATURE, 0, security, security, 1, len(descriptor))
    used = _cell(KEY.pack(*node) + _ROOT_NAME) + _cell(secured + descriptor)
    free = PAGE - BIN_HEADER - len(used)
    bins = BIN.pack(BIN_SIGNATURE, 0, PAGE, 0, 0, 0) + used + I32.pack(free)
    block = BaseBlock(
        signature=BASE_SIGNATURE,
        primary_sequence=1,
        secondary_sequence=1,
        written=written,
        major=1,
        minor=_MINOR,
        kind=0,
        format=1,
        root=root,
        bins_size=PAGE,
        clustering=1,
        file_name=file_name,
    )
    base = bytearray(PAGE)
    BASE_BLOCK.pack_into(base, 0, *block)
    U32.pack_into(base, BASE_CHECKSUM, checksum(base))
    return bytes(base) + bins.ljust(PAGE, b"\0")
