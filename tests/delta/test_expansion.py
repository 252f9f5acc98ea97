"""Expanding patches: what the lab writes, checked against a model that copies byte by byte."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.delta.shapes import RANDOMS, random_shape, random_steps
from tests.lab.pa30_writer import (
    Copy,
    Exact,
    Literal,
    Offset,
    Recent,
    Shape,
    Step,
    steps_between,
    write_patch,
)
from wimdock.delta.expansion import expand
from wimdock.errors import DeltaError


@given(RANDOMS, st.integers(0, 300), st.integers(1, 600))
@settings(max_examples=150, deadline=None)
def test_every_kind_of_step_in_blocks_and_rifts(random: Random, basis: int, target: int) -> None:
    data = random.randbytes(basis)
    shape = random_shape(random, basis, target)
    steps, expected = random_steps(random, data, target, list(shape.rift))
    assert expand(write_patch(basis, steps, shape), data, target) == expected


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(deadline=None)
def test_comparing_and_expanding_is_identity(basis: bytes, target: bytes) -> None:
    patch = write_patch(len(basis), steps_between(basis, target), Shape())
    assert expand(patch, basis, len(target)) == target


@pytest.mark.parametrize(
    "distance",
    [
        *(1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 100, 0xFFFF, 0x3FFFF, 0x40000, 0x55555),
        *(0xFFFFF, 0x100000, 0x234567, 0xFFFFFF, 0x1000000, 0x1000010),
    ],
)
def test_distances_of_every_size(distance: int) -> None:
    basis = b"ab" + bytes(distance - 1)
    patch = write_patch(len(basis), [Copy(distance, 2)], Shape())
    expected = (basis[-distance:] * 2)[:2]
    assert expand(patch, basis, 2) == expected


@pytest.mark.parametrize("count", [2, 8, 9, 263, 264, 519, 520, 5000, 70_000, 1 << 20])
def test_lengths_of_every_size(count: int) -> None:
    steps: list[Step] = [Literal(65), Literal(66), Copy(2, count)]
    assert expand(write_patch(0, steps, Shape()), b"", count + 2) == (b"AB" * count)[: count + 2]


@pytest.mark.parametrize(
    "offset", [0, 1, -1, 0x1FFF, -0x2000, 0x2000, -0x2001, 0x9FFF, -0xA000, 0xA000, -0xA001]
)
def test_offsets_of_every_size_count_from_the_counterpart_in_the_basis(offset: int) -> None:
    basis = Random(1).randbytes(0x20000)
    middle = 0x10000
    steps: list[Step] = [Copy(len(basis), middle), Offset(offset, 5)]
    start = middle - offset
    expected = basis[:middle] + basis[start : start + 5]
    assert expand(write_patch(len(basis), steps, Shape()), basis, middle + 5) == expected


def test_recent_distances_keep_their_order() -> None:
    basis = bytes(range(100))
    steps: list[Step] = [Copy(10, 2), Copy(20, 2), Copy(30, 2), Recent(2, 2), Recent(1, 2)]
    steps += [Recent(0, 2), Recent(2, 2)]
    distances = [10, 20, 30, 10, 30, 30, 20]
    window = bytearray(basis)
    for distance in distances:
        window += window[len(window) - distance :][:2]
    assert expand(write_patch(100, steps, Shape()), basis, 14) == window[100:]


def test_an_exact_copy_follows_the_rift_table_and_an_offset_does_not() -> None:
    basis = b"0123456789ABCDEFGHIJ"
    rift = [(23, -13)]
    exact = write_patch(20, [Exact(6)], Shape(rift=rift))
    assert expand(exact, basis, 6) == b"012ABC"
    offset = write_patch(20, [Offset(0, 6)], Shape(rift=rift))
    assert expand(offset, basis, 6) == b"012345"


@pytest.mark.parametrize(
    "steps",
    [
        [Copy(1, 2)],
        [Literal(1), Copy(2, 2)],
        [Literal(1), Recent(0, 2)],
        [Literal(1), Exact(2)],
        [Literal(1), Offset(-5, 2)],
    ],
)
def test_a_copy_from_nowhere_is_refused(steps: list[Step]) -> None:
    with pytest.raises(DeltaError, match="outside"):
        expand(write_patch(0, steps, Shape()), b"", 10)


def test_a_copy_past_the_end_is_refused() -> None:
    with pytest.raises(DeltaError, match="more than it says"):
        expand(write_patch(0, [Literal(1), Copy(1, 10)], Shape()), b"", 10)


def test_a_patch_that_ends_too_early_is_refused_at_every_byte() -> None:
    steps = steps_between(b"", Random(2).randbytes(300))
    patch = write_patch(0, steps, Shape())
    for size in range(len(patch)):
        with pytest.raises(DeltaError):
            expand(patch[:size], b"", 300)


def test_an_empty_target_needs_no_patch() -> None:
    assert expand(b"", b"basis", 0) == b""
