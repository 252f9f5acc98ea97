"""The transaction: an image file changed in place, by appending and flipping one header.

Order of writes:
1. the tail that a crash may have left behind the committed end is cut off;
2. new content, the new metadata of changed images, blob table, XML and integrity table are
   appended; flushed to the disk; read back from it and checked;
3. the sidecar with the record of the old and the new state is replaced, and flushed;
4. the 208-byte header is written: that one write is the commit; flushed.

The header lies within the first sector of the file, and a sector is written or is not. Committed is
what the header refers to. A crash before 4 leaves the old image with a tail that no
reader sees, a crash after it the new image. Idempotent by the header: a transaction that is not
committed changes nothing that a reader sees, so it can simply be made again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from wimdock.clock import Clock, SystemClock
from wimdock.errors import (
    CorruptImage,
    GenerationError,
    MalformedImage,
    UsageError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.files import Disk, read_at
from wimdock.wim import layout
from wimdock.wim.appender import Appender, Content, ContentReference, content_hash
from wimdock.wim.archive import Archive
from wimdock.wim.blobs import Blob
from wimdock.wim.counts import count_image, references
from wimdock.wim.editor import EditedMetadata, MetadataEditor
from wimdock.wim.generations import (
    Generation,
    current_generation,
    read_generations,
    reconcile,
    write_generations,
)
from wimdock.wim.header import Header, ResourceHeader
from wimdock.wim.integrity import build_integrity, read_integrity
from wimdock.wim.metadata import Metadata
from wimdock.wim.resource import OpenFile, hash_resource, read_stored_chunks, read_verified
from wimdock.wim.write_access import locked_archive, refuse_unwritable
from wimdock.wim.xml import ImageCounts

_FEW = 16


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit made: the generation, and how many bytes the file grew by."""

    generation: Generation
    added: int


