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
        raise MalformedImage(message, hint="The file is cut off or damaged: take a backup.")
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


def _chunk_bounds(source: Source, resource: ResourceHeader) -> tuple[int, list[int]]:
    """Give the offset of the first chunk and the bounds of all chunks relative to it."""
    chunks = -(-resource.size // source.codec.chunk_size)
    width, letter = (8, "Q") if resource.size >= 1 << 32 else (4, "I")
    table_size = (chunks - 1) * width
    if table_size >= resource.stored_size:
        message = "the chunk table is longer than its resource"
        raise MalformedImage(message)
    table = read_at(source.fd, table_size, resource.offset)
    if len(table) != table_size:
        message = "the file ends inside a chunk table"
        raise MalformedImage(message)
    bounds = [0, *struct.unpack(f"<{chunks - 1}{letter}", table)]
    bounds.append(resource.stored_size - table_size)
    for index in range(chunks):
        stored = bounds[index + 1] - bounds[index]
        if not 0 < stored <= source.codec.chunk_size:
            message = f"chunk {index} of a resource claims {stored} stored bytes"
            raise MalformedImage(message)
    return resource.offset + table_size, bounds


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
    first, bounds = _chunk_bounds(source, resource)
    chunk_size = source.codec.chunk_size
    batch = max(1, _BATCH // chunk_size)
    chunks = len(bounds) - 1
    for start in range(0, chunks, batch):
        stop = min(start + batch, chunks)
        stored = read_at(source.fd, bounds[stop] - bounds[start], first + bounds[start])
        if len(stored) != bounds[stop] - bounds[start]:
            message = "the file ends inside a resource"
            raise MalformedImage(message)
        room = bytearray(min(stop * chunk_size, resource.size) - start * chunk_size)
        for index in range(start, stop):
            at = (index - start) * chunk_size
            size = min(chunk_size, len(room) - at)
            data = stored[bounds[index] - bounds[start] : bounds[index + 1] - bounds[start]]
            if len(data) == size:
                room[at : at + size] = data
            else:
                source.codec.decompressor().decompress_into(data, room, at, size)
        yield room


def read_resource(
    source: Source, resource: ResourceHeader, limit: int = LARGEST_WHOLE
) -> bytearray:
    """Give all original bytes of a resource; one longer than `limit` is refused."""
    check(source, resource)
    if resource.size > min(limit, source.size * LARGEST_RATIO):
        message = f"a resource of {resource.size} bytes is too long to be read into memory"
        raise MalformedImage(message)
    whole = bytearray()
    for piece in read_chunks(source, resource):
        whole += piece
    return whole


def read_stored_chunks(source: Source, resource: ResourceHeader) -> list[bytes]:
    """Give the chunks of a compressed resource as they are stored."""
    check(source, resource)
    if not resource.size or not resource.compressed:
        return []
    first, bounds = _chunk_bounds(source, resource)
    stored = read_at(source.fd, bounds[-1], first)
    return [stored[a:b] for a, b in pairwise(bounds)]


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
