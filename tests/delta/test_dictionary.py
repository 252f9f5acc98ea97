"""The dictionary in wcp.dll: found, missing, or in a damaged program."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.pe import library, servicing_stack_library
from wimdock.delta import dictionary_of
from wimdock.errors import DeltaError, MissingDictionary

DICTIONARY = bytes(range(256)) * 5 + b"end"
PROGRAM = servicing_stack_library(DICTIONARY)


def test_the_dictionary_is_found_among_other_resources() -> None:
    assert dictionary_of(PROGRAM) == DICTIONARY
    crowded = library({(16, 1, 1033): b"version", (614, 1, 0): DICTIONARY, (700, 2, 0): b"x"})
    assert dictionary_of(crowded) == DICTIONARY


@pytest.mark.parametrize("resources", [{(16, 1, 1033): b"version"}, {}])
def test_a_program_without_it_is_said_to_have_none(
    resources: dict[tuple[int, int, int], bytes],
) -> None:
    with pytest.raises(MissingDictionary, match="614"):
        dictionary_of(library(resources))


@pytest.mark.parametrize("data", [b"", b"MZ", b"MZ" + bytes(1000), b"<?xml?>", PROGRAM[:300]])
def test_what_is_no_program_is_refused(data: bytes) -> None:
    with pytest.raises(DeltaError):
        dictionary_of(data)


@given(st.lists(st.tuples(st.integers(0, 0x300), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_damage_gives_our_error_or_data(damage: list[tuple[int, int]]) -> None:
    data = bytearray(PROGRAM)
    for place, byte in damage:
        data[place] = byte
    try:
        assert isinstance(dictionary_of(bytes(data)), bytes)
    except DeltaError:
        return


@given(st.integers(0, len(PROGRAM) - 1))
@settings(max_examples=20, deadline=None)
def test_a_program_cut_off_gives_our_error_or_data(size: int) -> None:
    try:
        assert isinstance(dictionary_of(PROGRAM[:size]), bytes)
    except DeltaError:
        return
