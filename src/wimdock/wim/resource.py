"""Reading resources: whole or as a stream of chunks, every length checked before it is used.

A compressed resource is a table of chunk ends (4 bytes each, 8 where the original size is 4 GiB or
more; none for the last chunk), then the chunks. A chunk whose stored size equals its original size
is stored as it is.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from wimdock.errors import CorruptImage, MalformedImage, UnsupportedImage
from wimdock.files import read_at
from wimdock.wim import layout
from wimdock.wim.codec import Codec
from wimdock.wim.header import ResourceHeader

# What is read into memory whole (metadata, blob table, XML) may be at most this long, and at most
# this many times longer than its file: more is refused before any memory is taken.
LARGEST_WHOLE = 1 << 30
LARGEST_RATIO = 512
_BATCH = 1 << 20
_TABLE_BATCHES = 1024


class Source(Protocol):
    """An open WIM file, as far as reading a resource needs it."""

    @property
    def fd(self) -> int:
        """The file descriptor."""

    @property
    def size(self) -> int:
        """The length of the file in bytes."""

    @property
    def codec(self) -> Codec:
        """The codec that its header names."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A source by its parts: for a file that is being written."""

    fd: int
    size: int
    codec: Codec


def check(source: Source, resource: ResourceHeader) -> None:
    """Refuse a resource that cannot be: outside the file, of absurd size, of an unknown kind."""
    if resource.flags & (layout.RESOURCE_SOLID | layout.RESOURCE_SPANNED):
        message = "the file holds solid or spanned resources, which wimdock does not work on"
        raise UnsupportedImage(message, hint="Export the image to a plain WIM file first.")
    if resource.offset < layout.HEADER_SIZE or resource.end > source.size:
        message = (
            f"a resource at offset {resource.offset} with {resource.stored_size} bytes "
            f"does not lie within the file of {source.size} bytes"
        )
        raise MalformedImage(message, hint="The file is cut off or damaged: take it from a backup.")
    if resource.compressed:
        if source.codec.compression == "none":
            message = "a resource is compressed in a file that names no compression"
            raise MalformedImage(message)
        chunks = -(-resource.size // source.codec.chunk_size)
        if chunks > resource.stored_size:
            message = f"a resource claims {resource.size} bytes from {resource.stored_size}"
            raise MalformedImage(message)
    elif resource.size != resource.stored_size:
        message = f"a stored resource of {resource.stored_size} bytes claims {resource.size}"
        raise MalformedImage(message)


class _ChunkTable:
    """The chunk table of a compressed resource, read a part at a time: it can be of any length."""

    def __init__(self, source: Source, resource: ResourceHeader) -> None:
        self._source = source
        self._resource = resource
        self.chunks = -(-resource.size // source.codec.chunk_size)
        self._width, self._letter = (8, "Q") if resource.size >= 1 << 32 else (4, "I")
        size = (self.chunks - 1) * self._width
        if size >= resource.stored_size:
            message = "the chunk table is longer than its resource"
            raise MalformedImage(message)
        self.first = resource.offset + size
        self._stored = resource.stored_size - size

    def bounds(self, start: int, stop: int) -> list[int]:
        """Give where the chunks from `start` to before `stop` lie, counted from the first one."""
        begin, end = max(start - 1, 0), min(stop, self.chunks - 1)
        offset = self._resource.offset + begin * self._width
        table = read_at(self._source.fd, (end - begin) * self._width, offset)
        if len(table) != (end - begin) * self._width:
            message = "the file ends inside a chunk table"
            raise MalformedImage(message)
        found = [0] if start == 0 else []
        found += struct.unpack(f"<{end - begin}{self._letter}", table)
        if stop == self.chunks:
            found.append(self._stored)
        for index, (lower, upper) in enumerate(pairwise(found), start):
            if not 0 < upper - lower <= self._source.codec.chunk_size or upper > self._stored:
                message = f"chunk {index} of a resource claims {upper - lower} stored bytes"
                raise MalformedImage(message)
        return found


def read_chunks(source: Source, resource: ResourceHeader) -> Iterator[bytes | bytearray]:
    """Give the original bytes of a resource in order, about a megabyte at a time."""
    check(source, resource)
    if not resource.size:
        return
    if not resource.compressed:
        offset = resource.offset
        while offset < resource.end:
            piece = read_at(source.fd, min(_BATCH, resource.end - offset), offset)
            if not piece:
                message = "the file ends inside a resource"
                raise MalformedImage(message)
            offset += len(piece)
            yield piece
        return
    table = _ChunkTable(source, resource)
    batch = max(1, _BATCH // source.codec.chunk_size)
    for part in range(0, table.chunks, batch * _TABLE_BATCHES):
        end = min(part + batch * _TABLE_BATCHES, table.chunks)
        bounds = table.bounds(part, end)
        for start in range(part, end, batch):
            stop = min(start + batch, end)
            row = bounds[start - part : stop - part + 1]
            size = min(stop * source.codec.chunk_size, resource.size)
            yield _read_row(source, table.first, row, size - start * source.codec.chunk_size)


def _read_row(source: Source, first: int, bounds: list[int], size: int) -> bytearray:
    """Give the `size` original bytes of a row of chunks, which lie at `first` within `bounds`."""
    chunk_size = source.codec.chunk_size
    stored = read_at(source.fd, bounds[-1] - bounds[0], first + bounds[0])
    if len(stored) != bounds[-1] - bounds[0]:
        message = "the file ends inside a resource"
        raise MalformedImage(message)
    room = bytearray(size)
    at = 0
    for lower, upper in pairwise(bounds):
        length = min(chunk_size, size - at)
        data = stored[lower - bounds[0] : upper - bounds[0]]
        if len(data) == length:
            room[at : at + length] = data
        else:
            source.codec.decompressor().decompress_into(data, room, at, length)
        at += length
    return room


def read_resource(
    source: Source, resource: ResourceHeader, limit: int = LARGEST_WHOLE
) -> bytearray:
    """Give all original bytes of a resource; one longer than `limit` is refused."""
    check(source, resource)
    if resource.size > min(limit, source.size * LARGEST_RATIO):
        message = f"a resource of {resource.size} bytes is too long to be read into memory"
        raise MalformedImage(message)
    if not resource.compressed and resource.size <= _BATCH:
        # Most content is small and stored as it is: one read, no pieces.
        data = read_at(source.fd, resource.size, resource.offset)
        if len(data) != resource.size:
            message = "the file ends inside a resource"
            raise MalformedImage(message)
        return bytearray(data)
    whole = bytearray()
    for piece in read_chunks(source, resource):
        whole += piece
    return whole


def read_stored_chunks(source: Source, resource: ResourceHeader) -> list[bytes]:
    """Give the chunks of a compressed resource as they are stored."""
    check(source, resource)
    if not resource.size or not resource.compressed:
        return []
    table = _ChunkTable(source, resource)
    bounds = table.bounds(0, table.chunks)
    stored = read_at(source.fd, bounds[-1], table.first)
    return [stored[lower:upper] for lower, upper in pairwise(bounds)]


def hash_resource(source: Source, resource: ResourceHeader) -> bytes:
    """Give the SHA-1 of the original bytes."""
    digest = hashlib.sha1(usedforsecurity=False)
    for piece in read_chunks(source, resource):
        digest.update(piece)
    return digest.digest()


def read_verified(
    source: Source,
    resource: ResourceHeader,
    sha1: bytes,
    what: str,
    limit: int = LARGEST_WHOLE,
) -> bytearray:
    """Give all original bytes of a resource, or raise CorruptImage where their hash differs."""
    data = read_resource(source, resource, limit)
    found = hashlib.sha1(data, usedforsecurity=False).digest()
    if found != sha1:
        message = f"{what} has SHA-1 {found.hex()}, but {sha1.hex()} is recorded for it"
        raise CorruptImage(message)
    return data
