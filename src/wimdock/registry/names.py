"""Names of keys and values: how they are compared, hashed and stored.

A name is stored in Latin-1 where every character fits, else in UTF-16. They are compared as
`wimdock.upcase` does.
"""

from __future__ import annotations

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.layout import MAX_KEY_NAME, MAX_VALUE_NAME
from wimdock.upcase import fold

_LATIN_1 = 0xFF


def name_hash(name: str) -> int:
    """Give the hash that an `lh` list keeps for a key's name."""
    value = 0
    for char in fold(name):
        value = (value * 37 + ord(char)) & 0xFFFF_FFFF
    return value


def name_hint(name: str) -> bytes:
    """Give the four bytes that an `lf` list keeps for a key's name."""
    head = name[:4]
    if any(ord(char) > _LATIN_1 for char in head):
        return bytes(4)
    return head.encode("latin-1").ljust(4, b"\0")


def encode_name(name: str) -> tuple[bytes, bool]:
    """Give a name's bytes and whether they are Latin-1 (else UTF-16)."""
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return encode_utf16(name), False


def decode_name(raw: bytes | bytearray, latin_1: bool) -> str:  # noqa: FBT001
    """Read a name; a lone surrogate is kept, so that the name can be written back."""
    if latin_1:
        return raw.decode("latin-1")
    return decode_utf16(raw)


def encode_utf16(text: str) -> bytes:
    """Give UTF-16 without a mark and without an end."""
    return text.encode("utf-16-le", "surrogatepass")


def decode_utf16(raw: bytes | bytearray) -> str:
    """Read UTF-16; raise MalformedHive where half a code unit is left over."""
    try:
        return raw.decode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError as error:
        message = "a name in the hive is cut in the middle of a character"
        raise MalformedHive(message) from error


def utf16_size(name: str) -> int:
    """Give the bytes that a name takes in UTF-16, in which the hive states lengths."""
    return len(name) * 2 if name.isascii() else len(encode_utf16(name))


def check_key_name(name: str) -> None:
    """Raise RegistryError unless a new key can have this name."""
    if not name or "\\" in name or "\0" in name or utf16_size(name) > 2 * MAX_KEY_NAME:
        message = f"{name[:80]!r} cannot be the name of a registry key"
        raise RegistryError(
            message, hint=rf"A key's name has 1 to {MAX_KEY_NAME} characters, no \ and no NUL."
        )


def check_value_name(name: str) -> None:
    """Raise RegistryError unless a new value can have this name."""
    if utf16_size(name) > 2 * MAX_VALUE_NAME:
        message = f"the name of a registry value is too long ({len(name)} characters)"
        raise RegistryError(message, hint=f"It has at most {MAX_VALUE_NAME} characters.")
