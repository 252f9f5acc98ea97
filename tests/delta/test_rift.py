"""Rift tables: stretches and their shifts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delta.shapes import shift_at
from tests.lab.bit_writer import BitWriter
from tests.lab.pa30_writer import _write_rift
from wimdock.delta.bits import BitReader
from wimdock.delta.rift import MOST_ENTRIES, NEVER, RiftTable
from wimdock.errors import DeltaError

ENTRIES = st.lists(st.tuples(st.integers(0, 400), st.integers(-(2**40), 2**40)), max_size=8)


def read(rift: list[tuple[int, int]], basis_size: int) -> RiftTable:
    writer = BitWriter()
    _write_rift(writer, rift)
    return RiftTable.read(BitReader(writer.to_bytes()), basis_size)


@given(ENTRIES, st.integers(0, 400), st.integers(0, 500))
def test_a_position_has_the_shift_of_the_last_entry_before_it(
    rift: list[tuple[int, int]], basis_size: int, position: int
) -> None:
    shift, after = read(rift, basis_size).stretch(position)
    assert shift == shift_at(rift, basis_size, position)
    assert after > position
    starts = [start for start, _ in rift if start > position]
    assert after == min([*starts, *([basis_size] if basis_size > position else [NEVER])])


def test_without_entries_the_output_lies_opposite_the_basis() -> None:
    assert read([], 70).stretch(70) == (-70, NEVER)


def test_a_table_that_claims_too_many_entries_is_refused() -> None:
    for claimed, rest in ((MOST_ENTRIES + 1, 10 * MOST_ENTRIES), (2**63, 100), (101, 100)):
        writer = BitWriter()
        writer.bits(1, 1)
        for _ in range(2):
            for number in (0, 0, 248):
                writer.bits(number, 8)
            writer.bits(8 - 1, 4)
        writer.number(claimed)
        writer.bits(0, rest)
        with pytest.raises(DeltaError, match="rift table is too long"):
            RiftTable.read(BitReader(writer.to_bytes()), 0)


@given(st.binary(min_size=1, max_size=200))
def test_any_bytes_give_a_table_or_our_error(data: bytes) -> None:
    try:
        table = RiftTable.read(BitReader(bytes([data[0] | 8]) + data[1:]), 10)
    except DeltaError:
        return
    table.stretch(10)


@pytest.mark.parametrize("counts", [(127, 0, 0), (0, 127, 0), (126, 126, 1), (0, 0, 253)])
def test_a_code_for_numbers_with_too_many_symbols_is_refused(counts: tuple[int, ...]) -> None:
    writer = BitWriter()
    writer.bits(1, 1)
    for count in counts:
        writer.bits(count, 8)
    writer.bits(0, 2000)
    with pytest.raises(DeltaError, match="too many symbols"):
        RiftTable.read(BitReader(writer.to_bytes()), 0)
