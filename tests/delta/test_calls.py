"""Relative calls: what a naive maker of deltas made absolute becomes relative again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wimdock.delta.calls import restore_calls

PIECES = st.lists(st.one_of(st.just(b"\xe8"), st.binary(max_size=6)), max_size=30)
SMALL = st.integers(-300, 300).map(lambda value: b"\xe8" + (value % 2**32).to_bytes(4, "little"))


def make_absolute(target: bytes) -> bytes:
    """Do what the maker does: add the place of each call to its operand, within the file's size."""
    made = bytearray(target)
    at = 0
    while at < len(made) - 10:
        if made[at] != 0xE8:
            at += 1
            continue
        offset = int.from_bytes(made[at + 1 : at + 5], "little", signed=True)
        if -at <= offset < len(made) - at:
            place = offset + at
        elif len(made) - at <= offset < len(made):
            place = offset - len(made)
        else:
            place = offset
        made[at + 1 : at + 5] = (place % 2**32).to_bytes(4, "little")
        at += 5
    return bytes(made)


@given(st.one_of(PIECES, st.lists(st.one_of(SMALL, st.binary(max_size=6)), max_size=30)))
def test_calls_come_back(pieces: list[bytes]) -> None:
    target = b"".join(pieces)
    assert restore_calls(make_absolute(target)) == target


def test_the_last_ten_bytes_stay_as_they_are() -> None:
    call = b"\xe8\x10\0\0\0"
    target = bytes(6) + call + bytes(5)
    assert restore_calls(target) == target
    assert restore_calls(target + b"\0") == bytes(6) + b"\xe8\x0a\0\0\0" + bytes(6)
