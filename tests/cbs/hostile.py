"""Spoiled input: what a test does with one, and a strategy that makes many of one good one."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """Give the data with a few bytes changed, some cut out or put in, or its end cut off."""
    data = bytearray(good)
    for _ in range(draw(st.integers(1, 4))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case 2:
                del data[at : at + draw(st.integers(1, 64))]
            case 3:
                data[at:at] = draw(st.binary(max_size=16))
            case _:
                del data[at:]
    return bytes(data)
