"""Hashing everything in a file on all cores, with memory for a few pieces only.

The work is cut into jobs: a row of small resources, one large resource, or one chunk of the
integrity table. Decompression and SHA-1 release the interpreter lock, so that threads are enough.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from wimdock.errors import ImageError, StorageError
from wimdock.events import Reporter
from wimdock.wim.archive import Archive
from wimdock.wim.integrity import IntegrityTable, chunk_bounds, hash_chunk
from wimdock.wim.resource import read_chunks

_ROW_BYTES = 4 << 20
_ROW_LENGTH = 256
_MEMORY = 256 << 20
_SECONDS_BETWEEN_REPORTS = 0.2


@dataclass(frozen=True, slots=True)
class Fault:
    """Something whose hash is wrong: an entry of the blob table, or a chunk of the integrity table.

    `found` is the SHA-1 of what was read, or None where reading failed for `reason`.
    """

    position: int
    found: bytes | None
    reason: str = ""
    in_integrity: bool = False


class Hashing:
    """One pass over the resources of a file, and over the file itself for its integrity table."""

    def __init__(self, archive: Archive, threads: int | None = None) -> None:
        """Use `threads` threads, or one for each core, as far as large chunks leave memory."""
        self._archive = archive
        cores = len(os.sched_getaffinity(0))
        most = max(1, _MEMORY // (2 * max(archive.header.chunk_size, 1)))
        self._threads = threads or min(cores, most)
        self._rows: list[tuple[int, ...]] = []
        self._chunks: range = range(0)
        self._table: IntegrityTable | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self.done = 0
        self.total = 0

    def add_contents(self, places: Iterable[tuple[int, int]]) -> None:
        """Take entries of the blob table, in the order in which they lie in the file.

        For each its position in the table and its original size.
        """
        row: list[int] = []
        weight = 0
        for position, size in places:
            if row and (weight + size > _ROW_BYTES or len(row) >= _ROW_LENGTH):
                self._rows.append(tuple(row))
                row, weight = [], 0
            row.append(position)
            weight += size
            self.total += size
        if row:
            self._rows.append(tuple(row))

    def add_integrity(self, table: IntegrityTable) -> None:
        """Take the chunks of the integrity table."""
        self._table = table
        self._chunks = range(len(table))
        self.total += self._archive.header.blob_table.end

    def run(self, reporter: Reporter) -> list[Fault]:
        """Hash it all, report progress in original bytes, and give what is wrong."""
        faults: list[Fault] = []
        with ThreadPoolExecutor(self._threads, "hashing") as pool:
            waiting: set[Future[list[Fault]]] = set()
            try:
                for future in self._submitted(pool, waiting, reporter):
                    faults.extend(future.result())
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        reporter.progress(self.total, self.total)
        return sorted(faults, key=lambda fault: (fault.in_integrity, fault.position))

    def _submitted(
        self,
        pool: ThreadPoolExecutor,
        waiting: set[Future[list[Fault]]],
        reporter: Reporter,
    ) -> Iterator[Future[list[Fault]]]:
        """Keep a few jobs waiting, so that a file of any length takes the same memory."""

        def settled(most: int) -> Iterator[Future[list[Fault]]]:
            while len(waiting) > most:
                ended, _ = wait(waiting, _SECONDS_BETWEEN_REPORTS, FIRST_COMPLETED)
                reporter.progress(self.done, self.total)
                waiting.difference_update(ended)
                yield from ended

        for row in self._rows:
            waiting.add(pool.submit(self._hash_row, row))
            yield from settled(self._threads * 4)
        for chunk in self._chunks:
            waiting.add(pool.submit(self._hash_chunk, chunk))
            yield from settled(self._threads * 4)
        yield from settled(0)

    def _advance(self, count: int) -> None:
        with self._lock:
            self.done += count

    def _hash_row(self, row: tuple[int, ...]) -> list[Fault]:
        faults: list[Fault] = []
        for position in row:
            blob = self._archive.blobs[position]
            digest = hashlib.sha1(usedforsecurity=False)
            try:
                for piece in read_chunks(self._archive, blob.resource):
                    if self._stopped.is_set():
                        return faults
                    digest.update(piece)
                    self._advance(len(piece))
            except (ImageError, StorageError) as error:
                faults.append(Fault(position, None, error.message))
                continue
            if digest.digest() != blob.sha1:
                faults.append(Fault(position, digest.digest()))
        return faults

    def _hash_chunk(self, chunk: int) -> list[Fault]:
        if self._table is None or self._stopped.is_set():
            return []
        size, end = self._table.chunk_size, self._archive.header.blob_table.end
        try:
            found = hash_chunk(self._archive.fd, size, chunk, end)
        except (ImageError, StorageError) as error:
            return [Fault(chunk, None, error.message, in_integrity=True)]
        start, stop = chunk_bounds(size, chunk, end)
        self._advance(stop - start)
        if found != self._table[chunk]:
            return [Fault(chunk, found, in_integrity=True)]
        return []
