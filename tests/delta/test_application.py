"""Applying whole deltas: identity, bounds, and damage of every kind."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.delta.shapes import random_shape, random_steps
from tests.delta.test_calls import make_absolute
from tests.lab.pa30_writer import Copy, Head, Literal, write_delta, write_steps
from wimdock.delta import apply_delta, read_header
from wimdock.errors import DeltaError, UnsupportedDelta

BASIS = Random(3).randbytes(200)


def sample(head: Head | None = None) -> tuple[bytes, bytes]:
    """Give a delta with blocks, a rift table and every kind of step, and its target."""
    random = Random(12)
    shape = random_shape(random, len(BASIS), 900)
    assert len(shape.blocks) > 1
    assert shape.rift
    steps, target = random_steps(random, BASIS, 900, list(shape.rift))
    return write_steps(len(BASIS), steps, target, shape, head), target


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from(["", "md5", "sha256"]))
@settings(deadline=None)
def test_making_and_applying_is_identity(basis: bytes, target: bytes, algorithm: str) -> None:
    delta = write_delta(basis, target, Head(algorithm))
    assert apply_delta(delta, basis) == target


def test_calls_are_restored_before_the_hash_is_checked() -> None:
    target = (b"\x90\xe8\x20\0\0\0" * 40) + bytes(20)
    absolute = make_absolute(target)
    assert absolute != target
    delta = write_delta(BASIS, absolute, Head(flags=1))
    assert apply_delta(delta, BASIS) == target


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_another_basis_is_found_out_by_the_hash(algorithm: str) -> None:
    delta = write_delta(BASIS, BASIS + b"!", Head(algorithm))
    assert apply_delta(delta, BASIS) == BASIS + b"!"
    with pytest.raises(DeltaError, match=algorithm.upper()):
        apply_delta(delta, bytes(len(BASIS)))


def test_a_pe_transform_is_refused() -> None:
    with pytest.raises(UnsupportedDelta, match="PE transform"):
        apply_delta(write_delta(BASIS, b"target", Head(file_type=8)), BASIS)


def test_a_raw_delta_that_prepares_its_basis_is_refused() -> None:
    with pytest.raises(DeltaError, match="prepares"):
        apply_delta(write_delta(BASIS, b"target", Head(preparation=b"x")), BASIS)


def test_a_delta_cut_anywhere_is_refused() -> None:
    delta, target = sample()
    assert apply_delta(delta, BASIS) == target
    for size in range(len(delta)):
        with pytest.raises(DeltaError):
            apply_delta(delta[:size], BASIS)


DELTA, TARGET = sample()


@given(
    st.lists(st.tuples(st.integers(0, len(DELTA) - 1), st.integers(0, 255)), max_size=4),
    st.sampled_from([b"", BASIS, BASIS[:50]]),
)
@settings(max_examples=300, deadline=None)
def test_damage_gives_our_error_or_the_promised_size(
    damage: list[tuple[int, int]], basis: bytes
) -> None:
    data = bytearray(DELTA)
    for place, byte in damage:
        data[place] = byte
    try:
        made = apply_delta(bytes(data), basis, max_size=5000)
    except DeltaError:
        return
    assert len(made) == read_header(bytes(data)).target_size


@given(st.binary(max_size=150))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_our_error_or_data(data: bytes) -> None:
    try:
        apply_delta(b"PA30" + bytes(8) + data, BASIS, max_size=5000)
    except DeltaError:
        return


@pytest.mark.parametrize("size", [1 << 30, 1 << 62, (1 << 63) - 1])
def test_more_than_allowed_is_refused_before_it_is_made(size: int) -> None:
    class Huge(bytes):
        def __len__(self) -> int:
            return size

    delta = write_steps(0, [Literal(0), Copy(1, 1 << 30)], Huge(b""))
    started = time.process_time()
    with pytest.raises(DeltaError, match="more than"):
        apply_delta(delta, b"")
    assert time.process_time() - started < 1


def test_a_little_delta_of_much_output_takes_little_time() -> None:
    size = 1 << 24
    delta = write_steps(0, [Literal(7), Copy(1, size - 1)], bytes([7]) * size)
    started = time.process_time()
    assert apply_delta(delta, b"") == bytes([7]) * size
    assert time.process_time() - started < 5