class Transaction:
    """An image file locked for writing. Made by `begin`; nothing is written before `add`."""

    def __init__(
        self, archive: Archive, disk: Disk, clock: Clock, reporter: Reporter, threads: int
    ) -> None:
        """Take a locked archive; read its records and find where it ends."""
        refuse_unwritable(archive)
        self.archive = archive
        self.end = archive.committed_end
        self._disk = disk
        self._clock = clock
        self._reporter = reporter
        self.generations = reconcile(
            read_generations(archive.path), archive.raw_header, self.end, clock.now()
        )
        self._appender = Appender(archive.fd, self.end, archive.codec, disk, threads)
        self._threads = threads
        self._started = False
        self._references: Counter[bytes] = Counter()
        self._metadata: dict[int, Blob] = {}
        self._counts: dict[int, ImageCounts] = {}

    @classmethod
    @contextmanager
    def begin(
        cls,
        path: Path | str,
        *,
        disk: Disk | None = None,
        clock: Clock | None = None,
        reporter: Reporter | None = None,
        threads: int | None = None,
    ) -> Iterator[Self]:
        """Lock an image file for writing; leaving the block without `commit` undoes everything.

        ImageBusy where another program holds the lock, any other ImageError or StorageError where
        the file cannot be written.
        """
        with locked_archive(path) as archive:
            transaction = cls(
                archive,
                disk or Disk(),
                clock or SystemClock(),
                reporter or Reporter(),
                threads or len(os.sched_getaffinity(0)),
            )
            try:
                yield transaction
            finally:
                transaction._end()

    def _end(self) -> None:
        self._appender.close()
        # Whether the header was flipped is asked of the file: an interrupt may come at any moment.
        # A tail is harmless and the next writer cuts it off too; what matters is the error that is
        # on its way.
        fd = self.archive.fd
        with suppress(WimdockError):
            if self._started and read_at(fd, layout.HEADER_SIZE, 0) == self.archive.raw_header:
                self._disk.truncate(fd, self.end)

    @property
    def current(self) -> Generation:
        """The state that the file is in."""
        found = current_generation(self.generations, self.archive.raw_header)
        if found is None:
            message = "the current state is not recorded"
            raise GenerationError(message)
        return found

    def _start(self) -> None:
        """Forget what was undone, then cut it off: its bytes are about to be written over."""
        if self._started:
            return
        self._started = True
        kept = [g for g in self.generations if g.number <= self.current.number]
        if kept != self.generations:
            self.generations = kept
            write_generations(self.archive.path, kept, self._disk)
        if os.fstat(self.archive.fd).st_size > self.end:
            self._disk.truncate(self.archive.fd, self.end)

    # What goes in

    def add(self, contents: Iterable[Content]) -> Iterator[ContentReference]:
        """Append each content that the file does not hold yet; give the references in order."""
        self._start()
        return self._appender.append_all(contents, self.archive.blobs.index)

    def size_of(self, sha1: bytes) -> int:
        """Give the size of content that the file holds or that was added, in bytes; else 0."""
        blob = self._appender.written.get(sha1) or self.archive.blobs.find(sha1)
        return 0 if blob is None else blob.resource.size

    @contextmanager
    def edit(self, index: int) -> Iterator[MetadataEditor]:
        """Edit the metadata of an image; it is appended when the block ends without an error."""
        if index in self._metadata:
            message = f"image {index} was edited in this transaction already"
            raise UsageError(message, hint="Make all edits of an image at once.")
        metadata = self.archive.image(index).metadata
        editor = MetadataEditor(metadata, self.size_of)
        yield editor
        edited = editor.build()
        self._start()
        old = self.archive.metadata_blobs[index - 1]
        stored = read_stored_chunks(self.archive, old.resource)
        resource = self._appender.append_metadata(edited.data, metadata.buffer, stored)
        self._metadata[index] = Blob(old.position, resource, 1, content_hash(edited.data))
        self._counts[index] = self._new_counts(index, edited)
        self._references.update(edited.references)
        self.archive.release_image()

    def _new_counts(self, index: int, edited: EditedMetadata) -> ImageCounts:
        before = self.archive.xml.counts(index)
        if before is not None:
            return before + edited.counts
        sizes = self.archive.blobs.sizes()
        sizes.update((sha1, blob.resource.size) for sha1, blob in self._appender.written.items())
        return count_image(Metadata(bytes(edited.data)), sizes)

    # Commit

    def commit(
        self,
        note: str,
        confirm: Callable[[Archive], None] | None = None,
        *,
        token: str = "",
        permit: Callable[[], None] | None = None,
    ) -> Commit:
        """Write tables, flush, check, record, flip the header. See the top of this file.

        `confirm` is shown the file as it will be, before it is; `permit` is asked last of all. If
        one of them raises, nothing changes. `token` is recorded with the generation.
        """
        now = self._clock.now()
        with self._reporter.step("Append tables"):
            table = self._new_blob_table()
            document = self._new_xml(now, self._appender.offset + len(table))
            header = self._append_tables(table, document)
            self._appender.flush_buffer()
            self._disk.flush(self.archive.fd)
        with self._reporter.step("Check what was written"):
            self._check(header, table, document)
            if confirm is not None:
                confirm(Archive(self.archive.fd, self.archive.path, header.pack()))
        with self._reporter.step("Commit") as step:
            generation = self._record(header, note, now, token)
            if permit is not None:
                permit()
            self._disk.write_at(self.archive.fd, generation.header, 0)
            self._disk.flush(self.archive.fd)
            step.result = f"generation {generation.number}"
        return Commit(generation, generation.added)

    def _new_blob_table(self) -> bytes:
        table = bytearray(self.archive.blobs.data)
        index = self.archive.blobs.index
        gone: list[int] = []
        for sha1, change in self._references.items():
            position = index.get(sha1)
            if position is None:
                if change > 0 and sha1 not in self._appender.written:
                    message = f"the image would refer to content that is missing: {sha1.hex()}"
                    raise MalformedImage(message)
                continue
            at = position * layout.BLOB_SIZE + layout.BLOB_REFERENCES_AT
            count = layout.BLOB_REFERENCES.unpack_from(table, at)[0] + change
            if count <= 0:
                gone.append(position)
            # What is referred to in spite of its count is not taken out below: it counts as once.
            layout.BLOB_REFERENCES.pack_into(table, at, min(max(count, 1), 0xFFFFFFFF))
        for blob in self._metadata.values():
            _pack_blob(table, blob.position, blob.resource, 1, blob.sha1)
        for sha1, blob in self._appender.written.items():
            count = self._references[sha1]
            if count > 0:
                table += bytes(layout.BLOB_SIZE)
                position = len(table) // layout.BLOB_SIZE - 1
                _pack_blob(table, position, blob.resource, count, sha1)
        unused = self._unused(gone)
        for position in sorted(unused, reverse=True):
            at = position * layout.BLOB_SIZE
            del table[at : at + layout.BLOB_SIZE]
        return bytes(table)

    def _unused(self, candidates: list[int]) -> list[int]:
        """Give those that no image refers to: the counts in the file alone are not trusted."""
        blobs = self.archive.blobs
        wanted = {blobs[position].sha1: position for position in candidates}
        for number, old in enumerate(self.archive.metadata_blobs, start=1):
            if not wanted:
                break
            self._appender.flush_buffer()
            blob = self._metadata.get(number, old)
            what = f"the metadata of image {number}"
            metadata = Metadata(read_verified(self._appended(), blob.resource, blob.sha1, what))
            for sha1 in _referred_to(metadata, list(wanted)):
                del wanted[sha1]
        return list(wanted.values())

    def _appended(self) -> OpenFile:
        """Give the file as it is now, behind its committed end too."""
        return OpenFile(self.archive.fd, os.fstat(self.archive.fd).st_size, self.archive.codec)

    def _new_xml(self, now: datetime, total_bytes: int) -> bytes:
        xml = self.archive.xml
        for index, counts in self._counts.items():
            xml.set_counts(index, counts, now)
        xml.set_total_bytes(total_bytes)
        return xml.pack()

    def _append_tables(self, table: bytes, document: bytes) -> Header:
        old = self.archive.header
        plain = ~layout.RESOURCE_COMPRESSED
        blob_table = self._appender.append_plain(table, old.blob_table.flags & plain)
        xml = self._appender.append_plain(document, old.xml.flags & plain)
        integrity = ResourceHeader()
        if old.integrity.size:
            self._appender.flush_buffer()
            before = read_integrity(self.archive, old)
            hashes = build_integrity(self.archive.fd, blob_table.end, before, old.blob_table.end)
            integrity = self._appender.append_plain(hashes, old.integrity.flags & plain)
        boot = old.boot_metadata
        if old.boot_index in self._metadata:
            boot = self._metadata[old.boot_index].resource
        return old.with_(blob_table=blob_table, xml=xml, boot_metadata=boot, integrity=integrity)

    def _check(self, header: Header, table: bytes, document: bytes) -> None:
        """Read back from the disk what was appended and compare hashes.

        The same for content that the file held before and that new names refer to: what is
        installed by a reference only must be sound too.
        """
        fd = self.archive.fd
        length = self._appender.offset - self.end
        # So that the disk is read and not the memory that was written from.
        os.posix_fadvise(fd, self.end, length, os.POSIX_FADV_DONTNEED)
        appended = self._appended()
        reused = self._reused()
        expected = [*reused, *self._appender.written.values(), *self._metadata.values()]
        done = 0
        total = sum(blob.resource.size for blob in expected)
        found = self._appender.on_all_threads(
            lambda blob: hash_resource(appended, blob.resource), expected
        )
        for number, (blob, sha1) in enumerate(zip(expected, found, strict=True)):
            if sha1 != blob.sha1:
                if number < len(reused):
                    message = (
                        f"the file holds {blob.sha1.hex()}, which the change needs, but damaged"
                    )
                    raise CorruptImage(
                        message,
                        hint="`wimdock verify` lists all damage; take the file from a backup.",
                    )
                message = f"what was written at offset {blob.resource.offset} reads back otherwise"
                raise CorruptImage(message, hint="Check the disk; the image is as it was before.")
            done += blob.resource.size
            self._reporter.progress(done, total)
        for resource, what in ((header.blob_table, table), (header.xml, document)):
            if read_at(fd, resource.size, resource.offset) != what:
                message = f"what was written at offset {resource.offset} reads back otherwise"
                raise CorruptImage(message, hint="Check the disk; the image is as it was before.")

    def _reused(self) -> list[Blob]:
        """Give the content of the file as it was that is referred to more often than before."""
        blobs = self.archive.blobs
        written = self._appender.written
        wanted = (s for s, change in self._references.items() if change > 0 and s not in written)
        return [blob for blob in map(blobs.find, wanted) if blob is not None]

    def _record(self, header: Header, note: str, now: datetime, token: str) -> Generation:
        current = self.current
        length = self._appender.offset
        generation = Generation(
            current.number + 1,
            header.pack(),
            length,
            length - self.end,
            now,
            note,
            committed=False,
            token=token,
        )
        self.generations = [*self.generations, generation]
        write_generations(self.archive.path, self.generations, self._disk)
        return generation


def _referred_to(metadata: Metadata, hashes: list[bytes]) -> list[bytes]:
    """Give those that the metadata refers to; a few are quicker to search for than all to count."""
    if len(hashes) <= _FEW:
        return [sha1 for sha1 in hashes if metadata.buffer.find(sha1) >= 0]
    found = references(metadata)
    return [sha1 for sha1 in hashes if sha1 in found]


def _pack_blob(
    table: bytearray, position: int, resource: ResourceHeader, references: int, sha1: bytes
) -> None:
    layout.BLOB.pack_into(
        table,
        position * layout.BLOB_SIZE,
        resource.stored_size | resource.flags << 56,
        resource.offset,
        resource.size,
        1,
        references,
        sha1,
    )
