"""Numbers of the PA30 format: sizes of alphabets, file types, flags, hash algorithms.

`docs/internals/delta.md` says where each of them comes from.
"""

from __future__ import annotations

MAGIC = b"PA30"
MAGIC_OF_OTHERS = {
    b"PA19": "the format PA19 (the LZX delta of older systems)",
    b"PA31": "the format PA31 (the delta of express updates)",
}
TIME_OFFSET = len(MAGIC)
STREAM_OFFSET = TIME_OFFSET + 8

MANIFEST_MAGIC = b"DCM\x01"

LITERALS = 256
MAIN_SYMBOLS = 600
LENGTH_SYMBOLS = 256
ALIGNED_SYMBOLS = 16
BLOCK_SYMBOLS = MAIN_SYMBOLS + LENGTH_SYMBOLS + ALIGNED_SYMBOLS
PRETREE_SYMBOLS = 39
LONGEST_CODE = 16

FILE_TYPES = {
    0x01: "RAW",
    0x02: "I386",
    0x04: "IA64",
    0x08: "AMD64",
    0x10: "CLI4_I386",
    0x20: "CLI4_AMD64",
    0x40: "CLI4_ARM",
    0x80: "CLI4_ARM64",
}
FILE_TYPE_RAW = 0x01
FILE_TYPE_SET_REVERSAL = 0x100

FLAG_E8 = 0x01

HASH_NAMES = {
    0x8003: "md5",
    0x8004: "sha1",
    0x800C: "sha256",
    0x800D: "sha384",
    0x800E: "sha512",
}
