"""A WIM file opened for reading: header, blob table, XML, images.

Everything is read when it is first needed. Reading never changes the file and takes no lock: a
writer appends and then flips the header, so that what was opened stays whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from wimdock.errors import MalformedImage, NoSuchImage, UnsupportedImage
from wimdock.files import open_file, read_at, refuse_special
from wimdock.paths import ImagePath
from wimdock.wim import layout
from wimdock.wim.blobs import Blob, BlobTable
from wimdock.wim.codec import Codec
from wimdock.wim.dentry import Entry
from wimdock.wim.header import Header
from wimdock.wim.metadata import Metadata
from wimdock.wim.resource import read_chunks, read_resource, read_verified
from wimdock.wim.xml import LARGEST_XML, ImageCatalog, ImageRecord


class Archive:
    """An open WIM file. Use it as a context manager, or close it."""

    def __init__(self, fd: int, path: Path, header: bytes | None = None) -> None:
        """Take a descriptor open for reading; an older `header` shows an older generation."""
        self.fd = fd
        self.path = path
        self.size = os.fstat(fd).st_size
        self.raw_header = header or read_at(fd, layout.HEADER_SIZE, 0)
        self.header = Header.parse(self.raw_header)
        self.codec = Codec(self.header.compression, self.header.chunk_size)
        self._image: Image | None = None
        # LZMS without solid resources has this version too: only the blob table tells them apart.
        if self.header.version == layout.VERSION_SOLID and self.blobs.solid:
            message = "this is a solid WIM file (.esd), which wimdock does not work on"
            raise UnsupportedImage(
                message, hint="Convert it: wimlib-imagex export IMAGE.esd all IMAGE.wim."
            )

    @classmethod
    def open(cls, path: Path | str) -> Archive:
        """Open a file; StorageError or an ImageError says why that fails."""
        path = Path(path)
        refuse_special(path)
        fd = open_file(path)
        try:
            return cls(fd, path)
        except BaseException:
            os.close(fd)
            raise

    def close(self) -> None:
        """Close the file."""
        os.close(self.fd)

    def __enter__(self) -> Self:
        """Give the archive itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    @cached_property
    def blobs(self) -> BlobTable:
        """The blob table."""
        if not self.header.blob_table.size:
            return BlobTable(b"")
        return BlobTable(read_resource(self, self.header.blob_table))

    @cached_property
    def xml(self) -> ImageCatalog:
        """The XML document."""
        return ImageCatalog(read_resource(self, self.header.xml, LARGEST_XML))

    @cached_property
    def metadata_blobs(self) -> list[Blob]:
        """The metadata resources, in image order; as many as the header counts images."""
        found = self.blobs.metadata()
        if len(found) != self.header.image_count:
            message = (
                f"the header counts {self.header.image_count} images, the blob table {len(found)}"
            )
            raise MalformedImage(message)
        return found

    @property
    def image_count(self) -> int:
        """The number of images."""
        return self.header.image_count

    @property
    def images(self) -> tuple[ImageRecord, ...]:
        """What the XML says of each image."""
        return self.xml.records(len(self.metadata_blobs))

    def image(self, index: int) -> Image:
        """Read the metadata of the image with this number, counted from 1; the last one is kept."""
        if not 1 <= index <= len(self.metadata_blobs):
            message = f"{self.path} has no image {index}: it holds {self.image_count}"
            raise NoSuchImage(message)
        if self._image is None or self._image.index != index:
            self._image = None  # two at a time would need twice the memory
            self._image = Image(self, index)
        return self._image

    def release_image(self) -> None:
        """Keep no image in memory any longer."""
        self._image = None

    def read_blob(self, sha1: bytes, max_size: int = 1 << 30) -> bytes:
        """Give the content with this hash, checked; more than `max_size` bytes are refused."""
        blob = self.blobs.get(sha1)
        what = f"the content at offset {blob.resource.offset}"
        return bytes(read_verified(self, blob.resource, sha1, what, max_size))

    @cached_property
    def committed_end(self) -> int:
        """The offset behind the last byte that belongs to the file; what follows is a left tail."""
        header = self.header
        resources = (header.blob_table, header.xml, header.boot_metadata, header.integrity)
        end = max(layout.HEADER_SIZE, *(resource.end for resource in resources))
        places = layout.BLOB_PLACE.iter_unpack(self.blobs.data)
        end = max(end, max((at + (word & 0xFFFFFFFFFFFFFF) for word, at in places), default=0))
        if end > self.size:
            message = f"the file has {self.size} bytes, but its resources reach to {end}"
            raise MalformedImage(message, hint="The file is cut off: take it from a backup.")
        return end

    def blob_pieces(self, sha1: bytes) -> Iterator[bytes | bytearray]:
        """Give the content with this hash piece by piece; the caller checks the hash."""
        return read_chunks(self, self.blobs.get(sha1).resource)


class Image:
    """One operating system in an image file."""

    def __init__(self, archive: Archive, index: int) -> None:
        """Read and check the metadata resource of this image."""
        blob = archive.metadata_blobs[index - 1]
        what = f"the metadata of image {index}"
        self.archive = archive
        self.index = index
        self.metadata = Metadata(read_verified(archive, blob.resource, blob.sha1, what))

    @property
    def root(self) -> Entry:
        """The root folder."""
        return self.metadata.root

    def lookup(self, path: ImagePath) -> Entry | None:
        """Give the entry at a path, without regard to case, or None."""
        return self.metadata.lookup(path)

    def children(self, entry: Entry) -> list[Entry]:
        """Give the entries of a folder."""
        return self.metadata.children(entry)

    def walk(self) -> Iterator[tuple[ImagePath, Entry]]:
        """Give every entry with its path, folders before what is in them."""
        return self.metadata.walk()

    def reparse_points(self) -> Iterator[tuple[ImagePath, Entry]]:
        """Give the reparse points with their paths."""
        return self.metadata.reparse_points()

    def security(self, entry: Entry) -> bytes | None:
        """Give the self-relative security descriptor of an entry, or None."""
        if 0 <= entry.security_id < len(self.metadata.descriptors):
            return self.metadata.descriptors[entry.security_id]
        return None

    def read(self, entry: Entry) -> bytes:
        """Give the unnamed data of a file, checked."""
        return self.archive.read_blob(entry.data_sha1) if entry.data_sha1 else b""

    def reparse_data(self, entry: Entry) -> bytes:
        """Give the reparse data without its 8-byte header, checked."""
        return self.archive.read_blob(entry.reparse_sha1, 1 << 16) if entry.reparse_sha1 else b""
