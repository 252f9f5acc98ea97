"""Where the resources of a file lie: within it, not over each other, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.wim import layout
from wimdock.wim.archive import Archive
from wimdock.wim.blobs import BlobTable
from wimdock.wim.findings import Collector

_STORED_SIZE = (1 << 56) - 1
_NAMED = -1

# Offset, end, position in the blob table, original size, and a name for what is not in that table.
_Extent = tuple[int, int, int, int, str]


class Placement:
    """The extents of everything in a file, in the order of their offsets."""

    def __init__(self, archive: Archive, table: BlobTable) -> None:
        """Take the resources that the header and the blob table name."""
        self._table = table
        self._size = archive.size
        header = archive.header
        # Without the blob table nobody can tell what belongs to nothing.
        self._is_known = bool(len(table)) or not header.blob_table.size
        self._extents: list[_Extent] = [(0, layout.HEADER_SIZE, _NAMED, 0, "the header")]
        self._unread: set[int] = set()
        self._repeated: set[int] = set()
        self._elsewhere: list[tuple[int, int]] = []
        for resource, name in (
            (header.blob_table, "the blob table"),
            (header.xml, "the XML"),
            (header.integrity, "the integrity table"),
        ):
            if resource.stored_size:
                self._extents.append((resource.offset, resource.end, _NAMED, 0, name))
        for position, fields in enumerate(layout.BLOB.iter_unpack(table.data)):
            word, offset, size, part, _, _ = fields
            stored = word & _STORED_SIZE
            if part != 1:
                self._elsewhere.append((position, part))
                self._unread.add(position)
            else:
                self._extents.append((offset, offset + stored, position, size, ""))
        self._extents.sort()

    @property
    def complete(self) -> bool:
        """Tell whether all resources lie in this file, and not in other parts of a split one."""
        return not self._elsewhere

    def to_read(self) -> Iterator[tuple[int, int]]:
        """Give position in the blob table and original size of what is worth hashing.

        After `check`. What lies outside the file or over other resources is left out: reading it
        could take any amount of time, and it is a finding already.
        """
        for _, _, position, size, _ in self._extents:
            if position >= 0 and position not in self._unread and position not in self._repeated:
                yield position, size

    def unread_hashes(self) -> Iterator[bytes]:
        """Give the recorded SHA-1 of what `to_read` leaves out because of a fault."""
        for position in self._unread:
            yield self._hash(position)

    def _hash(self, position: int) -> bytes:
        end = (position + 1) * layout.BLOB_SIZE
        return self._table.data[end - layout.HASH_SIZE : end]

    def _name(self, extent: _Extent) -> str:
        return extent[4] or f"the resource with SHA-1 {self._hash(extent[2]).hex()}"

    def check(self, findings: Collector) -> None:
        """Report what lies outside or over each other, unused space, and a leftover tail."""
        for position, part in self._elsewhere:
            text = f"a resource lies in part {part} of a split WIM file"
            findings.add("resource-outside-file", f"entry {position} of the blob table", text)
        reached = unused = 0
        before = self._extents[0]
        for extent in self._extents:
            start, end = extent[:2]
            if not self._is_possible(extent, findings):
                self._unread.add(extent[2])
            elif start == end:
                continue
            elif start < reached:
                self._report_overlap(extent, before, findings)
            else:
                unused += start - reached
            if reached < end <= self._size:
                reached, before = end, extent
        self._unread.discard(_NAMED)
        if not self._is_known:
            return
        if unused:
            text = (
                f"{unused} bytes before offset {reached} belong to nothing, or to older "
                "generations: an export leaves them out"
            )
            findings.add("unused-space", "", text)
        if self._size > reached:
            text = (
                f"{self._size - reached} bytes follow the last resource: an unfinished write, or "
                "a generation that was rolled back; the next write removes them"
            )
            findings.add("leftover-tail", f"offset {reached}", text)

    def _is_possible(self, extent: _Extent, findings: Collector) -> bool:
        start, end, _, size, _ = extent
        if end > self._size:
            text = f"{self._name(extent)} should end at {end}, the file ends at {self._size}"
            findings.add("resource-outside-file", f"offset {start}", text)
            return False
        if start == end and size:
            text = f"{self._name(extent)} claims {size} bytes from none"
            findings.add("resource-unreadable", f"offset {start}", text)
            return False
        return True

    def _report_overlap(self, extent: _Extent, before: _Extent, findings: Collector) -> None:
        if self._same(extent, before):
            self._repeated.add(extent[2])
            return
        self._unread.add(extent[2])
        text = f"{self._name(extent)} begins before {self._name(before)} ends, at {before[1]}"
        findings.add("resource-overlap", f"offset {extent[0]}", text)

    def _same(self, one: _Extent, other: _Extent) -> bool:
        """Tell whether two entries of the table name the same resource by the same SHA-1."""
        if one[:2] != other[:2] or min(one[2], other[2]) < 0:
            return False
        return self._hash(one[2]) == self._hash(other[2])
