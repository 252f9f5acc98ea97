"""Everything that can be checked about an image file, in one pass that does not stop at a fault.

What goes in: an open archive. What comes out: all findings. A part that cannot be read is a finding
itself, and the checks that need it are left out; the others go on. Memory: the blob table, the
metadata of one image at a time, and a few pieces of content for each thread.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from wimdock.errors import ImageError, StorageError
from wimdock.events import Reporter
from wimdock.wim import layout
from wimdock.wim.archive import Archive
from wimdock.wim.blobs import Blob, BlobTable
from wimdock.wim.counts import count_image, references
from wimdock.wim.findings import Collector, Finding
from wimdock.wim.hashing import Hashing
from wimdock.wim.header import ResourceHeader
from wimdock.wim.image_audit import ImageAudit
from wimdock.wim.integrity import read_integrity
from wimdock.wim.metadata import Metadata
from wimdock.wim.placement import Placement
from wimdock.wim.resource import read_resource
from wimdock.wim.xml import ImageCatalog, ImageCounts, ImageRecord

_REASONS = (ImageError, StorageError)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found, and how much it looked at: images, resources, original bytes."""

    findings: tuple[Finding, ...]
    images: int
    resources: int
    size: int

    def count(self, severity: str) -> int:
        """Count the findings of a severity: "error", "warning" or "note"."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def sound(self) -> bool:
        """Tell whether there is no error; warnings and notes do not count."""
        return not self.count("error")


def verify(archive: Archive, reporter: Reporter, *, threads: int | None = None) -> Verification:
    """Check hashes, structures, counts and the integrity table; give all findings.

    `threads` hash at the same time, by default one for each core. MissingLibrary where libwim is
    not installed; everything about the file itself is a finding.
    """
    return _Pass(archive, reporter, threads).run()


class _Pass:
    """One verification: what later checks need from earlier ones."""

    def __init__(self, archive: Archive, reporter: Reporter, threads: int | None) -> None:
        self._archive = archive
        self._reporter = reporter
        self._findings = Collector()
        self._hashing = Hashing(archive, threads)
        self._blobs: list[Blob] = []  # the metadata ones
        self._damaged: set[bytes] = set()
        self._used: Counter[bytes] = Counter()
        self._all_read = True

    def run(self) -> Verification:
        with self._reporter.step("Verifying the structure"):
            table = self._blob_table()
            self._header()
            catalog = self._catalog()
            placement = Placement(self._archive, table)
            placement.check(self._findings)
            self._all_read = self._all_read and placement.complete
        with self._reporter.step("Verifying the content"):
            self._hash(table, placement)
        sizes = table.sizes() if self._blobs else {}
        for index, blob in enumerate(self._blobs, start=1):
            with self._reporter.step(f"Verifying image {index}"):
                self._findings.scope = f"image {index}"
                record = catalog.record(index) if catalog is not None else None
                self._image(blob, sizes, record)
                self._findings.scope = ""
        if self._all_read:
            self._references(table)
        return Verification(
            self._findings.findings(),
            len(self._blobs),
            len(table),
            self._hashing.total,
        )

    def _blob_table(self) -> BlobTable:
        try:
            table = self._archive.blobs
            self._blobs = table.metadata()
        except _REASONS as error:
            self._findings.add("blob-table-unreadable", "", error.message)
            self._all_read = False
            return BlobTable(b"")
        return table

    def _header(self) -> None:
        header = self._archive.header
        if header.flags & layout.FLAG_WRITE_IN_PROGRESS:
            text = "the header is marked as being written: a write was interrupted, or is going on"
            self._findings.add("write-in-progress", "the header", text)
        if not self._all_read:
            return
        if header.image_count != len(self._blobs):
            text = f"the header counts {header.image_count} images, the file has {len(self._blobs)}"
            self._findings.add("image-count", "the header", text)
        boot, expected = header.boot_index, ResourceHeader()
        if boot > len(self._blobs):
            text = f"image {boot} is to be booted, but there are {len(self._blobs)}"
            self._findings.add("boot-index", "the header", text)
            return
        if boot:
            expected = self._blobs[boot - 1].resource
        found = header.boot_metadata
        if (found.offset, found.stored_size) != (expected.offset, expected.stored_size):
            text = f"the boot metadata at offset {found.offset} is not that of image {boot}"
            if not boot:
                text = "no image is to be booted, but there is boot metadata"
            self._findings.add("boot-index", "the header", text)

    def _catalog(self) -> ImageCatalog | None:
        try:
            catalog = self._archive.xml
        except _REASONS as error:
            self._findings.add("xml-unreadable", "the XML", error.message)
            return None
        if catalog.count != self._archive.header.image_count:
            text = (
                f"the header counts {self._archive.header.image_count} images, "
                f"the XML {catalog.count}"
            )
            self._findings.add("xml-image-count", "the XML", text)
        return catalog

    def _hash(self, table: BlobTable, placement: Placement) -> None:
        self._hashing.add_contents(placement.to_read())
        if self._archive.header.integrity.size:
            try:
                integrity = read_integrity(self._archive, self._archive.header)
                self._hashing.add_integrity(integrity)
            except _REASONS as error:
                self._findings.add("integrity-table-unreadable", "", error.message)
        for fault in self._hashing.run(self._reporter):
            if fault.in_integrity:
                text = fault.reason or "its bytes do not match the integrity table"
                self._findings.add("integrity-chunk", f"chunk {fault.position}", text)
                continue
            blob = table[fault.position]
            where = f"offset {blob.resource.offset}"
            if fault.found is None:
                self._findings.add("resource-unreadable", where, fault.reason)
            else:
                code = "metadata-hash" if blob.is_metadata else "content-hash"
                text = f"SHA-1 {fault.found.hex()} found, {blob.sha1.hex()} recorded"
                self._findings.add(code, where, text)
            self._damaged.add(blob.sha1)
        self._damaged.update(placement.unread_hashes())

    def _image(self, blob: Blob, sizes: dict[bytes, int], record: ImageRecord | None) -> None:
        try:
            metadata = Metadata(read_resource(self._archive, blob.resource))
            ImageAudit(metadata, sizes, self._damaged, self._findings).run()
            self._used.update(references(metadata))
            counts = count_image(metadata, sizes)
        except _REASONS as error:
            self._findings.add("image-unreadable", "", error.message)
            self._all_read = False
            return
        if record is not None:
            self._counts(counts, record)

    def _counts(self, counts: ImageCounts, record: ImageRecord) -> None:
        # Windows' own library leaves the root out of its count of folders, wimlib does not.
        folders = (None, counts.directories, counts.directories - 1)
        if record.directory_count not in folders or record.file_count not in (None, counts.files):
            text = (
                f"{counts.directories} folders and {counts.files} files, but the XML says "
                f"{record.directory_count} and {record.file_count}"
            )
            self._findings.add("xml-names", "the XML", text)
        for what, found, said in (
            ("bytes", counts.total_bytes, record.total_bytes),
            ("hard-linked bytes", counts.hard_link_bytes, record.hard_link_bytes),
        ):
            if said is not None and said != found:
                text = f"{found} {what}, but the XML says {said} (producers count differently)"
                self._findings.add("xml-bytes", "the XML", text)

    def _references(self, table: BlobTable) -> None:
        seen: set[bytes] = set()
        for blob in table:
            if blob.is_metadata:
                continue
            where = f"SHA-1 {blob.sha1.hex()}"
            if blob.sha1 in seen:
                self._findings.add("duplicate-content", where)
                continue
            seen.add(blob.sha1)
            used = self._used[blob.sha1]
            if not used:
                text = f"no image refers to these {blob.resource.size} bytes"
                self._findings.add("unreferenced-content", where, text)
            elif used != blob.references:
                text = f"referred to {used} times, but {blob.references} are recorded"
                self._findings.add("reference-count", where, text)
