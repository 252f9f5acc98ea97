"""The table of security descriptors at the start of an image's metadata."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import MalformedImage
from wimdock.wim.security import read_security, write_security


@given(st.lists(st.binary(max_size=60), max_size=8), st.binary(max_size=40))
def test_descriptors_survive(descriptors: list[bytes], behind: bytes) -> None:
    written = write_security(descriptors)
    assert len(written) % 8 == 0
    assert read_security(written + behind) == (tuple(descriptors), len(written))


def test_a_table_that_claims_no_length_is_empty() -> None:
    """Some producers write two zeros where there are no descriptors."""
    assert read_security(bytes(200)) == ((), 8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(7),
        struct.pack("<II", 100, 0),
        struct.pack("<II", 16, 0xFFFFFFFF) + bytes(8),
        struct.pack("<IIQ", 16, 1, 1) + bytes(100),
        struct.pack("<IIQ", 24, 1, (1 << 64) - 8) + bytes(100),
        struct.pack("<II", 0xFFFFFFFF, 1) + bytes(100),
    ],
)
def test_impossible_tables_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedImage):
        read_security(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    with suppress(MalformedImage):
        descriptors, length = read_security(data)
        assert sum(map(len, descriptors)) <= length <= len(data)
