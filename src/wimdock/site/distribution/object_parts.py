"""The parts of an upload to an object store. Pure.

An object is never changed, only made anew. S3 makes one of parts of at least 5 MiB (but the last)
and at most 5 GiB, 10,000 of them; a part is sent, or copied by the store from the object as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

SMALLEST_PART = 5 << 20
LARGEST_COPY = 5 << 30
MOST_PARTS = 10_000
PART = 16 << 20
"""So many bytes has a part that is sent, unless the file needs larger ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end` of the new object, sent, or copied from the same place of the old."""

    number: int
    start: int
    end: int
    copied: bool = False

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


def plan_parts(length: int, base: int, part: int = PART) -> list[Part]:
    """Give the parts of an object of `length` bytes that shares the first `base` with the old one.

    The header differs, so the first part is always sent, with the least bytes that S3 takes. Where
    the rest of what is shared is too short for a part, all is sent.
    """
    first = SMALLEST_PART
    ranges: list[tuple[int, int, bool]]
    if base - first < SMALLEST_PART:
        ranges = _sent(0, length, part)
    else:
        ranges = [(0, first, False), *_copied(first, base), *_sent(base, length, part)]
    return [Part(number, *each) for number, each in enumerate(ranges, start=1)]


def _copied(start: int, end: int) -> list[tuple[int, int, bool]]:
    pieces = -(-(end - start) // LARGEST_COPY)
    cuts = [start + (end - start) * number // pieces for number in range(pieces + 1)]
    return [(cut, cuts[number + 1], True) for number, cut in enumerate(cuts[:-1])]


def _sent(start: int, end: int, part: int) -> list[tuple[int, int, bool]]:
    # A tenth of the parts is left to those that are copied.
    fewest = -(-(end - start) * 10 // (MOST_PARTS * 9))
    size = max(part, -(-fewest // SMALLEST_PART) * SMALLEST_PART if fewest > part else part)
    return [(at, min(at + size, end), False) for at in range(start, end, size)]
