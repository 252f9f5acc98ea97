"""The blocks of a patch: from which position of the output on which codes hold."""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.delta.bits import BitReader
from wimdock.delta.faults import Fault, malformed
from wimdock.delta.layout import (
    ALIGNED_SYMBOLS,
    BLOCK_SYMBOLS,
    LENGTH_SYMBOLS,
    LONGEST_CODE,
    MAIN_SYMBOLS,
    PRETREE_SYMBOLS,
)
from wimdock.delta.prefix_code import PrefixCode, flat_lengths

BLOCKS_ALWAYS_ALLOWED = 64
BYTES_PER_FURTHER_BLOCK = 4096
"""A patch may have 64 blocks and one more for each 4 KiB it makes, so that the codes of a hostile
delta take no more memory and time than its output does."""

_FIRST_RISE = 17
_FIRST_FALL = 20
_FIRST_RUN = 23
_FIRST_COPY = 31
_SHORT_RUNS = 3


@dataclass(frozen=True, slots=True)
class Codes:
    """The three codes that hold in one block."""

    main: PrefixCode
    length: PrefixCode
    aligned: PrefixCode


@dataclass(frozen=True, slots=True)
class Block:
    """Where a block starts (positions count from the start of the basis) and its code lengths."""

    start: int
    lengths: bytes

    def codes(self) -> Codes:
        """Make the codes; DeltaError where the lengths make none."""
        aligned = MAIN_SYMBOLS + LENGTH_SYMBOLS
        main = PrefixCode(self.lengths[:MAIN_SYMBOLS])
        if main.is_empty:
            raise malformed(Fault.MISSING_CODE)
        return Codes(
            main,
            PrefixCode(self.lengths[MAIN_SYMBOLS:aligned]),
            PrefixCode(self.lengths[aligned:]),
        )


def read_blocks(reader: BitReader, target_size: int) -> list[Block]:
    """Read the blocks of a patch, at least one; the first one holds from the start."""
    if reader.read(1):
        return [Block(0, _FLAT)]
    count = reader.number()
    if not 0 < count <= BLOCKS_ALWAYS_ALLOWED + target_size // BYTES_PER_FURTHER_BLOCK:
        raise malformed(Fault.BLOCK_COUNT)
    starts = []
    start = 0
    for _ in range(count):
        start += reader.size()
        starts.append(start)
    pretree = PrefixCode([reader.read(4) for _ in range(PRETREE_SYMBOLS)])
    blocks = []
    lengths = bytes(BLOCK_SYMBOLS)
    for start in starts:
        lengths = _read_lengths(reader, pretree, lengths)
        blocks.append(Block(start, lengths))
    return blocks


def _read_lengths(reader: BitReader, pretree: PrefixCode, before: bytes) -> bytes:
    """Read the code lengths of one block, said relative to those of the block before."""
    lengths = bytearray()
    while (index := len(lengths)) < BLOCK_SYMBOLS:
        symbol = pretree.read(reader)
        if symbol < _FIRST_RISE:
            lengths.append(symbol)
        elif symbol < _FIRST_RUN:
            length = before[index] + _change(symbol)
            if not 0 <= length <= LONGEST_CODE:
                raise malformed(Fault.LONG_CODE)
            lengths.append(length)
        else:
            run = _read_run(reader, (symbol - _FIRST_RUN) & 7)
            if index + run > BLOCK_SYMBOLS:
                raise malformed(Fault.BLOCK_LENGTHS)
            if symbol >= _FIRST_COPY:
                lengths += before[index : index + run]
            elif index:
                lengths += lengths[-1:] * run
            else:
                raise malformed(Fault.BLOCK_REPEATS)
    return bytes(lengths)


def _change(symbol: int) -> int:
    """Give by how much a code is longer than in the block before: 1 to 3 bits, or -1 to -3."""
    if symbol < _FIRST_FALL:
        return symbol - _FIRST_RISE + 1
    return _FIRST_FALL - symbol - 1


def _read_run(reader: BitReader, kind: int) -> int:
    """Give the length of a run: 1 to 3 by its kind alone, up to 127 with more bits."""
    if kind < _SHORT_RUNS:
        return kind + 1
    return 1 << (kind - 1) | reader.read(kind - 1)


_FLAT = bytes(
    flat_lengths(MAIN_SYMBOLS) + flat_lengths(LENGTH_SYMBOLS) + flat_lengths(ALIGNED_SYMBOLS)
)
