"""Names of keys and values: how they are compared, hashed and stored.

A name is stored in Latin-1 where every character fits, else in UTF-16. Two names are equal, and are
ordered, by their UTF-16 code units in upper case, after the table that Windows upper-cases with
(Unicode 5.1, no character that would become two).
"""

from __future__ import annotations

from functools import lru_cache

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.layout import MAX_KEY_NAME, MAX_VALUE_NAME

_LATIN_1 = 0xFF
_BMP = 0xFFFF

# Letters below U+10000 whose capital came after Unicode 5.1: Windows leaves them as they are.
_LATER = frozenset(
    code
    for first, last in (
        (0x019B, 0x019B),
        (0x023F, 0x0240),
        (0x0252, 0x0252),
        (0x025C, 0x025C),
        (0x0261, 0x0261),
        (0x0264, 0x0266),
        (0x026A, 0x026A),
        (0x026C, 0x026C),
        (0x0282, 0x0282),
        (0x0287, 0x0287),
        (0x029D, 0x029E),
        (0x03F3, 0x03F3),
        (0x0525, 0x052F),
        (0x10D0, 0x10FF),
        (0x13F8, 0x13FD),
        (0x1C8A, 0x1C8A),
        (0x1D8E, 0x1D8E),
        (0x2C5F, 0x2C5F),
        (0x2CEC, 0x2CF3),
        (0x2D27, 0x2D2D),
        (0xA661, 0xA661),
        (0xA699, 0xA69B),
        (0xA78D, 0xABBF),
    )
    for code in range(first, last + 1)
)


@lru_cache(maxsize=4096)
def _upper_char(char: str) -> str:
    if ord(char) > _BMP:
        # Windows sees two surrogates, and surrogates have no case.
        units = char.encode("utf-16-be")
        return chr(units[0] << 8 | units[1]) + chr(units[2] << 8 | units[3])
    if ord(char) in _LATER:
        return char
    upper = char.upper()
    if len(upper) != 1:
        upper = char.title()
    # A letter such as the long s is not the small form of its capital: it stays.
    return upper if len(upper) == 1 and upper.lower() == char else char


def fold(name: str) -> str:
    """Give the form in which equal names are the same string, and which orders as Windows does."""
    if name.isascii():
        return name.upper()
    return "".join(map(_upper_char, name))


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
