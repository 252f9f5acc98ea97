"""Prefix codes: what the lab's code writes is read back; what is no code is refused."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.delta.shapes import RANDOMS, complete_lengths
from tests.lab.bit_writer import BitWriter, Code, flat
from wimdock.delta import layout
from wimdock.delta.bits import BitReader
from wimdock.delta.prefix_code import PrefixCode, flat_lengths
from wimdock.errors import DeltaError


@given(RANDOMS, st.integers(2, 300))
def test_symbols_come_back(random: Random, symbols: int) -> None:
    lengths = complete_lengths(random, symbols, random.randrange(2, symbols + 1))
    present = [symbol for symbol, length in enumerate(lengths) if length]
    said = random.choices(present, k=40)
    writer, code = BitWriter(), Code(lengths)
    for symbol in said:
        code.write(writer, symbol)
    reader, decoder = BitReader(writer.to_bytes()), PrefixCode(lengths)
    assert [decoder.read(reader) for _ in said] == said


@pytest.mark.parametrize("symbols", [2, 16, 39, 252, 256, 600])
def test_flat_codes_are_complete_and_as_the_lab_has_them(symbols: int) -> None:
    lengths = flat_lengths(symbols)
    assert lengths == flat(symbols)
    assert sum(2.0**-length for length in lengths) == 1
    PrefixCode(lengths)


def test_the_sizes_of_the_alphabets_are_those_of_the_format() -> None:
    assert layout.BLOCK_SYMBOLS == 0x368
    assert layout.STREAM_OFFSET == 12


@pytest.mark.parametrize("lengths", [[1, 2], [2, 2, 2], [1, 1, 1], [2], [17, 1], [1, 2, 3, 3, 3]])
def test_a_code_that_is_incomplete_or_too_full_is_refused(lengths: list[int]) -> None:
    with pytest.raises(DeltaError):
        PrefixCode(lengths)


def test_a_single_symbol_is_a_zero_and_a_one_is_nothing() -> None:
    code = PrefixCode([0, 1, 0])
    writer = BitWriter()
    writer.bits(0b10, 2)
    reader = BitReader(writer.to_bytes())
    assert code.read(reader) == 1
    with pytest.raises(DeltaError, match="not there"):
        code.read(reader)


def test_a_code_without_symbols_is_refused_when_it_is_read_from() -> None:
    code = PrefixCode([0, 0])
    assert code.is_empty
    with pytest.raises(DeltaError, match="not there"):
        code.read(BitReader(b"\0\0"))
