"""Cells are reused, joined and never given back twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry import layout
from wimdock.registry.allocator import Allocator, cell_size
from wimdock.registry.cells import Cells


def bins(*sizes: int) -> tuple[Cells, Allocator]:
    """Make cells of bins with one free cell each."""
    data = bytearray(4096)
    for size in sizes:
        head = layout.BIN.pack(b"hbin", len(data) - 4096, size, 0, 0, 0)
        data += (head + layout.I32.pack(size - 32)).ljust(size, b"\0")
    cells = Cells(data, len(data))
    return cells, Allocator(cells)


def test_a_cell_has_room_for_its_header_and_is_a_multiple_of_8() -> None:
    assert [cell_size(content) for content in (0, 1, 4, 5, 12, 13)] == [8, 8, 8, 16, 16, 24]


def test_the_smallest_that_fits_is_taken() -> None:
    cells, allocator = bins(8192, 4096)
    small = allocator.take(1000)
    assert small > 8192
    assert cells.size == 12288


def test_growth_is_by_pages_and_drops_what_lay_behind() -> None:
    cells, allocator = bins(4096)
    cells.data += b"left over"
    allocator.take(4060)
    allocator.take(10)
    allocator.take(9000)
    assert cells.bins() == [(0, 4096), (4096, 4096), (8192, 12288)]
    assert len(cells.data) == 4096 + 20480


def test_neighbours_are_joined() -> None:
    cells, allocator = bins(4096, 4096)
    taken = [allocator.take(100) for _ in range(70)]
    for cell in taken[::2] + taken[1::2]:
        allocator.give_back(cell)
    assert cells.size == 8192
    assert allocator.take(4060) != allocator.take(4060)
    assert cells.size == 8192


def test_a_cell_grows_where_it_is_when_the_next_is_free() -> None:
    _, allocator = bins(4096)
    cell = allocator.put(b"content")
    assert allocator.resize(cell, 500) == cell
    allocator.take(3000)
    assert allocator.resize(cell, 10) == cell
    assert allocator.take(400) == cell + 16


def test_a_moved_cell_keeps_its_content() -> None:
    cells, allocator = bins(4096)
    cell = allocator.put(b"content")
    allocator.take(10)
    moved = allocator.resize(cell, 900)
    at, size = cells.place(moved, 900, "cell")
    assert moved != cell
    assert cells.data[at : at + size].rstrip(b"\0") == b"content"


def test_what_is_no_cell_in_use_cannot_be_given_back() -> None:
    cells, allocator = bins(4096)
    cell = allocator.take(100)
    layout.I32.pack_into(cells.data, 4096 + cell + 16, -32)
    for wrong in (cell + 16, cell + 4, 0, 8, 1 << 31, layout.NIL, 4096):
        with pytest.raises(MalformedHive):
            allocator.give_back(wrong)
        with pytest.raises(MalformedHive):
            cells.place(wrong, 4, "cell")
    allocator.give_back(cell)
    with pytest.raises(MalformedHive):
        allocator.give_back(cell)


@pytest.mark.parametrize("size", [0, -4, 12, 4096, -4096, -(1 << 31)])
def test_impossible_sizes_are_found_before_the_first_edit(size: int) -> None:
    cells, allocator = bins(4096)
    layout.I32.pack_into(cells.data, 4096 + 32, size)
    with pytest.raises(MalformedHive):
        allocator.take(8)


def test_a_hive_that_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    _, allocator = bins(4096)
    monkeypatch.setattr("wimdock.registry.allocator.MAX_BINS", 8192)
    allocator.take(4000)
    allocator.take(4000)
    with pytest.raises(RegistryError, match="2 GiB"):
        allocator.take(4000)


@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 100)), max_size=120))
@settings(max_examples=60, deadline=None)
def test_cells_never_overlap(steps: list[tuple[int, int]]) -> None:
    cells, allocator = bins(4096)
    held: dict[int, bytes] = {}
    for number, (size, choice) in enumerate(steps):
        content = number.to_bytes(2, "little") * (size // 2)
        if held and choice % 3 == 0:
            cell = list(held)[choice % len(held)]
            allocator.give_back(cell)
            del held[cell]
        elif held and choice % 3 == 1:
            cell = list(held)[choice % len(held)]
            old = held.pop(cell)
            moved = allocator.resize(cell, len(content))
            held[moved] = old[: len(content)]
        else:
            held[allocator.put(content)] = content
        for cell, expected in held.items():
            at, _ = cells.place(cell, len(expected), "cell")
            assert cells.data[at : at + len(expected)] == expected
