"""Which cells of a hive are free: taking, giving back, growing.

The bins are walked once, when the first cell is asked for. Free cells are kept by size and the
smallest that fits is taken; what is left of it stays free. A cell given back is joined with free
neighbours. A new bin is added at the end when nothing fits, in pages, as Windows does.

From then on one byte per 8 bytes of the hive remembers where cells begin (`Cells.marks`), so that
no reference out of a damaged hive can give back something that is no cell, or a cell twice.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.cells import FREE, USED, Cells
from wimdock.registry.layout import (
    BASE,
    BIN,
    BIN_HEADER,
    BIN_SIGNATURE,
    CELL_HEADER,
    CELL_UNIT,
    I32,
    MAX_BINS,
    PAGE,
)

_WORTH_SPLITTING = 16


def cell_size(content: int) -> int:
    """Give the size of the cell that holds `content` bytes."""
    return max(CELL_UNIT, (content + CELL_HEADER + CELL_UNIT - 1) & -CELL_UNIT)


class Allocator:
    """Takes and gives back cells of one hive; sizes are those of the content."""

    __slots__ = ("_by_size", "_cells", "_ends", "_marks", "_sizes")

    def __init__(self, cells: Cells) -> None:
        """Do nothing yet: the bins are walked at the first use."""
        self._cells = cells
        self._marks = bytearray()
        self._sizes: list[int] = []
        self._by_size: dict[int, dict[int, None]] = {}
        self._ends: dict[int, int] = {}

    def take(self, content: int) -> int:
        """Give a cell for `content` bytes, zeroed. Raises RegistryError when the hive is full."""
        self._walk()
        wanted = cell_size(content)
        index = bisect_left(self._sizes, wanted)
        if index == len(self._sizes):
            self._grow(wanted)
            index = bisect_left(self._sizes, wanted)
        size = self._sizes[index]
        cell = next(reversed(self._by_size[size]))
        self._forget(cell, size)
        if size > wanted:
            self._remember(cell + wanted, size - wanted)
        self._use(cell, wanted)
        start = BASE + cell + CELL_HEADER
        self._cells.data[start : BASE + cell + wanted] = bytes(wanted - CELL_HEADER)
        return cell

    def put(self, content: bytes | bytearray) -> int:
        """Give a new cell that holds `content`."""
        cell = self.take(len(content))
        self._cells.put(BASE + cell + CELL_HEADER, content)
        return cell

    def give_back(self, cell: int) -> None:
        """Free a cell. Raises MalformedHive unless it is a cell in use."""
        size = self._size_of(cell)
        self._marks[cell // CELL_UNIT] = 0
        self._free(cell, size)

    def resize(self, cell: int, content: int) -> int:
        """Make a cell hold `content` bytes; give the cell, which may be another one.

        What it held stays, up to the shorter length.
        """
        size = self._size_of(cell)
        wanted = cell_size(content)
        if wanted > size:
            following = cell + size
            if following < self._cells.size and self._marks[following // CELL_UNIT] == FREE:
                more: int = I32.unpack_from(self._cells.data, BASE + following)[0]
                if size + more >= wanted:
                    self._forget(following, more)
                    self._use(cell, size + more)
                    start = BASE + following
                    self._cells.data[start : start + more] = bytes(more)
                    size += more
        if wanted > size:
            old = self._cells.data[BASE + cell + CELL_HEADER : BASE + cell + size]
            moved = self.take(content)
            self._cells.put(BASE + moved + CELL_HEADER, old)
            self.give_back(cell)
            return moved
        if size - wanted >= _WORTH_SPLITTING:
            self._use(cell, wanted)
            self._free(cell + wanted, size - wanted)
        return cell

    def _size_of(self, cell: int) -> int:
        self._walk()
        if (
            cell % CELL_UNIT
            or not 0 <= cell < self._cells.size
            or self._marks[cell // CELL_UNIT] != USED
        ):
            message = f"0x{cell:X} is referred to as a cell in use and is none"
            raise MalformedHive(message)
        size: int = -I32.unpack_from(self._cells.data, BASE + cell)[0]
        return size

    def _use(self, cell: int, size: int) -> None:
        I32.pack_into(self._cells.data, BASE + cell, -size)
        self._marks[cell // CELL_UNIT] = USED

    def _free(self, cell: int, size: int) -> None:
        # A bin's header carries no mark, so that cells never join across bins.
        following = cell + size
        if following < self._cells.size and self._marks[following // CELL_UNIT] == FREE:
            more: int = I32.unpack_from(self._cells.data, BASE + following)[0]
            self._forget(following, more)
            size += more
        before = self._ends.get(cell)
        if before is not None:
            self._forget(before, cell - before)
            size += cell - before
            cell = before
        self._remember(cell, size)

    def _remember(self, cell: int, size: int) -> None:
        I32.pack_into(self._cells.data, BASE + cell, size)
        self._marks[cell // CELL_UNIT] = FREE
        self._ends[cell + size] = cell
        cells = self._by_size.get(size)
        if cells is None:
            insort(self._sizes, size)
            cells = self._by_size[size] = {}
        cells[cell] = None

    def _forget(self, cell: int, size: int) -> None:
        self._marks[cell // CELL_UNIT] = 0
        del self._ends[cell + size]
        cells = self._by_size[size]
        del cells[cell]
        if not cells:
            del self._by_size[size]
            del self._sizes[bisect_left(self._sizes, size)]

    def _grow(self, wanted: int) -> None:
        cells = self._cells
        size = (wanted + BIN_HEADER + PAGE - 1) & -PAGE
        offset = cells.size
        if offset + size > MAX_BINS:
            message = "the hive would grow beyond 2 GiB"
            raise RegistryError(message, hint="The data does not belong into a registry hive.")
        # Bytes beyond the last bin are left-overs of a longer file.
        del cells.data[cells.end :]
        cells.data += BIN.pack(BIN_SIGNATURE, offset, size, 0, 0, 0) + bytes(size - BIN_HEADER)
        cells.end += size
        self._marks += bytes(size // CELL_UNIT)
        self._remember(offset + BIN_HEADER, size - BIN_HEADER)

    def _walk(self) -> None:
        if self._cells.marks is not None:
            return
        cells = self._cells
        marks = bytearray(cells.size // CELL_UNIT)
        unpack, data = I32.unpack_from, cells.data
        free: list[tuple[int, int]] = []
        for offset, bin_size in cells.bins():
            cell, end = offset + BIN_HEADER, offset + bin_size
            while cell < end:
                size: int = unpack(data, BASE + cell)[0]
                if size < 0:
                    size = -size
                    marks[cell >> 3] = USED
                else:
                    free.append((cell, size))
                if size == 0 or size % CELL_UNIT or size > end - cell:
                    message = f"the cell at 0x{cell:X} has an impossible size"
                    raise MalformedHive(message)
                cell += size
        cells.marks = self._marks = marks
        for cell, size in free:
            self._free(cell, size)
