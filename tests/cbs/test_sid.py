"""SIDs against a reader of its own."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cbs.sid import DOMAIN_RELATIVE, TRUSTED_INSTALLER, WELL_KNOWN, sid_bytes
from wimdock.errors import UnsupportedPackage


def text_of(sid: bytes) -> str:
    """Read a SID after [MS-DTYP] 2.4.2.2, independently of the writer."""
    count = sid[1]
    assert len(sid) == 8 + 4 * count
    parts = [int.from_bytes(sid[8 + 4 * n : 12 + 4 * n], "little") for n in range(count)]
    return "-".join(["S", str(sid[0]), str(int.from_bytes(sid[2:8], "big")), *map(str, parts)])


def test_the_bytes_of_system() -> None:
    assert sid_bytes("SY") == bytes.fromhex("010100000000000512000000")


def test_the_bytes_of_the_trusted_installer() -> None:
    assert sid_bytes(TRUSTED_INSTALLER) == bytes.fromhex(
        "010600000000000550000000b589fb381984c2cb5c6c236d5700776ec0026487"
    )


@pytest.mark.parametrize("alias", sorted(WELL_KNOWN))
def test_every_alias_is_its_text(alias: str) -> None:
    assert text_of(sid_bytes(alias)) == WELL_KNOWN[alias]
    assert sid_bytes(alias.lower()) == sid_bytes(alias)


@pytest.mark.parametrize("alias", sorted(DOMAIN_RELATIVE))
def test_domain_relative_names_are_refused(alias: str) -> None:
    with pytest.raises(UnsupportedPackage, match="domain"):
        sid_bytes(alias)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15))
def test_text_and_bytes_agree(authority: int, parts: list[int]) -> None:
    text = "-".join(["S-1", str(authority), *map(str, parts)])
    assert text_of(sid_bytes(text)) == text


def test_a_large_authority_is_written_in_hexadecimal() -> None:
    assert sid_bytes("S-1-0x123456789ABC-7")[2:8] == bytes.fromhex("123456789abc")


@pytest.mark.parametrize(
    "text",
    ["", "S-1", "S-1-5", "S-2-5-18", "S-1-5-4294967296", "XX", "S-1-5" + "-1" * 16, "S-1-5-x"],
)
def test_what_is_no_sid_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedPackage):
        sid_bytes(text)


@given(st.text(max_size=40))
def test_any_text_is_a_sid_or_refused(text: str) -> None:
    with contextlib.suppress(UnsupportedPackage):
        assert len(sid_bytes(text)) >= 12
