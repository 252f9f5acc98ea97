"""Expanding a patch: literal bytes, and copies from the basis and from what came out before.

Basis and output form one window, the output right behind the basis; a copy may start anywhere in it
before the current position and may reach into itself. A copy says where it starts

- as a distance back from the current position,
- as one of the three last distances, the most recent one first,
- as an offset from the place in the basis that the rift table gives, or
- as exactly that place, followed through every stretch of the rift table that it crosses.

Every step makes at least one byte, so that time is bounded by the size of the output.
"""

from __future__ import annotations

from wimdock.delta.bits import BitReader
from wimdock.delta.blocks import read_blocks
from wimdock.delta.faults import Fault, malformed
from wimdock.delta.layout import LITERALS
from wimdock.delta.prefix_code import LENGTH_BITS, LENGTH_MASK
from wimdock.delta.rift import NEVER, RiftTable

_REFILL_BYTES = 32
_BITS_OF_STEP = 16 + 32 + 16 + 16 + 55
_ALIGNED_BITS = 4

# Kinds of copies, as the main symbol tells them.
_SLOT_EXACT = 3
_SLOT_RECENT = 4
_SLOT_FAR = 7
_SLOT_NEAR = 8
_SLOT_SCALED = 11

# Offsets from the place of the rift table: bits, their zero, and what the smaller ones took.
_OFFSETS = ((14, 0x2000, 0), (16, 0x8000, 0x2000), (18, 0x20000, 0xA000))

# Far slots: by the next two bits, how many bits to drop, how many to take, and the first slot.
_FAR_SLOTS = ((1, 2, 43), (2, 3, 47), (1, 2, 43), (2, 4, 55))

_LONG_LENGTH = 8
_MOST_LENGTH_BITS = 31


def expand(patch: bytes, basis: bytes, target_size: int) -> bytes:
    """Give the `target_size` bytes that a patch makes from a basis; DeltaError where it cannot."""
    if not target_size:
        return b""
    reader = BitReader(patch)
    rifts = RiftTable.read(reader, len(basis))
    return _Expansion(reader, rifts, basis, target_size).run()


