"""The types of registry values, and how their data is encoded (winnt.h)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from wimdock.errors import RegistryError
from wimdock.registry.names import encode_utf16

_MAX_DWORD = 0xFFFF_FFFF
_MAX_QWORD = 0xFFFF_FFFF_FFFF_FFFF


class ValueType(IntEnum):
    """The types that Windows names; a hive may hold any other 32-bit number as well."""

    REG_NONE = 0
    REG_SZ = 1
    REG_EXPAND_SZ = 2
    REG_BINARY = 3
    REG_DWORD = 4
    REG_DWORD_BIG_ENDIAN = 5
    REG_LINK = 6
    REG_MULTI_SZ = 7
    REG_RESOURCE_LIST = 8
    REG_FULL_RESOURCE_DESCRIPTOR = 9
    REG_RESOURCE_REQUIREMENTS_LIST = 10
    REG_QWORD = 11


def _check_no_nul(text: str) -> None:
    if "\0" in text:
        message = f"a registry string cannot hold a NUL: {text[:80]!r}"
        raise RegistryError(message)


def encode_string(text: str) -> bytes:
    """Give the data of a REG_SZ or REG_EXPAND_SZ: UTF-16 with its end."""
    _check_no_nul(text)
    return encode_utf16(text) + b"\0\0"


def encode_strings(texts: Iterable[str]) -> bytes:
    """Give the data of a REG_MULTI_SZ; an empty string would end it and is refused."""
    pieces = []
    for text in texts:
        if not text:
            message = "a list of registry strings cannot hold an empty one"
            raise RegistryError(message)
        pieces.append(encode_string(text))
    return b"".join(pieces) + b"\0\0"


def encode_dword(number: int) -> bytes:
    """Give the data of a REG_DWORD."""
    if not 0 <= number <= _MAX_DWORD:
        message = f"{number} is no 32-bit number"
        raise RegistryError(message)
    return number.to_bytes(4, "little")


def encode_qword(number: int) -> bytes:
    """Give the data of a REG_QWORD."""
    if not 0 <= number <= _MAX_QWORD:
        message = f"{number} is no 64-bit number"
        raise RegistryError(message)
    return number.to_bytes(8, "little")
