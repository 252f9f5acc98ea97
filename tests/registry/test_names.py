"""Names: upper case as Windows does it, hashes, hints, storage."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.names import (
    check_key_name,
    check_value_name,
    decode_name,
    encode_name,
    name_hash,
    name_hint,
    utf16_size,
)
from wimdock.upcase import fold


def test_the_hash_counts_code_units_in_upper_case() -> None:
    assert name_hash("aB") == ord("A") * 37 + ord("B")
    assert name_hash("Ж" * 40) == name_hash("ж" * 40)
    high, low = struct.unpack("<HH", "\N{GOTHIC LETTER FAIHU}".encode("utf-16-le"))
    assert name_hash("\N{GOTHIC LETTER FAIHU}") == high * 37 + low


def test_the_hint_is_the_first_four_characters_or_nothing() -> None:
    assert name_hint("Software") == b"Soft"
    assert name_hint("ab") == b"ab\0\0"
    assert name_hint("aЖ") == bytes(4)


@given(st.text(st.characters(), max_size=40))
def test_a_name_comes_back_as_it_was(name: str) -> None:
    raw, latin_1 = encode_name(name)
    assert decode_name(raw, latin_1) == name
    assert utf16_size(name) == len(name.encode("utf-16-le", "surrogatepass"))


def test_half_a_code_unit_is_refused() -> None:
    with pytest.raises(MalformedHive):
        decode_name(b"abc", latin_1=False)


def test_a_lone_surrogate_is_kept() -> None:
    name = decode_name(b"\0\xd8a\0", latin_1=False)
    assert encode_name(name) == (b"\0\xd8a\0", False)
    assert fold(name)


@pytest.mark.parametrize("name", ["", "a\\b", "a\0", "x" * 256, "\N{GOTHIC LETTER FAIHU}" * 128])
def test_what_cannot_name_a_key(name: str) -> None:
    with pytest.raises(RegistryError):
        check_key_name(name)


def test_what_can_name_a_value() -> None:
    check_value_name("")
    check_value_name("a\\b" * 5000)
    with pytest.raises(RegistryError):
        check_value_name("x" * 16384)
