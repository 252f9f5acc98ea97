"""Appending resources to a WIM file: hashed and compressed on all cores, written in order.

Nothing here is committed: until the header is flipped, what was appended is a tail that no reader
sees and that the next writer cuts off.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import Disk, open_file, read_at
from wimdock.wim import layout
from wimdock.wim.blobs import Blob
from wimdock.wim.codec import Codec
from wimdock.wim.header import ResourceHeader

Content = Path | bytes

# Content up to this size is handled as one piece of work, larger content chunk by chunk.
_WHOLE = 4 << 20
_BUFFER = 4 << 20
# Small contents are handed to the threads by the row, so that the hand-over does not cost more
# than the work; so many rows may wait in memory between the threads and the file.
_BATCH = 1 << 20
_BATCHES_IN_FLIGHT = 16
_BLOBS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ContentReference:
    """Content by its hash; `sha1` is None for empty content, `size` counts its bytes.

    `stored` is by how many bytes it made the file grow: 0 where the file held it already.
    """

    sha1: bytes | None
    size: int
    stored: int = 0


@dataclass(frozen=True, slots=True)
class _Prepared:
    sha1: bytes | None
    size: int
    stored: bytes | None


# What is handed to the threads: a row of small contents, or one large content by itself.
_Batch = list[Content] | Path | bytes
_Work = Future[list[_Prepared]] | Path | bytes


def _content_size(content: Content) -> int:
    if isinstance(content, bytes):
        return len(content)
    try:
        return content.stat().st_size
    except OSError as error:
        message = f"{content}: {error.strerror}"
        raise StorageError(message) from error


def _read_whole(path: Path) -> bytes:
    fd = open_file(path)
    try:
        return read_at(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)


def _batches(contents: Iterable[Content]) -> Iterator[_Batch]:
    """Give rows of small contents, and each large content by itself, in order."""
    row: list[Content] = []
    total = 0
    for content in contents:
        size = _content_size(content)
        if row and (size > _WHOLE or total + size > _BATCH):
            yield row
            row, total = [], 0
        if size > _WHOLE:
            yield content
        else:
            row.append(content)
            total += size
    if row:
        yield row


def _read_pieces(path: Path, piece: int) -> Iterator[bytes]:
    fd = open_file(path)
    try:
        offset = 0
        while data := read_at(fd, piece, offset):
            offset += len(data)
            yield data
    finally:
        os.close(fd)


def content_hash(data: bytes | bytearray) -> bytes:
    """Give the SHA-1 by which content is known in a WIM file."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


