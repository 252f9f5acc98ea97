"""Resources: all forms of storing them, resources over 4 GiB, and tables that lie."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.wim.captured import FILES, FORMS, LONG
from tests.wim.crafted import Crafted, Node, Stored, content, folder, metadata, sha1
from wimdock.errors import CorruptImage, MalformedImage, UnsupportedImage
from wimdock.paths import ImagePath
from wimdock.wim import Archive, layout
from wimdock.wim.codec import Codec, Compressor
from wimdock.wim.header import ResourceHeader
from wimdock.wim.resource import (
    LARGEST_RATIO,
    OpenFile,
    hash_resource,
    read_chunks,
    read_resource,
    read_stored_chunks,
    read_verified,
)

GIB = 1 << 30
COMPRESSED = layout.RESOURCE_COMPRESSED


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., OpenFile]:
    """Give a function that makes an open file of these bytes behind an empty header."""

    def make(data: bytes, compression: str = "xpress", chunk_size: int = 1 << 12) -> OpenFile:
        path = tmp_path / "file"
        path.write_bytes(bytes(layout.HEADER_SIZE) + data)
        fd = os.open(path, os.O_RDONLY)
        return OpenFile(fd, layout.HEADER_SIZE + len(data), Codec(compression, chunk_size))

    return make


def _compressed(data: bytes, compression: str, chunk_size: int) -> bytes:
    compressor = Compressor(compression, chunk_size)
    pieces = [data[at : at + chunk_size] for at in range(0, len(data), chunk_size)]
    chunks = [compressor.compress(piece) for piece in pieces]
    ends = [sum(map(len, chunks[: index + 1])) for index in range(len(chunks) - 1)]
    return struct.pack(f"<{len(ends)}I", *ends) + b"".join(chunks)


@pytest.mark.parametrize("form", FORMS)
def test_every_file_of_every_form_is_read(form: str, captured: Callable[[str], Path]) -> None:
    with Archive.open(captured(form)) as archive:
        image = archive.image(1)
        for name, content in FILES.items():
            entry = image.lookup(ImagePath(name))
            assert entry is not None, name
            assert image.read(entry) == content
        long = archive.blobs.get(sha1(LONG)).resource
        assert b"".join(read_chunks(archive, long)) == LONG
        assert hash_resource(archive, long) == sha1(LONG)
        stored = read_stored_chunks(archive, long)
        if form == "none":
            assert stored == []
        else:
            assert len(stored) == -(-len(LONG) // archive.header.chunk_size)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 300_000])
@pytest.mark.parametrize("compression", ["xpress", "lzx", "lzms"])
def test_any_length_is_read(size: int, compression: str, source: Callable[..., OpenFile]) -> None:
    data = (LONG * 3)[:size]
    stored = _compressed(data, compression, 1 << 12)
    file = source(stored, compression)
    header = ResourceHeader(len(stored), COMPRESSED, layout.HEADER_SIZE, size)
    assert read_resource(file, header) == data


def test_nothing_is_read_of_an_empty_resource(source: Callable[..., OpenFile]) -> None:
    header = ResourceHeader(0, 0, layout.HEADER_SIZE, 0)
    assert read_resource(source(b""), header) == b""
    assert read_stored_chunks(source(b""), header) == []


@pytest.mark.parametrize(
    "header, words",
    [
        (ResourceHeader(10, 0, 100, 10), "within the file"),
        (ResourceHeader(1 << 40, 0, 208, 1 << 40), "within the file"),
        (ResourceHeader(10, 0, (1 << 64) - 5, 10), "within the file"),
        (ResourceHeader(10, 0, 208, 11), "claims 11"),
        (ResourceHeader(10, COMPRESSED, 208, 1 << 62), "claims"),
        (ResourceHeader(10, COMPRESSED, 208, 4096 * 4), "chunk table"),
        (ResourceHeader(10, COMPRESSED, 208, 8192), "stored bytes"),
    ],
)
def test_impossible_resources_are_refused(
    header: ResourceHeader, words: str, source: Callable[..., OpenFile]
) -> None:
    with pytest.raises(MalformedImage, match=words):
        read_resource(source(b"\xff" * 100), header)


@pytest.mark.parametrize("flag", [layout.RESOURCE_SOLID, layout.RESOURCE_SPANNED])
def test_solid_and_spanned_resources_are_refused(
    flag: int, source: Callable[..., OpenFile]
) -> None:
    with pytest.raises(UnsupportedImage, match="solid or spanned"):
        read_resource(source(b"a" * 9), ResourceHeader(9, flag, 208, 9))


def test_a_compressed_resource_in_an_uncompressed_file_is_refused(
    source: Callable[..., OpenFile],
) -> None:
    with pytest.raises(MalformedImage, match="names no compression"):
        read_resource(source(b"a" * 9, "none", 0), ResourceHeader(9, COMPRESSED, 208, 99))


def test_a_chunk_that_does_not_decompress_is_refused(source: Callable[..., OpenFile]) -> None:
    with pytest.raises(MalformedImage, match="cannot be decompressed"):
        read_resource(source(b"\xff" * 9, "lzx"), ResourceHeader(9, COMPRESSED, 208, 4096))


def test_what_is_read_whole_is_bounded(source: Callable[..., OpenFile]) -> None:
    data = bytes(200_000)
    stored = _compressed(data, "lzx", 1 << 15)
    file = source(stored, "lzx", 1 << 15)
    header = ResourceHeader(len(stored), COMPRESSED, layout.HEADER_SIZE, len(data))
    assert len(data) < file.size * LARGEST_RATIO
    with pytest.raises(MalformedImage, match="too long"):
        read_resource(file, header, limit=len(data) - 1)


def test_other_content_than_recorded_is_named(source: Callable[..., OpenFile]) -> None:
    header = ResourceHeader(5, 0, layout.HEADER_SIZE, 5)
    with pytest.raises(CorruptImage, match="the letter has SHA-1"):
        read_verified(source(b"hello"), header, sha1(b"other"), "the letter")


def test_an_uncompressed_resource_over_4_gib_is_read(tmp_path: Path) -> None:
    """Its content is a hole in the file: only its ends are read."""
    size = 4 * GIB + 12_345
    large = Stored(b"end", b"\x11" * 20, hole=size - 3)
    nodes = folder("", Node("large", sha1=large.sha1), Node("small", b"small"))
    crafted = Crafted([metadata(nodes)], [large, content(b"small")])
    with Archive.open(crafted.write(tmp_path / "large.wim")) as archive:
        resource = archive.blobs.get(large.sha1).resource
        assert resource.size == size
        pieces = list(islice(read_chunks(archive, resource), 2))
        assert [any(piece) for piece in pieces] == [False, False]
        tail = ResourceHeader(2048, 0, resource.end - 2048, 2048)
        assert read_resource(archive, tail) == bytes(2045) + b"end"
        entry = archive.image(1).lookup(ImagePath(r"\small"))
        assert entry is not None
        assert archive.image(1).read(entry) == b"small"
        with pytest.raises(MalformedImage, match="too long"):
            archive.read_blob(large.sha1)


def test_a_table_with_8_bytes_for_each_chunk_is_read(source: Callable[..., OpenFile]) -> None:
    """Chunks of 64 KiB, stored as they are, behind a table for 4 GiB; the rest is cut short."""
    chunk_size, size = 1 << 16, 4 * GIB + 1
    count = -(-size // chunk_size)
    ends = [chunk_size * (index + 1) for index in range(count - 1)]
    table = struct.pack(f"<{count - 1}Q", *ends)
    file = source(table + b"first".ljust(chunk_size, b"."), "xpress", chunk_size)
    os.truncate(f"/proc/self/fd/{file.fd}", layout.HEADER_SIZE + len(table) + size)
    file = OpenFile(file.fd, layout.HEADER_SIZE + len(table) + size, file.codec)
    header = ResourceHeader(len(table) + size, COMPRESSED, layout.HEADER_SIZE, size)
    first, second = islice(read_chunks(file, header), 2)
    assert first.startswith(b"first...")
    assert not any(second)


def test_a_table_that_goes_back_is_refused(source: Callable[..., OpenFile]) -> None:
    table = struct.pack("<2I", 20, 10)
    file = source(table + bytes(40))
    with pytest.raises(MalformedImage, match="chunk 1 of a resource claims -10"):
        read_resource(file, ResourceHeader(48, COMPRESSED, layout.HEADER_SIZE, 4096 * 3))


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for compressed in (0, COMPRESSED):
        path.write_bytes(bytes(layout.HEADER_SIZE + 4096))
        with path.open("r+b") as file:
            source = OpenFile(file.fileno(), layout.HEADER_SIZE + 4096, Codec("xpress", 4096))
            file.truncate(layout.HEADER_SIZE + 100)
            with pytest.raises(MalformedImage, match="the file ends inside"):
                read_resource(source, ResourceHeader(4096, compressed, layout.HEADER_SIZE, 4096))
