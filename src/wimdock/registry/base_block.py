"""The base block: the first 4096 bytes of a hive, which say whether the rest can be trusted."""

from __future__ import annotations

from wimdock.errors import DirtyHive, MalformedHive
from wimdock.registry.layout import (
    BASE,
    BASE_BINS_SIZE,
    BASE_BLOCK,
    BASE_CHECKSUM,
    BASE_SEQUENCES,
    BASE_SIGNATURE,
    BASE_WRITTEN,
    CHECKED_WORDS,
    MAX_BINS,
    PAGE,
    SUPPORTED_MINORS,
    U32,
    U64,
    BaseBlock,
)

_ALL_ONES = 0xFFFF_FFFF


def checksum(data: bytes | bytearray) -> int:
    """Give the checksum of a base block: its words XORed, never 0 and never all ones."""
    value = 0
    for word in CHECKED_WORDS.unpack_from(data):
        value ^= word
    if value == 0:
        return 1
    return value - 1 if value == _ALL_ONES else value


def read_base_block(data: bytes | bytearray) -> BaseBlock:
    """Read and check the base block of a whole hive.

    Raises MalformedHive, or DirtyHive where the two sequence numbers differ: the kernel sets the
    second one when everything is written.
    """
    if len(data) < BASE + PAGE:
        message = f"{len(data)} bytes are too few for a registry hive"
        raise MalformedHive(message)
    block = BaseBlock(*BASE_BLOCK.unpack_from(data))
    if block.signature != BASE_SIGNATURE:
        message = "the file is no registry hive: it does not begin with regf"
        raise MalformedHive(message)
    if U32.unpack_from(data, BASE_CHECKSUM)[0] != checksum(data):
        message = "the checksum of the hive's base block is wrong"
        raise MalformedHive(message)
    if block.major != 1 or block.minor not in SUPPORTED_MINORS:
        message = f"the hive has version {block.major}.{block.minor}; 1.3 to 1.6 are known"
        raise MalformedHive(message)
    if block.kind != 0 or block.format != 1:
        message = "the file is a registry transaction log, not a hive"
        raise MalformedHive(message)
    if block.primary_sequence != block.secondary_sequence:
        message = (
            f"the hive was not closed cleanly (sequence numbers {block.primary_sequence} "
            f"and {block.secondary_sequence})"
        )
        raise DirtyHive(message)
    size = block.bins_size
    if size < PAGE or size % PAGE or size > MAX_BINS:
        message = f"the hive states an impossible size ({size} bytes of bins)"
        raise MalformedHive(message)
    if size > len(data) - BASE:
        message = f"the hive is cut off: {size} bytes of bins stated, {len(data) - BASE} there"
        raise MalformedHive(message)
    return block


def close_base_block(data: bytearray, bins_size: int, written: int) -> None:
    """Bring the base block up to date after edits: one write further, closed cleanly.

    `written` is a FILETIME.
    """
    sequence = (U32.unpack_from(data, BASE_SEQUENCES)[0] + 1) & 0xFFFF_FFFF
    U32.pack_into(data, BASE_SEQUENCES, sequence)
    U32.pack_into(data, BASE_SEQUENCES + 4, sequence)
    U64.pack_into(data, BASE_WRITTEN, written)
    U32.pack_into(data, BASE_BINS_SIZE, bins_size)
    U32.pack_into(data, BASE_CHECKSUM, checksum(data))
