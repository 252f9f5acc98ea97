"""Canonical prefix codes (Huffman codes), given by the length of each symbol's code.

Longer codes come first: the longest ones count up from zero, and among codes of one length the
symbols keep their order. Codes are sent from their most significant bit on, so that the table,
which is indexed by the next bits of the stream, holds them reversed.
"""

from __future__ import annotations

from collections.abc import Sequence

from wimdock.delta.bits import BitReader
from wimdock.delta.faults import Fault, malformed
from wimdock.delta.layout import LONGEST_CODE

LENGTH_BITS = 5
LENGTH_MASK = (1 << LENGTH_BITS) - 1
NO_SYMBOL = -1

_REVERSED_BYTE = tuple(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class PrefixCode:
    """A table to decode one code.

    `table[bits & mask]` is `symbol << LENGTH_BITS | length`, or negative for bits that mean
    nothing. Those are in a code without symbols, which is allowed as long as nobody reads from it,
    and in one with a single symbol, which is a 0 of one bit. All other codes are complete.
    """

    __slots__ = ("mask", "table")

    def __init__(self, lengths: Sequence[int]) -> None:
        """Make the table; DeltaError where the lengths make no code."""
        longest = max(lengths, default=0)
        if longest > LONGEST_CODE:
            raise malformed(Fault.LONG_CODE)
        self.mask = (1 << longest) - 1
        self.table = [NO_SYMBOL] * (1 << longest)
        if longest:
            self._fill(_first_codes(lengths, longest), lengths, longest)

    def _fill(self, codes: list[int], lengths: Sequence[int], longest: int) -> None:
        table = self.table
        for symbol, length in enumerate(lengths):
            if length:
                code = codes[length]
                codes[length] = code + 1
                start = _REVERSED_BYTE[code & 255] << 8 | _REVERSED_BYTE[code >> 8]
                start >>= LONGEST_CODE - length
                entry = symbol << LENGTH_BITS | length
                table[start :: 1 << length] = [entry] * (1 << (longest - length))

    @property
    def is_empty(self) -> bool:
        """Whether the code has no symbols."""
        return not self.mask

    def read(self, reader: BitReader) -> int:
        """Take one symbol."""
        entry = self.table[reader.peek(LONGEST_CODE) & self.mask]
        if entry < 0:
            raise malformed(Fault.MISSING_CODE)
        reader.skip(entry & LENGTH_MASK)
        return entry >> LENGTH_BITS


def _first_codes(lengths: Sequence[int], longest: int) -> list[int]:
    """Give the first code of each length, by length; DeltaError where the code is not complete."""
    first = [0] * (longest + 1)
    if longest == 1 and sum(lengths) == 1:
        return first
    following = 0
    for length in range(longest, 0, -1):
        first[length] = following
        following += lengths.count(length)
        if following & 1:
            raise malformed(Fault.INCOMPLETE_CODE)
        following >>= 1
    if following != 1:
        raise malformed(Fault.INCOMPLETE_CODE)
    return first


def flat_lengths(symbols: int) -> list[int]:
    """Give the lengths of the code that a delta uses when it sends none: all alike.

    Where `symbols` is no power of two, the first ones are a bit shorter than the last ones.
    """
    longest = (symbols - 1).bit_length()
    shorter = (1 << longest) - symbols
    return [longest - 1] * shorter + [longest] * (symbols - shorter)
