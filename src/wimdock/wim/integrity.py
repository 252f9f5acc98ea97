"""The integrity table: a SHA-1 for every so many bytes of the file, where a file has one.

It covers the file from the end of its header to the end of its blob table. A file is only ever
appended to, so that the next table takes over the hashes of all chunks that were whole before: the
cost of a write does not grow with the file. Taking hashes over also keeps damage visible: a chunk
that has rotted since does not get a new, matching hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from wimdock.errors import MalformedImage
from wimdock.files import read_at
from wimdock.wim import layout
from wimdock.wim.header import Header
from wimdock.wim.resource import Source, read_resource

# A chunk size of another producer is kept within these bounds; outside them ours is taken.
SMALLEST_CHUNK = 1 << 12
LARGEST_CHUNK = 1 << 27
_START = layout.HEADER_SIZE
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class IntegrityTable:
    """The table of one file: `hashes` holds 20 bytes for each chunk of `chunk_size` bytes."""

    chunk_size: int
    hashes: bytes

    def __len__(self) -> int:
        """Give the number of chunks."""
        return len(self.hashes) // layout.HASH_SIZE

    def __getitem__(self, chunk: int) -> bytes:
        """Give the SHA-1 of a chunk, counted from 0."""
        if not 0 <= chunk < len(self):
            raise IndexError(chunk)
        return self.hashes[chunk * layout.HASH_SIZE : (chunk + 1) * layout.HASH_SIZE]

    def pack(self) -> bytes:
        """Give the table as it is stored."""
        size = layout.INTEGRITY.size + len(self.hashes)
        return layout.INTEGRITY.pack(size, len(self), self.chunk_size) + self.hashes


def read_integrity(source: Source, header: Header) -> IntegrityTable:
    """Give the table that the header names; MalformedImage where it does not fit to its file.

    Call it only where `header.integrity.size` is not zero.
    """
    data = bytes(read_resource(source, header.integrity))
    if len(data) < layout.INTEGRITY.size:
        message = f"an integrity table of {len(data)} bytes is shorter than its header"
        raise MalformedImage(message)
    size, count, chunk_size = layout.INTEGRITY.unpack_from(data)
    expected = layout.INTEGRITY.size + count * layout.HASH_SIZE
    if size != len(data) or size != expected or not chunk_size:
        message = (
            f"the integrity table of {len(data)} bytes claims {size} bytes, {count} chunks "
            f"and {chunk_size} bytes for each chunk"
        )
        raise MalformedImage(message)
    end = header.blob_table.end
    if not _START <= end <= source.size or count != _chunks(end, chunk_size):
        message = f"the integrity table has {count} chunks, which is not what the file needs"
        raise MalformedImage(message)
    return IntegrityTable(chunk_size, data[layout.INTEGRITY.size :])


def check(source: Source, table: IntegrityTable, end: int) -> Iterator[int]:
    """Give the numbers of the chunks before the offset `end` whose bytes have another hash."""
    for chunk in range(len(table)):
        if hash_chunk(source.fd, table.chunk_size, chunk, end) != table[chunk]:
            yield chunk


def hash_chunk(fd: int, chunk_size: int, chunk: int, end: int) -> bytes:
    """Give the SHA-1 of a chunk, counted from 0, of the region that ends at the offset `end`."""
    start, stop = chunk_bounds(chunk_size, chunk, end)
    digest = hashlib.sha1(usedforsecurity=False)
    while start < stop:
        piece = read_at(fd, min(_PIECE, stop - start), start)
        if not piece:
            message = f"the file ends at {start}, inside what its integrity table covers"
            raise MalformedImage(message)
        digest.update(piece)
        start += len(piece)
    return digest.digest()


def chunk_bounds(chunk_size: int, chunk: int, end: int) -> tuple[int, int]:
    """Give the offsets in the file between which a chunk lies."""
    start = _START + chunk * chunk_size
    return start, min(start + chunk_size, end)


def build_integrity(fd: int, end: int, old: IntegrityTable | None, old_end: int) -> bytes:
    """Give the table, as it is stored, for a file whose blob table ends at the offset `end`.

    Hashes of the old table are taken over for every chunk that lies wholly before `old_end`, where
    the old table's region ended; only the rest is read. The old table's chunk size is kept.
    """
    if old is None or not SMALLEST_CHUNK <= old.chunk_size <= LARGEST_CHUNK:
        old, chunk_size = None, layout.INTEGRITY_CHUNK
    else:
        chunk_size = old.chunk_size
    kept = 0
    if old is not None:
        kept = min(len(old), max(0, min(old_end, end) - _START) // chunk_size)
    hashes = bytearray(old.hashes[: kept * layout.HASH_SIZE] if old is not None else b"")
    for chunk in range(kept, _chunks(end, chunk_size)):
        hashes += hash_chunk(fd, chunk_size, chunk, end)
    return IntegrityTable(chunk_size, bytes(hashes)).pack()


def _chunks(end: int, chunk_size: int) -> int:
    return -(-(end - _START) // chunk_size)
