"""Layout of a WIM file: struct formats, constants and flags, in the order of the specification.

Source: Microsoft's "Windows Imaging File Format (WIM)" white paper, and facts recorded in
`docs/internals/wim.md`. All integers are little-endian.
"""

from __future__ import annotations

import struct

HEADER = struct.Struct("<8sIIII16sHHI24s24s24sI24s60s")
HEADER_SIZE = 208
MAGIC = b"MSWIM\0\0\0"
MAGIC_PIPABLE = b"WLPWM\0\0\0"
VERSION_PLAIN = 0x10D00
VERSION_SOLID = 0xE00

FLAG_COMPRESSION = 0x00000002
FLAG_READONLY = 0x00000004
FLAG_SPANNED = 0x00000008
FLAG_RESOURCE_ONLY = 0x00000010
FLAG_METADATA_ONLY = 0x00000020
FLAG_WRITE_IN_PROGRESS = 0x00000040
FLAG_RP_FIX = 0x00000080
FLAG_XPRESS = 0x00020000
FLAG_LZX = 0x00040000
FLAG_LZMS = 0x00080000
FLAG_XPRESS_2 = 0x00200000

SMALLEST_CHUNK = 1 << 12
LARGEST_CHUNKS = {"xpress": 1 << 16, "lzx": 1 << 21, "lzms": 1 << 30}

RESOURCE = struct.Struct("<QQQ")  # the first holds 56 bits of size and 8 bits of flags
RESOURCE_SIZE = 24
RESOURCE_FREE = 0x01
RESOURCE_METADATA = 0x02
RESOURCE_COMPRESSED = 0x04
RESOURCE_SPANNED = 0x08
RESOURCE_SOLID = 0x10

BLOB = struct.Struct("<QQQHI20s")
BLOB_SIZE = 50
BLOB_PLACE = struct.Struct("<QQ34x")  # size and flags, offset
BLOB_REFERENCES = struct.Struct("<I")
BLOB_REFERENCES_AT = 26
HASH_SIZE = 20
ZERO_HASH = bytes(HASH_SIZE)

SECURITY = struct.Struct("<II")  # total length, count; then one 8-byte size for each

# A directory entry: length, attributes, security ID, offset of the children, 16 unused bytes,
# three FILETIMEs, SHA-1, 4 bytes, reparse tag and flags or hard-link group, counts.
DENTRY = struct.Struct("<QIiQ16sQQQ20s4s8sHHH")
DENTRY_SIZE = 102
DENTRY_OUTLINE = struct.Struct("<QI4xQ64xQH4x")  # what a walk needs: the same, much less
DENTRY_NAMES = struct.Struct("<Q90xHH")  # length, sizes of the short name and the name
DENTRY_LINK = struct.Struct("<Q")
DENTRY_LINK_AT = 88
DENTRY_HASH_AT = 64
DENTRY_SUBDIRECTORY = struct.Struct("<Q")
DENTRY_SUBDIRECTORY_AT = 16
REPARSE = struct.Struct("<IHH")
STREAM = struct.Struct("<QQ20sH")
STREAM_SIZE = 38
END_OF_DIRECTORY = bytes(8)

ATTRIBUTE_DIRECTORY = 0x10
ATTRIBUTE_REPARSE_POINT = 0x400
ATTRIBUTE_ENCRYPTED = 0x4000

LARGEST_REPARSE_DATA = 16 * 1024 - 8  # without the 8-byte header ([MS-FSCC] 2.1.2)

# Bits of the flags beside a reparse tag: the target was not changed when it was captured.
REPARSE_NOT_FIXED = 0x0001

INTEGRITY = struct.Struct("<III")  # size of the table, number of chunks, size of a chunk
INTEGRITY_CHUNK = 10 * 1024 * 1024

if (
    HEADER.size != HEADER_SIZE
    or BLOB.size != BLOB_SIZE
    or DENTRY.size != DENTRY_SIZE
    or DENTRY_OUTLINE.size != DENTRY_SIZE
    or STREAM.size != STREAM_SIZE
    or RESOURCE.size != RESOURCE_SIZE
):
    message = "a struct format does not have the size of its structure"
    raise AssertionError(message)


def aligned(length: int) -> int:
    """Round up to a multiple of 8 bytes."""
    return (length + 7) & ~7
