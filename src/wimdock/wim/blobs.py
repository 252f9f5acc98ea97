"""The blob table: where the content with a given SHA-1 lies, and how often it is referred to.

The table is held as it lies in the file, 50 bytes for an entry; an index by hash is made when it is
first needed. Entries keep their order: those of metadata resources stand in image order.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from wimdock.errors import MalformedImage, NoSuchImage, UnsupportedImage
from wimdock.wim import layout
from wimdock.wim.header import ResourceHeader

_HASHES = struct.Struct("<30x20s")
_FLAGS_AT = 7
# Finds the entries with the flag for metadata in a row of flags.
_WITH_FLAG = bytes(flags for flags in range(256) if flags & layout.RESOURCE_METADATA)
_METADATA = re.compile(b"[" + re.escape(_WITH_FLAG) + b"]")


@dataclass(frozen=True, slots=True)
class Blob:
    """One entry of the table: `position` counts entries from 0."""

    position: int
    resource: ResourceHeader
    references: int
    sha1: bytes

    @property
    def is_metadata(self) -> bool:
        """Tell whether it is the metadata of an image."""
        return bool(self.resource.flags & layout.RESOURCE_METADATA)


class BlobTable:
    """The table of one file."""

    def __init__(self, data: bytes | bytearray) -> None:
        """Take the table as it was read; its length must be a multiple of 50."""
        if len(data) % layout.BLOB_SIZE:
            message = f"a blob table of {len(data)} bytes is no row of {layout.BLOB_SIZE}-byte ones"
            raise MalformedImage(message)
        self.data = bytes(data)
        self._index: dict[bytes, int] | None = None

    def __len__(self) -> int:
        """Give the number of entries."""
        return len(self.data) // layout.BLOB_SIZE

    def __getitem__(self, position: int) -> Blob:
        """Give the entry at a position."""
        word, offset, size, part, references, sha1 = layout.BLOB.unpack_from(
            self.data, position * layout.BLOB_SIZE
        )
        if part != 1:
            message = f"a blob lies in part {part} of a split WIM file"
            raise UnsupportedImage(message, hint="Join the parts: wimlib-imagex join.")
        resource = ResourceHeader(word & 0xFFFFFFFFFFFFFF, word >> 56, offset, size)
        return Blob(position, resource, references, sha1)

    def __iter__(self) -> Iterator[Blob]:
        """Give all entries in order."""
        return (self[position] for position in range(len(self)))

    def metadata(self) -> list[Blob]:
        """Give the metadata entries, in image order."""
        flags = self.data[_FLAGS_AT :: layout.BLOB_SIZE]
        return [self[found.start()] for found in _METADATA.finditer(flags)]

    @property
    def solid(self) -> bool:
        """Tell whether several contents share one compressed resource, as in an .esd file."""
        flags = self.data[_FLAGS_AT :: layout.BLOB_SIZE]
        return any(flag & layout.RESOURCE_SOLID for flag in set(flags))

    @property
    def index(self) -> dict[bytes, int]:
        """Positions by SHA-1, without metadata; the first of two equal hashes counts."""
        if self._index is None:
            hashes = [sha1 for (sha1,) in _HASHES.iter_unpack(self.data)]
            # Backwards, so that the first of two equal hashes is the one that stays.
            self._index = dict(zip(reversed(hashes), range(len(hashes) - 1, -1, -1), strict=True))
            metadata = {blob.position: blob.sha1 for blob in self.metadata()}
            for sha1 in set(metadata.values()):
                del self._index[sha1]
                # Nobody finds metadata by its hash, but a file may hold the very same bytes.
                if hashes.count(sha1) > 1:
                    places = (at for at, each in enumerate(hashes) if each == sha1)
                    others = (at for at in places if at not in metadata)
                    self._index.update((sha1, at) for at in islice(others, 1))
        return self._index

    def find(self, sha1: bytes) -> Blob | None:
        """Give the entry for a hash, or None."""
        position = self.index.get(sha1)
        return None if position is None else self[position]

    def get(self, sha1: bytes) -> Blob:
        """Give the entry for a hash; NoSuchImage where the file has no such content."""
        blob = self.find(sha1)
        if blob is None:
            message = f"the file has no content with SHA-1 {sha1.hex()}"
            raise NoSuchImage(message, hint="`wimdock verify` lists all that is missing.")
        return blob

    def sizes(self) -> dict[bytes, int]:
        """Give the original size in bytes of every content by SHA-1; metadata is none."""
        sizes: dict[bytes, int] = {}
        metadata = layout.RESOURCE_METADATA << 56
        for word, _, size, _, _, sha1 in layout.BLOB.iter_unpack(self.data):
            if not word & metadata:
                sizes.setdefault(sha1, size)
        return sizes
