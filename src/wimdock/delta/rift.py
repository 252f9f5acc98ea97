"""The rift table: for each stretch of the output, where in the basis its counterpart begins.

Positions count from the start of the basis; the output follows it immediately. Every table has at
least one entry, made by the decoder: the first byte of the output lies opposite the first byte of
the basis.
"""

from __future__ import annotations

from bisect import bisect_right

from wimdock.delta.bits import BitReader
from wimdock.delta.faults import Fault, malformed
from wimdock.delta.prefix_code import PrefixCode

MOST_ENTRIES = 65_536
"""More than this is refused: no RAW delta of Microsoft's seen so far has any at all."""

NEVER = 1 << 63

_SIGN_SYMBOLS = 126
_NUMBER_SYMBOLS = 2 * _SIGN_SYMBOLS
_SMALLEST_CODED = 4


class NumberCode:
    """A code for signed numbers: 126 symbols for those from 0 up, 126 for those below."""

    __slots__ = ("_code",)

    def __init__(self, reader: BitReader) -> None:
        """Read the lengths of the code.

        Some lengths stand there one by one; all others have one common length, or from some
        symbol on one bit less.
        """
        explicit_up = reader.read(8)
        explicit_down = reader.read(8)
        longer = reader.read(8)
        if explicit_up > _SIGN_SYMBOLS or explicit_down > _SIGN_SYMBOLS:
            raise malformed(Fault.INCOMPLETE_CODE)
        others = _NUMBER_SYMBOLS - explicit_up - explicit_down
        if longer > others:
            raise malformed(Fault.INCOMPLETE_CODE)
        up = [reader.read(4) + 1 for _ in range(explicit_up)]
        down = [reader.read(4) + 1 for _ in range(explicit_down)]
        common = reader.read(4) + 1
        rest = [common] * longer + [common - 1] * (others - longer)
        split = _SIGN_SYMBOLS - explicit_up
        lengths = up + rest[:split] + down + rest[split:]
        if not any(lengths):
            raise malformed(Fault.MISSING_CODE)
        self._code = PrefixCode(lengths)

    def read(self, reader: BitReader) -> int:
        """Take one number."""
        symbol = self._code.read(reader)
        below_zero = symbol >= _SIGN_SYMBOLS
        if below_zero:
            symbol -= _SIGN_SYMBOLS
        if symbol < _SMALLEST_CODED:
            magnitude = symbol
        else:
            width = (symbol >> 1) - 1
            magnitude = (2 | symbol & 1) << width | reader.read(width)
        return ~magnitude if below_zero else magnitude


class RiftTable:
    """Stretches of positions, each with the shift that leads to its counterpart in the basis."""

    __slots__ = ("_shifts", "_starts")

    def __init__(self, entries: list[tuple[int, int]], basis_size: int) -> None:
        """Take (start, shift) pairs in any order and add the entry of the output's first byte.

        A position before the first entry belongs to the last one. Where several entries have the
        same start, the one given last counts, and the added one counts above all.
        """
        ordered = sorted([*entries, (basis_size, -basis_size)], key=lambda entry: entry[0])
        self._starts = [start for start, _ in ordered]
        self._shifts = [shift for _, shift in ordered]

    @classmethod
    def read(cls, reader: BitReader, basis_size: int) -> RiftTable:
        """Read a table from the start of a patch."""
        entries: list[tuple[int, int]] = []
        if reader.read(1):
            starts = NumberCode(reader)
            shifts = NumberCode(reader)
            count = reader.number()
            if count > MOST_ENTRIES or count > reader.remaining:
                raise malformed(Fault.RIFT_COUNT)
            start = shift = 0
            for _ in range(count):
                start += starts.read(reader)
                shift += shifts.read(reader)
                entries.append((start, shift))
        return cls(entries, basis_size)

    def stretch(self, position: int) -> tuple[int, int]:
        """Give the shift that holds at a position, and the position from which on another does."""
        index = bisect_right(self._starts, position)
        after = self._starts[index] if index < len(self._starts) else NEVER
        return self._shifts[index - 1], after
