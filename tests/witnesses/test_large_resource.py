"""A compressed resource over 4 GiB, read whole by wimdock and by wimlib-imagex."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from tests.lab.tool import run
from tests.wim.captured import LONG
from tests.wim.crafted import Crafted, Node, Stored, folder, metadata
from wimdock.events import Reporter
from wimdock.wim import Archive, layout
from wimdock.wim.codec import Compressor
from wimdock.wim.verification import verify

GIB = 1 << 30


def _zeros_over_4_gib(path: Path, first: bytes) -> Path:
    """Write a file with a compressed resource over 4 GiB: one chunk, then the same chunk of zeros.

    Its table has 8 bytes for each chunk.
    """
    chunk_size = 1 << 21
    compressor = Compressor("lzx", chunk_size)
    zeros, start = compressor.compress(bytes(chunk_size)), compressor.compress(first)
    count = 4 * GIB // chunk_size
    ends = [len(start) + index * len(zeros) for index in range(count)]
    data = struct.pack(f"<{count}Q", *ends) + start + zeros * (count - 1) + b"last"
    digest = hashlib.sha1(first, usedforsecurity=False)
    for _ in range(count - 1):
        digest.update(bytes(chunk_size))
    digest.update(b"last")
    size = 4 * GIB + 4
    large = Stored(data, digest.digest(), size=size, flags=layout.RESOURCE_COMPRESSED)
    crafted = Crafted([metadata(folder("", Node("large", sha1=large.sha1)))], [large])
    crafted.flags, crafted.chunk_size = layout.FLAG_COMPRESSION | layout.FLAG_LZX, chunk_size
    return crafted.write(path)


def test_a_compressed_resource_over_4_gib_is_read(tmp_path: Path) -> None:
    """Everything is read and hashed, by wimdock and by wimlib-imagex."""
    path = _zeros_over_4_gib(tmp_path / "large.wim", (LONG * 20)[: 1 << 21])
    with Archive.open(path) as archive:
        assert verify(archive, Reporter()).findings == ()
    run("wimlib-imagex", "verify", path)
