"""Single chunks: compressed and back, and what is no chunk refused before libwim sees it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wimdock.errors import MalformedImage, MissingLibrary, UnsupportedImage
from wimdock.wim import codec
from wimdock.wim.codec import Codec, Compressor, Decompressor

CODECS = ("xpress", "lzx", "lzms")
CHUNK = 1 << 15
_DATA = st.binary(min_size=1, max_size=200).flatmap(
    lambda piece: st.integers(1, 150).map(lambda count: (piece * count)[:CHUNK])
)


@pytest.mark.parametrize("compression", CODECS)
@given(data=_DATA)
@settings(max_examples=60)
def test_what_is_compressed_comes_back(compression: str, data: bytes) -> None:
    codec = Codec(compression, CHUNK)
    stored = codec.compressor().compress(data)
    assert len(stored) <= len(data)
    if len(stored) == len(data):
        assert stored == data
        return
    target = bytearray(b"\xaa" * (len(data) + 16))
    codec.decompressor().decompress_into(stored, target, 8, len(data))
    assert target == b"\xaa" * 8 + data + b"\xaa" * 8


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize("size", [1, 2, 3, 30])
def test_a_chunk_no_shorter_than_its_content_is_refused(compression: str, size: int) -> None:
    """Libwim 1.13.6 ends the process where its LZMS is given one of 2 bytes."""
    stored = bytes.fromhex("6e8338 42c84629 5e128895 2a277bfd bb3baa4e 7b6e9c2d 569017e42d2d00")
    decompressor = Decompressor(compression, CHUNK)
    with pytest.raises(MalformedImage, match="claims"):
        decompressor.decompress_into(stored, bytearray(64), 0, size)
    with pytest.raises(MalformedImage, match="claims"):
        decompressor.decompress_into(b"", bytearray(64), 0, size)


@pytest.mark.parametrize("compression, chunk_size", [("xpress", 1 << 17), ("lzx", 1 << 22)])
def test_chunks_that_libwim_does_not_take_are_refused(compression: str, chunk_size: int) -> None:
    with pytest.raises(UnsupportedImage, match="cannot be read"):
        Decompressor(compression, chunk_size)
    with pytest.raises(UnsupportedImage, match="cannot be written"):
        Compressor(compression, chunk_size)


_CHANGED = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.wim.test_codec import decompress_changed
for seed in range(2):
    decompress_changed(sys.argv[2], seed)
"""


def decompress_changed(compression: str, seed: int) -> None:
    """Decompress thousands of changed chunks to lengths that are not theirs."""
    from random import Random

    random = Random(seed)
    decompressor, compressor = Decompressor(compression, CHUNK), Compressor(compression, CHUNK)
    for _ in range(1500):
        length = random.choice((5, 40, 300, 4000, CHUNK))
        data = bytes(random.choices(b"abc\xe8\xe9\x00\xff\x48", k=min(length, 60)))
        stored = bytearray(compressor.compress((data * length)[:length]))
        for _ in range(random.choice((1, 2, 8))):
            stored[random.randrange(len(stored))] = random.randrange(256)
        size = random.choice((length, 1, 2, 16, 17, 18, 100, CHUNK, random.randrange(1, CHUNK)))
        target = bytearray(size + 64)
        with suppress(MalformedImage):
            decompressor.decompress_into(bytes(stored), target, 0, size)
        assert not any(target[size:])


@pytest.mark.parametrize("compression", CODECS)
def test_changed_chunks_do_no_harm(compression: str) -> None:
    """In a process of its own, which a fault in libwim would end."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", _CHANGED, str(root), compression]
    subprocess.run(
        command, check=True, cwd=root, env={"PYTHONPATH": str(root / "src")}, timeout=100
    )


def test_a_missing_libwim_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "SONAME", "libwim-that-nobody-has.so.15")
    codec._library.cache_clear()
    try:
        with pytest.raises(MissingLibrary, match="not installed") as caught:
            Decompressor("lzx", CHUNK)
    finally:
        codec._library.cache_clear()
    assert caught.value.exit_code == 3
    assert "apt-get install libwim15" in caught.value.hint
