"""Upper case as Windows and NTFS know it: the one way in which names are compared.

Two names are equal, and are ordered, by their UTF-16 code units in upper case, after the table that
NTFS volumes carry (Unicode 5.1, no character that would become two). File names, stream names and
the names of registry keys and values all follow it. A test compares all 65,536 code units with
the table of a volume made by mkntfs.
"""

from __future__ import annotations

from functools import lru_cache

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


@lru_cache(maxsize=65536)
def fold(name: str) -> str:
    """Give the form in which equal names are the same string, and which orders as Windows does."""
    if name.isascii():
        return name.upper()
    return "".join(map(_upper_char, name))
