"""Streams of bits: numbers and buffers come back; whatever ends too early says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.bit_writer import BitWriter
from wimdock.delta.bits import BitReader
from wimdock.errors import DeltaError


@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=20)), max_size=12))
def test_numbers_and_buffers_come_back(items: list[int | bytes]) -> None:
    writer = BitWriter()
    for item in items:
        if isinstance(item, int):
            writer.number(item)
        else:
            writer.buffer(item)
    reader = BitReader(writer.to_bytes())
    for item in items:
        assert (reader.number() if isinstance(item, int) else reader.buffer()) == item
    assert reader.remaining == 0


def test_the_example_of_the_public_description() -> None:
    reader = BitReader(bytes.fromhex("e946"))
    assert reader.number() == 14


@pytest.mark.parametrize("data", [b"", b"\x06", b"\x07"])
def test_a_stream_without_room_for_its_own_start_is_refused(data: bytes) -> None:
    with pytest.raises(DeltaError, match="ends too early"):
        BitReader(data)


@given(st.binary(min_size=1, max_size=12), st.lists(st.integers(0, 3), max_size=10))
def test_any_bytes_give_a_value_or_our_error(data: bytes, kinds: list[int]) -> None:
    try:
        reader = BitReader(data)
        for kind in kinds:
            (reader.number, reader.size, reader.buffer, lambda: reader.read(9))[kind]()
    except DeltaError:
        return
    assert reader.position <= reader.end


def test_a_number_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(DeltaError, match="more than 64 bits"):
        BitReader(bytes(20)).number()


def test_a_negative_size_is_refused() -> None:
    writer = BitWriter()
    writer.number(2**63)
    with pytest.raises(DeltaError, match="negative"):
        BitReader(writer.to_bytes()).size()


def test_a_buffer_longer_than_the_stream_is_refused_without_being_made() -> None:
    writer = BitWriter()
    writer.number(2**62)
    with pytest.raises(DeltaError, match="ends too early"):
        BitReader(writer.to_bytes()).buffer()