class _Expansion:
    """The window while it grows."""

    __slots__ = ("blocks", "end", "reader", "rifts", "window")

    def __init__(self, reader: BitReader, rifts: RiftTable, basis: bytes, target_size: int) -> None:
        self.reader = reader
        self.rifts = rifts
        self.blocks = read_blocks(reader, target_size)
        self.window = bytearray(basis)
        self.end = len(basis) + target_size

    def run(self) -> bytes:
        """Expand the whole patch and give what lies behind the basis."""
        basis_size = len(self.window)
        self._expand_blocks()
        if self.reader.position > self.reader.end:
            raise malformed(Fault.TRUNCATED)
        with memoryview(self.window) as window:
            return bytes(window[basis_size:])

    def _expand_blocks(self) -> None:  # noqa: C901, PLR0912, PLR0915 - see below
        """Fill the window up to its end.

        One long function, because a call for each symbol would cost more than decoding it: the
        next bits of the patch are in `bits`, `have` of them; whoever takes some first makes sure
        that there are enough. What lies behind the patch counts as zeros; `run` finds out when too
        many of them were taken.
        """
        reader, rifts, blocks, end = self.reader, self.rifts, self.blocks, self.end
        window, copy = self.window, self._copy
        append, from_bytes = window.append, int.from_bytes
        data = reader.data + bytes(2 * _REFILL_BYTES)
        limit = len(data)
        at = reader.position >> 3
        bits = data[at] >> (reader.position & 7)
        have = 8 - (reader.position & 7)
        at += 1
        last = second = third = 0
        position = len(window)
        block = -1
        following = 0
        main = length_table = aligned_table = [0]
        main_mask = length_mask = aligned_mask = 0
        while position < end:
            if position >= following or block < 0:
                block += 1
                while block + 1 < len(blocks) and position >= blocks[block + 1].start:
                    block += 1
                following = blocks[block + 1].start if block + 1 < len(blocks) else NEVER
                codes = blocks[block].codes()
                main, main_mask = codes.main.table, codes.main.mask
                length_table, length_mask = codes.length.table, codes.length.mask
                aligned_table, aligned_mask = codes.aligned.table, codes.aligned.mask
            shift, edge = rifts.stretch(position)
            edge = min(edge, following, end)
            while position < edge:
                if have < _BITS_OF_STEP:
                    if at >= limit:
                        raise malformed(Fault.TRUNCATED)
                    bits |= from_bytes(data[at : at + _REFILL_BYTES], "little") << have
                    at += _REFILL_BYTES
                    have += 8 * _REFILL_BYTES
                entry = main[bits & main_mask]
                if entry < 0:
                    raise malformed(Fault.MISSING_CODE)
                width = entry & LENGTH_MASK
                bits >>= width
                have -= width
                symbol = entry >> LENGTH_BITS
                if symbol < LITERALS:
                    append(symbol)
                    position += 1
                    continue

                # Where the copy starts.
                slot = (symbol - LITERALS) >> 3
                if slot == _SLOT_FAR:
                    drop, width, slot = _FAR_SLOTS[bits & 3]
                    slot += bits >> drop & ((1 << width) - 1)
                    width += drop
                    bits >>= width
                    have -= width
                if slot >= _SLOT_SCALED:
                    width = (slot - _SLOT_SCALED >> 1) + 1
                    distance = 2 | slot - _SLOT_SCALED & 1
                    if width < _ALIGNED_BITS:
                        distance = distance << width | bits & ((1 << width) - 1)
                        bits >>= width
                        have -= width
                    else:
                        width -= _ALIGNED_BITS
                        distance = distance << width | bits & ((1 << width) - 1)
                        bits >>= width
                        have -= width
                        entry = aligned_table[bits & aligned_mask]
                        if entry < 0:
                            raise malformed(Fault.MISSING_CODE)
                        width = entry & LENGTH_MASK
                        bits >>= width
                        have -= width
                        distance = distance << _ALIGNED_BITS | entry >> LENGTH_BITS
                elif slot >= _SLOT_NEAR:
                    distance = slot - _SLOT_FAR
                elif slot >= _SLOT_RECENT:
                    distance = (last, second, third)[slot - _SLOT_RECENT]
                elif slot == _SLOT_EXACT:
                    distance = -shift
                else:
                    width, zero, taken = _OFFSETS[slot]
                    offset = (bits & ((1 << width) - 1)) - zero
                    bits >>= width
                    have -= width
                    distance = offset + (taken if offset >= 0 else -taken) - shift

                # How long it is.
                count = (symbol & 7) + 1
                if count == 1:
                    entry = length_table[bits & length_mask]
                    if entry < 0:
                        raise malformed(Fault.MISSING_CODE)
                    width = entry & LENGTH_MASK
                    bits >>= width
                    have -= width
                    count = entry >> LENGTH_BITS
                    if not count:
                        width = (bits & -bits).bit_length() + _LONG_LENGTH - 1
                        if not _LONG_LENGTH <= width <= _MOST_LENGTH_BITS:
                            raise malformed(Fault.COPY_LENGTH)
                        bits >>= width - _LONG_LENGTH + 1
                        count = 1 << width | bits & ((1 << width) - 1)
                        bits >>= width
                        have -= 2 * width - _LONG_LENGTH + 1
                    count += _LONG_LENGTH
                if position + count > end:
                    raise malformed(Fault.OVERLONG)

                if slot == _SLOT_EXACT:
                    self._follow(count)
                else:
                    copy(distance, count)
                position += count
                if distance != last:
                    if distance != second:
                        third = second
                    second = last
                    last = distance
        reader.position = 8 * at - have

    def _follow(self, count: int) -> None:
        """Copy `count` bytes from exactly where the rift table leads, stretch by stretch."""
        while count:
            position = len(self.window)
            shift, after = self.rifts.stretch(position)
            part = min(count, after - position)
            self._copy(-shift, part)
            count -= part

    def _copy(self, distance: int, count: int) -> None:
        window = self.window
        start = len(window) - distance
        if distance <= 0 or start < 0:
            raise malformed(Fault.COPY_SOURCE)
        if distance >= count:
            window += window[start : start + count]
        else:
            window += (window[start:] * (count // distance + 1))[:count]