class Appender:
    """Writes resources one behind the other from an offset on."""

    def __init__(self, fd: int, offset: int, codec: Codec, disk: Disk, threads: int) -> None:
        """Begin to write at `offset` with that codec, on so many threads."""
        self._fd = fd
        self._codec = codec
        self._disk = disk
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="compress")
        self._buffer = bytearray()
        self._flushed = offset
        self.written: dict[bytes, Blob] = {}

    @property
    def offset(self) -> int:
        """Where the next byte goes."""
        return self._flushed + len(self._buffer)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def on_all_threads(self, work: Callable[[Blob], bytes], blobs: list[Blob]) -> Iterator[bytes]:
        """Do some work for every blob and give the results in order."""
        rows = [blobs[at : at + _BLOBS_AT_ONCE] for at in range(0, len(blobs), _BLOBS_AT_ONCE)]
        for results in self._pool.map(lambda row: [work(blob) for blob in row], rows):
            yield from results

    # Bytes

    def _write(self, data: bytes | bytearray) -> None:
        self._buffer += data
        if len(self._buffer) >= _BUFFER:
            self.flush_buffer()

    def flush_buffer(self) -> None:
        """Hand what is buffered to the operating system."""
        if self._buffer:
            self._disk.write_at(self._fd, self._buffer, self._flushed)
            self._flushed += len(self._buffer)
            self._buffer = bytearray()

    def append_plain(self, data: bytes | bytearray, flags: int = 0) -> ResourceHeader:
        """Append bytes as they are: blob table, XML, integrity table."""
        resource = ResourceHeader(len(data), flags, self.offset, len(data))
        self._write(data)
        return resource

    # Chunks

    def _chunks(self, data: bytes | bytearray) -> list[bytes]:
        size = self._codec.chunk_size
        view = memoryview(data)
        return [bytes(view[at : at + size]) for at in range(0, len(data), size)]

    def _compress(self, chunk: bytes) -> bytes:
        return self._codec.compressor().compress(chunk)

    def _assemble(self, stored: list[bytes], size: int) -> bytes:
        return _chunk_table([len(chunk) for chunk in stored], size) + b"".join(stored)

    def append_metadata(
        self, data: bytearray, old: bytes | bytearray, old_stored: list[bytes]
    ) -> ResourceHeader:
        """Append a metadata resource; chunks that are as in the old one are not compressed again.

        `old_stored` holds the stored chunks of `old`, or nothing where it was not compressed.
        """
        flags = layout.RESOURCE_METADATA
        if self._codec.compression == "none":
            return self.append_plain(data, flags)
        size = self._codec.chunk_size
        whole = len(old_stored) - 1  # the last chunk of the old resource may be shorter
        jobs: list[bytes | Future[bytes]] = []
        for number, at in enumerate(range(0, len(data), size)):
            chunk = bytes(data[at : at + size])
            if number < whole and old[at : at + size] == chunk:
                jobs.append(old_stored[number])
            else:
                jobs.append(self._pool.submit(self._compress, chunk))
        stored = [job if isinstance(job, bytes) else job.result() for job in jobs]
        body = self._assemble(stored, len(data))
        if len(body) >= len(data):
            return self.append_plain(data, flags)
        resource = ResourceHeader(
            len(body), flags | layout.RESOURCE_COMPRESSED, self.offset, len(data)
        )
        self._write(body)
        return resource

    # Content

    def append_all(
        self, contents: Iterable[Content], known: Collection[bytes]
    ) -> Iterator[ContentReference]:
        """Append each content that is new and give its reference, in order.

        `known` are the hashes that the file holds already. The first of the work begins at once,
        before the first reference is asked for.
        """
        batches = (self._begin(batch, known) for batch in _batches(contents))
        waiting = deque(islice(batches, _BATCHES_IN_FLIGHT))
        return self._references(waiting, batches, known)

    def _begin(self, batch: _Batch, known: Collection[bytes]) -> _Work:
        if isinstance(batch, list):
            return self._pool.submit(self._prepare_all, batch, known)
        return batch

    def _references(
        self, waiting: deque[_Work], batches: Iterator[_Work], known: Collection[bytes]
    ) -> Iterator[ContentReference]:
        while waiting:
            first = waiting.popleft()
            waiting.extend(islice(batches, 1))
            yield from self._finish(first, known)

    def _finish(self, work: _Work, known: Collection[bytes]) -> Iterator[ContentReference]:
        if isinstance(work, Future):
            yield from (self._append_prepared(done) for done in work.result())
        else:
            yield self._append_large(work, known)

    def _append_prepared(self, done: _Prepared) -> ContentReference:
        if done.sha1 is None or done.stored is None or done.sha1 in self.written:
            return ContentReference(done.sha1, done.size)
        compressed = len(done.stored) < done.size
        flags = layout.RESOURCE_COMPRESSED if compressed else 0
        resource = ResourceHeader(len(done.stored), flags, self.offset, done.size)
        self._write(done.stored)
        self._record(done.sha1, resource)
        return ContentReference(done.sha1, done.size, resource.stored_size)

    def _record(self, sha1: bytes, resource: ResourceHeader) -> None:
        self.written[sha1] = Blob(-1, resource, 0, sha1)

    def _prepare_all(self, batch: list[Content], known: Collection[bytes]) -> list[_Prepared]:
        return [self._prepare(content, known) for content in batch]

    def _prepare(self, content: Content, known: Collection[bytes]) -> _Prepared:
        data = content if isinstance(content, bytes) else _read_whole(content)
        if not data:
            return _Prepared(None, 0, None)
        sha1 = content_hash(data)
        if sha1 in known:
            return _Prepared(sha1, len(data), None)
        if self._codec.compression == "none":
            return _Prepared(sha1, len(data), data)
        stored = [self._compress(chunk) for chunk in self._chunks(data)]
        body = self._assemble(stored, len(data))
        return _Prepared(sha1, len(data), body if len(body) < len(data) else data)

    def _append_large(self, content: Content, known: Collection[bytes]) -> ContentReference:
        digest = hashlib.sha1(usedforsecurity=False)
        size = 0
        for piece in self._pieces(content):
            digest.update(piece)
            size += len(piece)
        sha1 = digest.digest()
        if sha1 in known or sha1 in self.written:
            return ContentReference(sha1, size)
        if self._codec.compression == "none":
            resource = self._append_stored(content, size)
        else:
            resource = self._append_chunked(content, size)
        self._record(sha1, resource)
        return ContentReference(sha1, size, resource.stored_size)

    def _pieces(self, content: Content) -> Iterator[bytes]:
        if isinstance(content, bytes):
            step = self._piece_size
            return (content[at : at + step] for at in range(0, len(content), step))
        return _read_pieces(content, self._piece_size)

    @property
    def _piece_size(self) -> int:
        chunk = max(self._codec.chunk_size, 1) if self._codec.compression != "none" else _WHOLE
        return max(chunk, _WHOLE // chunk * chunk)

    def _append_stored(self, content: Content, size: int) -> ResourceHeader:
        resource = ResourceHeader(size, 0, self.offset, size)
        for piece in self._pieces(content):
            self._write(piece)
        self._same_length(resource.offset + size, content)
        return resource

    def _same_length(self, expected: int, content: Content) -> None:
        if self.offset != expected:
            message = f"{content!r} changed while it was read"
            raise StorageError(message, hint="Keep other programs away from it, then run again.")

    def _append_chunked(self, content: Content, size: int) -> ResourceHeader:
        """Append content chunk by chunk; the table before the chunks is filled in at the end."""
        chunks = -(-size // self._codec.chunk_size)
        table_size = len(_chunk_table([0] * chunks, size))
        self.flush_buffer()
        start = self.offset
        self._flushed += table_size
        lengths: list[int] = []
        seen = 0
        waiting: deque[Future[bytes]] = deque()
        for piece in self._pieces(content):
            seen += len(piece)
            waiting.extend(self._pool.submit(self._compress, c) for c in self._chunks(piece))
            while len(waiting) > self._piece_size // self._codec.chunk_size * 2:
                lengths.append(self._write_chunk(waiting.popleft()))
        while waiting:
            lengths.append(self._write_chunk(waiting.popleft()))
        if seen != size or len(lengths) != chunks:
            self._same_length(-1, content)
        self.flush_buffer()
        stored = self.offset - start
        if stored >= size:
            self._flushed = start
            return self._append_stored(content, size)
        self._disk.write_at(self._fd, _chunk_table(lengths, size), start)
        return ResourceHeader(stored, layout.RESOURCE_COMPRESSED, start, size)

    def _write_chunk(self, work: Future[bytes]) -> int:
        chunk = work.result()
        self._write(chunk)
        return len(chunk)


def _chunk_table(lengths: list[int], size: int) -> bytes:
    """Give the table of a compressed resource: the end of every chunk but the last."""
    ends = []
    at = 0
    for length in lengths[:-1]:
        at += length
        ends.append(at)
    letter = "Q" if size >= 1 << 32 else "I"
    return struct.pack(f"<{len(ends)}{letter}", *ends)
