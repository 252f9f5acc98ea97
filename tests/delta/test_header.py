"""Headers: what they say, and what wimdock lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.pa30_writer import Head, write_delta
from wimdock.delta import read_header, unsupported_reason
from wimdock.delta.header import read_delta
from wimdock.errors import DeltaError, UnsupportedDelta


def test_a_header_says_what_was_written() -> None:
    delta = write_delta(b"basis", b"target", Head("md5", 0x20001, 8, 15, b"xyz"))
    header = read_header(delta)
    assert header.target_size == 6
    assert (header.flags, header.file_type, header.file_type_set) == (0x20001, 8, 15)
    assert (header.hash_algorithm, header.hash_name) == (0x8003, "md5")
    assert len(header.target_hash) == 16
    assert header.needs_pe_transform
    assert header.restores_calls
    assert header.target_time is not None
    assert read_delta(delta).preparation == b"xyz"


@pytest.mark.parametrize(
    "head, reason",
    [
        (Head(), ""),
        (Head(flags=0x20001), ""),
        (Head(file_type=2), "a PE transform (I386)"),
        (Head(file_type=8), "a PE transform (AMD64)"),
        (Head(file_type=0x400), "a PE transform (0x400)"),
        (Head(file_type_set=0x101), "a reversal delta"),
    ],
)
def test_what_wimdock_lacks_is_said_beforehand(head: Head, reason: str) -> None:
    assert unsupported_reason(write_delta(b"", b"target", head)) == reason


@pytest.mark.parametrize("magic", [b"PA19", b"PA31"])
def test_the_other_formats_are_named(magic: bytes) -> None:
    assert magic.decode() in unsupported_reason(magic)
    with pytest.raises(UnsupportedDelta, match=magic.decode()):
        read_header(magic + bytes(40))


def test_an_unknown_hash_algorithm_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("tests.lab.pa30_writer", fromlist=["x"]).ALGORITHMS, "", 0x8001)
    assert unsupported_reason(write_delta(b"", b"target")) == "hash algorithm 0x8001"


def test_a_hash_of_the_wrong_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        __import__("tests.lab.pa30_writer", fromlist=["x"]).ALGORITHMS, "sha1", 0x8003
    )
    with pytest.raises(DeltaError, match="its hash"):
        read_header(write_delta(b"", b"target", Head("sha1")))


@pytest.mark.parametrize("data", [b"", b"PA3", b"PA30", b"PA30" + bytes(8), b"MZ" + bytes(50)])
def test_what_is_no_delta_is_refused(data: bytes) -> None:
    with pytest.raises(DeltaError):
        read_header(data)
    with pytest.raises(DeltaError):
        unsupported_reason(data)


@given(st.binary(max_size=80))
def test_any_bytes_give_a_header_or_our_error(data: bytes) -> None:
    try:
        read_header(b"PA30" + data)
    except DeltaError:
        return
