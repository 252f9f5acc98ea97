"""Where the data of a value lies: in the value itself, in a cell, or in segments (`db`).

Data of up to 4 bytes is kept in the value's offset field. Data longer than 16344 bytes goes into
segments in hives of version 1.4 and later; a single cell is read in any version, because other
programs write it.
"""

from __future__ import annotations

from typing import NamedTuple

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.allocator import Allocator
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    BASE,
    BIG_DATA,
    BIG_SEGMENT,
    BIG_SIGNATURE,
    CELL_HEADER,
    MAX_LIST,
    MINOR_WITH_BIG_DATA,
    RESIDENT_MAX,
    U32,
    VALUE_RESIDENT,
)


class DataPlace(NamedTuple):
    """The two fields of a value that say where its data is."""

    size: int
    offset: int

    @property
    def is_resident(self) -> bool:
        """Tell whether the offset field is the data itself."""
        return bool(self.size & VALUE_RESIDENT)

    @property
    def length(self) -> int:
        """The length of the data in bytes."""
        return self.size & ~VALUE_RESIDENT


def _segments(cells: Cells, place: DataPlace) -> tuple[int, list[int]] | None:
    """Give the cell of the list and those of the segments; None for data in one cell."""
    at, room = cells.place(place.offset, 0, "value's data")
    if room >= place.length:
        return None
    cells.place(place.offset, BIG_DATA.size, "value's data")
    signature, count, list_cell = BIG_DATA.unpack_from(cells.data, at)
    needed = -(-place.length // BIG_SEGMENT)
    if signature != BIG_SIGNATURE or count < needed or place.length > cells.size:
        message = f"the value's data at 0x{place.offset:X} is shorter than stated"
        raise MalformedHive(message)
    list_at, _ = cells.place(list_cell, 4 * count, "list of segments")
    return list_cell, cells.offsets(list_at, count)


def read_data(cells: Cells, place: DataPlace) -> bytes:
    """Read the data of a value; raise MalformedHive where it is not there."""
    if place.is_resident:
        if place.length > RESIDENT_MAX:
            message = f"a value states {place.length} bytes in itself"
            raise MalformedHive(message)
        return U32.pack(place.offset)[: place.length]
    if not place.length:
        return b""
    segments = _segments(cells, place)
    if segments is None:
        at = BASE + place.offset + CELL_HEADER
        return bytes(cells.data[at : at + place.length])
    pieces = []
    left = place.length
    for cell in segments[1]:
        size = min(left, BIG_SEGMENT)
        if not size:
            break
        at, _ = cells.place(cell, size, "segment of data")
        pieces.append(cells.data[at : at + size])
        left -= size
    return b"".join(pieces)


def write_data(allocator: Allocator, minor: int, data: bytes) -> DataPlace:
    """Store data in new cells, or nowhere where it is short; `minor` is the hive's version."""
    if len(data) <= RESIDENT_MAX:
        word: int = U32.unpack(data.ljust(RESIDENT_MAX, b"\0"))[0]
        return DataPlace(len(data) | VALUE_RESIDENT, word)
    if len(data) <= BIG_SEGMENT or minor < MINOR_WITH_BIG_DATA:
        return DataPlace(len(data), allocator.put(data))
    count = -(-len(data) // BIG_SEGMENT)
    if count > MAX_LIST:
        message = f"a registry value of {len(data)} bytes is too long"
        raise RegistryError(message, hint="It has at most 1 GiB.")
    # All full segments are given the room that Windows gives them, 4 bytes more than they hold.
    segments = []
    for start in range(0, len(data), BIG_SEGMENT):
        piece = data[start : start + BIG_SEGMENT]
        segments.append(allocator.put(piece))
    listed = allocator.put(b"".join(map(U32.pack, segments)))
    return DataPlace(len(data), allocator.put(BIG_DATA.pack(BIG_SIGNATURE, count, listed)))


def rewrite_data(
    cells: Cells, allocator: Allocator, minor: int, place: DataPlace, data: bytes
) -> DataPlace:
    """Replace the data at a place; use the cell again where both are in one cell."""
    in_cell = len(data) > RESIDENT_MAX and (len(data) <= BIG_SEGMENT or minor < MINOR_WITH_BIG_DATA)
    if in_cell and place.length and not place.is_resident and _segments(cells, place) is None:
        cell = allocator.resize(place.offset, len(data))
        at, room = cells.place(cell, len(data), "value's data")
        cells.put(at, data.ljust(room, b"\0"))
        return DataPlace(len(data), cell)
    free_data(cells, allocator, place)
    return write_data(allocator, minor, data)


def free_data(cells: Cells, allocator: Allocator, place: DataPlace) -> None:
    """Give back the cells of a value's data."""
    for cell in data_cells(cells, place):
        allocator.give_back(cell)


def data_cells(cells: Cells, place: DataPlace) -> list[int]:
    """Give the cells that a value's data takes."""
    if place.is_resident or not place.length:
        return []
    found = _segments(cells, place)
    return [place.offset] if found is None else [place.offset, found[0], *found[1]]
