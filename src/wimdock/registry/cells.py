"""The bins and cells of a hive: bounds-checked access to one bytearray.

A cell is named by its offset from the first bin. `place` checks a cell and gives where its content
lies in the bytearray; everything that reads a hive goes through it, so that no offset out of a
hostile file reaches the data unchecked.
"""

from __future__ import annotations

from struct import unpack_from

from wimdock.errors import MalformedHive
from wimdock.registry.layout import (
    BASE,
    BIN,
    BIN_HEADER,
    BIN_SIGNATURE,
    CELL_HEADER,
    CELL_UNIT,
    I32,
    PAGE,
    U16,
    U32,
    U64,
)

USED = 1
"""The mark of a cell in use."""
FREE = 2
"""The mark of a free cell."""


class Cells:
    """A hive's bytes, base block first. `end` is where the last bin ends in `data`.

    `marks` has one byte for every 8 of the bins, set where a cell begins; the allocator fills it
    before the first edit. From then on only real cells can be placed, so that an edit writes
    within a cell whatever the file refers to. No memoryview of `data` may be kept: it grows.
    """

    __slots__ = ("data", "end", "marks")

    def __init__(self, data: bytearray, end: int) -> None:
        """Take the bytes; `bins` checks them."""
        self.data = data
        self.end = end
        self.marks: bytearray | None = None

    @property
    def size(self) -> int:
        """The size of all bins together, in bytes."""
        return self.end - BASE

    def bins(self) -> list[tuple[int, int]]:
        """Give offset and size of every bin; raise MalformedHive unless they follow gaplessly."""
        found = []
        offset = 0
        while offset < self.size:
            if self.size - offset < BIN_HEADER:
                message = f"the bin at 0x{offset:X} is cut off"
                raise MalformedHive(message)
            signature, stated, size, *_ = BIN.unpack_from(self.data, BASE + offset)
            if (
                signature != BIN_SIGNATURE
                or stated != offset
                or size < PAGE
                or size % PAGE
                or size > self.size - offset
            ):
                message = f"no valid bin at 0x{offset:X}"
                raise MalformedHive(message)
            found.append((offset, size))
            offset += size
        return found

    def place(self, cell: int, minimum: int, what: str) -> tuple[int, int]:
        """Give where a used cell's content lies in `data` and how long it is.

        Raises MalformedHive unless the cell lies in the bins, is in use and holds `minimum` bytes;
        `what` names it in the message.
        """
        room = self.end - BASE - cell
        if cell % CELL_UNIT or cell < BIN_HEADER or room < CELL_UNIT:
            message = f"the {what} at 0x{cell:X} lies outside the hive"
            raise MalformedHive(message)
        size: int = -I32.unpack_from(self.data, BASE + cell)[0]
        if (
            size < CELL_HEADER + minimum
            or size > room
            or size % CELL_UNIT
            or (self.marks is not None and self.marks[cell // CELL_UNIT] != USED)
        ):
            message = f"the {what} at 0x{cell:X} is no cell in use, or too short"
            raise MalformedHive(message)
        return BASE + cell + CELL_HEADER, size - CELL_HEADER

    def u16(self, at: int) -> int:
        """Read 16 bits at a place that is known to lie in a cell."""
        value: int = U16.unpack_from(self.data, at)[0]
        return value

    def u32(self, at: int) -> int:
        """Read 32 bits at a place that is known to lie in a cell."""
        value: int = U32.unpack_from(self.data, at)[0]
        return value

    def put_u16(self, at: int, value: int) -> None:
        """Write 16 bits."""
        U16.pack_into(self.data, at, value)

    def put_u32(self, at: int, value: int) -> None:
        """Write 32 bits."""
        U32.pack_into(self.data, at, value)

    def put_u64(self, at: int, value: int) -> None:
        """Write 64 bits."""
        U64.pack_into(self.data, at, value)

    def offsets(self, at: int, count: int) -> list[int]:
        """Read `count` cell offsets in a row, at a place that is known to hold them."""
        return list(unpack_from(f"<{count}I", self.data, at))

    def put(self, at: int, content: bytes | bytearray) -> None:
        """Write bytes at a place that is known to hold them."""
        self.data[at : at + len(content)] = content
