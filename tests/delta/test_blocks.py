"""Blocks: their starts and code lengths come back; too many of them are refused."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.delta.shapes import RANDOMS, block_lengths, nearly
from tests.lab.bit_writer import BitWriter, Code, flat
from tests.lab.pa30_writer import FLAT, _write_blocks
from wimdock.delta.bits import BitReader
from wimdock.delta.blocks import BLOCKS_ALWAYS_ALLOWED, Block, read_blocks
from wimdock.errors import DeltaError


def reader_of(blocks: list[tuple[int, list[int]]]) -> BitReader:
    writer = BitWriter()
    _write_blocks(writer, blocks)
    return BitReader(writer.to_bytes())


@given(RANDOMS, st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_blocks_come_back(random: Random, count: int) -> None:
    blocks = [(random.randrange(50), block_lengths(random))]
    for _ in range(count - 1):
        start, lengths = blocks[-1]
        blocks.append((start + random.randrange(1000), nearly(random, lengths)))
    reader = reader_of(blocks)
    assert read_blocks(reader, 0) == [Block(start, bytes(lengths)) for start, lengths in blocks]
    assert reader.remaining == 0


def test_without_blocks_the_flat_codes_hold_from_the_start() -> None:
    assert read_blocks(reader_of([]), 0) == [Block(0, bytes(FLAT))]


def test_codes_that_nobody_reads_from_may_be_empty_but_for_the_main_one() -> None:
    codes = Block(0, bytes(flat(600) + [0] * 272)).codes()
    assert codes.length.is_empty
    assert codes.aligned.is_empty
    with pytest.raises(DeltaError, match="not there"):
        Block(0, bytes([0] * 600 + flat(256) + flat(16))).codes()


@pytest.mark.parametrize("count", [0, BLOCKS_ALWAYS_ALLOWED + 1, 2**40])
def test_no_blocks_or_too_many_are_refused(count: int) -> None:
    writer = BitWriter()
    writer.bits(0, 1)
    writer.number(count)
    writer.bits(0, 4000)
    with pytest.raises(DeltaError, match="no blocks or too many"):
        read_blocks(BitReader(writer.to_bytes()), 4095)


@pytest.mark.parametrize(
    "symbols",
    [
        [(23, 0, 0)],
        [(20, 0, 0)],
        [(16, 0, 0), *[(38, 63, 6)] * 7],
    ],
)
def test_code_lengths_that_cannot_be_are_refused(symbols: list[tuple[int, int, int]]) -> None:
    writer = BitWriter()
    writer.bits(0, 1)
    writer.number(1)
    writer.number(0)
    for width in flat(39):
        writer.bits(width, 4)
    pretree = Code(flat(39))
    for symbol, extra, width in symbols:
        pretree.write(writer, symbol)
        writer.bits(extra, width)
    with pytest.raises(DeltaError):
        read_blocks(BitReader(writer.to_bytes()), 0)


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_give_blocks_or_our_error(data: bytes) -> None:
    try:
        for block in read_blocks(BitReader(bytes([data[0] & ~8]) + data[1:]), 10_000):
            block.codes()
    except DeltaError:
        return
