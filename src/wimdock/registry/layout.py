"""The bytes of a registry hive (regf), versions 1.3 to 1.6.

Everything is little-endian. A hive is a base block of 4096 bytes and a row of bins; a bin is a
header and a row of cells; a cell is a signed size (negative while it is in use) and its content.
What points to a cell holds its offset from the first bin. Field names follow the Windows kernel's.
Source: the format as observed in hives that Windows wrote, and public descriptions of it.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

U16 = Struct("<H")
I32 = Struct("<i")
U32 = Struct("<I")
U64 = Struct("<Q")

NIL = 0xFFFF_FFFF
"""The offset that points to nothing."""
PAGE = 4096
"""Bins are multiples of it; the base block is one."""
BASE = PAGE
"""Where the first bin lies in the file."""
MAX_BINS = 0x7FFF_F000
"""All bins together: offsets with the top bit set mean volatile storage."""

BASE_BLOCK = Struct("<4sIIQIIIIIII64s")
BASE_SIGNATURE = b"regf"
BASE_SEQUENCES = 4
BASE_WRITTEN = 12
BASE_BINS_SIZE = 40
BASE_CHECKSUM = 508
CHECKED_WORDS = Struct("<127I")
SUPPORTED_MINORS = range(3, 7)


class BaseBlock(NamedTuple):
    """The fields at the start of the file, in order."""

    signature: bytes
    primary_sequence: int
    secondary_sequence: int
    written: int
    major: int
    minor: int
    kind: int
    format: int
    root: int
    bins_size: int
    clustering: int
    file_name: bytes


BIN = Struct("<4sIIQQI")
BIN_SIGNATURE = b"hbin"
BIN_HEADER = BIN.size

CELL_HEADER = 4
CELL_UNIT = 8

KEY = Struct("<2sHQ10IHH4IHH")
KEY_SIGNATURE = b"nk"
KEY_FLAGS = 2
KEY_WRITTEN = 4
KEY_PARENT = 16
KEY_SUBKEY_COUNT = 20
KEY_SUBKEY_LIST = 28
KEY_VALUE_COUNT = 36
KEY_VALUE_LIST = 40
KEY_SECURITY = 44
KEY_CLASS = 48
KEY_MAX_NAME = 52
KEY_MAX_CLASS = 56
KEY_MAX_VALUE_NAME = 60
KEY_MAX_VALUE_DATA = 64
KEY_CLASS_LENGTH = 74

KEY_IS_ROOT = 0x04
KEY_NO_DELETE = 0x08
KEY_IS_LINK = 0x10
LINK_VALUE = "SymbolicLinkValue"
KEY_ASCII_NAME = 0x20
KEY_PREDEFINED = 0x40


class KeyNode(NamedTuple):
    """A key's cell, in order; its name follows. Name lengths are in bytes of UTF-16.

    `volatile_*` are what the kernel left of keys that were never meant for the disk. For a key with
    KEY_PREDEFINED the value count holds something else and there are no values. Since Windows
    Vista `max_name` has its upper half for flags (`extra_flags`).
    """

    signature: bytes
    flags: int
    written: int
    access: int
    parent: int
    subkey_count: int
    volatile_count: int
    subkey_list: int
    volatile_list: int
    value_count: int
    value_list: int
    security: int
    class_name: int
    max_name: int
    extra_flags: int
    max_class: int
    max_value_name: int
    max_value_data: int
    work: int
    name_length: int
    class_length: int


LIST_HEADER = Struct("<2sH")
LIST_HASHED = b"lh"
LIST_HINTED = b"lf"
LIST_PLAIN = b"li"
LIST_ROOT = b"ri"
MINOR_WITH_HASHES = 5
MAX_LEAF = 1012
"""Keys in one leaf: the capacity that leaves have in hives that Windows wrote."""
MAX_LIST = 0xFFFF

VALUE = Struct("<2sHIIIHH")
VALUE_SIGNATURE = b"vk"
VALUE_SIZE = 4
VALUE_ASCII_NAME = 0x01
VALUE_RESIDENT = 0x8000_0000
RESIDENT_MAX = 4

BIG_DATA = Struct("<2sHI")
BIG_SIGNATURE = b"db"
BIG_SEGMENT = 16344
"""Bytes of data in each segment but the last; a longer value is stored in segments."""
MINOR_WITH_BIG_DATA = 4

SECURITY = Struct("<2sHIIII")
SECURITY_SIGNATURE = b"sk"
SECURITY_NEXT = 4
SECURITY_PREVIOUS = 8
SECURITY_REFERENCES = 12

MAX_KEY_NAME = 255
MAX_VALUE_NAME = 16383
MAX_DEPTH = 512
MAX_CLASS = 0xFFFE

# These hold the numbers above together.
_SIZES = {BASE_BLOCK: 112, BIN: 32, KEY: 76, LIST_HEADER: 4, VALUE: 20, BIG_DATA: 8, SECURITY: 20}
assert all(layout.size == size for layout, size in _SIZES.items())  # noqa: S101
assert CHECKED_WORDS.size == BASE_CHECKSUM  # noqa: S101
