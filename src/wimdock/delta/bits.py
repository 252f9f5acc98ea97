"""A stream of bits, least significant bit first, as every part of a PA30 delta is one."""

from __future__ import annotations

from wimdock.delta.faults import Fault, malformed

_PADDING_BITS = 3
_LONGEST_NUMBER_PREFIX = 16
_SIGN_BIT = 63


class BitReader:
    """Reads bits, numbers and buffers from one stream.

    The first three bits of a stream say how many bits of its last byte do not count. Whatever
    would reach past the end raises DeltaError; nothing else is raised.
    """

    __slots__ = ("data", "end", "position")

    def __init__(self, data: bytes) -> None:
        """Open the stream; `position` and `end` count bits from its first byte."""
        if not data:
            raise malformed(Fault.TRUNCATED)
        self.data = data
        self.position = _PADDING_BITS
        self.end = 8 * len(data) - (data[0] & 7)
        if self.end < self.position:
            raise malformed(Fault.TRUNCATED)

    @property
    def remaining(self) -> int:
        """How many bits are left."""
        return self.end - self.position

    def peek(self, width: int) -> int:
        """Give the next `width` bits without taking them, zeros past the end."""
        start = self.position
        chunk = self.data[start >> 3 : (start + width + 7) >> 3]
        return (int.from_bytes(chunk, "little") >> (start & 7)) & ((1 << width) - 1)

    def skip(self, width: int) -> None:
        """Take `width` bits without looking at them."""
        self.position += width
        if self.position > self.end:
            raise malformed(Fault.TRUNCATED)

    def read(self, width: int) -> int:
        """Take `width` bits."""
        value = self.peek(width)
        self.skip(width)
        return value

    def number(self) -> int:
        """Take a number below 2**64: a unary count of nibbles, then the nibbles."""
        prefix = self.peek(_LONGEST_NUMBER_PREFIX)
        if not prefix:
            if self.remaining < _LONGEST_NUMBER_PREFIX:
                raise malformed(Fault.TRUNCATED)
            raise malformed(Fault.LONG_NUMBER)
        nibbles = (prefix & -prefix).bit_length()
        self.skip(nibbles)
        return self.read(4 * nibbles)

    def size(self) -> int:
        """Take a number that must not be negative when read as signed, 64 bits wide."""
        value = self.number()
        if value >> _SIGN_BIT:
            raise malformed(Fault.NEGATIVE_SIZE)
        return value

    def buffer(self) -> bytes:
        """Take a buffer: its size, then its bytes from the next whole byte on."""
        size = self.number()
        start = (self.position + 7) >> 3
        if 8 * (start + size) > self.end:
            raise malformed(Fault.TRUNCATED)
        self.position = 8 * (start + size)
        return self.data[start : start + size]
