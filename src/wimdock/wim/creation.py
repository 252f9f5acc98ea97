"""A new WIM file with empty images, to be filled by a transaction.

Written beside its place and renamed into it, so that a crash leaves no half file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from wimdock.clock import to_filetime
from wimdock.errors import StorageError, UsageError
from wimdock.files import Disk
from wimdock.wim import layout
from wimdock.wim.appender import content_hash
from wimdock.wim.dentry import Entry, write_entry
from wimdock.wim.header import Header, ResourceHeader
from wimdock.wim.security import write_security
from wimdock.wim.xml import ImageCatalog, ImageCounts

_FLAGS = {
    "none": 0,
    "xpress": layout.FLAG_COMPRESSION | layout.FLAG_XPRESS,
    "lzx": layout.FLAG_COMPRESSION | layout.FLAG_LZX,
    "lzms": layout.FLAG_COMPRESSION | layout.FLAG_LZMS,
}
_CHUNKS = {"none": 0, "xpress": 1 << 15, "lzx": 1 << 15, "lzms": 1 << 17}


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to be made: its name, and texts for the XML by path (`WINDOWS/ARCH` to `9`)."""

    name: str
    properties: Mapping[str, str] = field(default_factory=dict)
    root_security: bytes | None = None


def create_archive(
    path: Path,
    images: Sequence[NewImage],
    created: datetime,
    *,
    compression: str = "lzx",
    disk: Disk | None = None,
) -> None:
    """Write a WIM file with an empty root folder in every image; `path` must not exist yet."""
    disk = disk or Disk()
    if compression not in _FLAGS:
        message = f"{compression!r} is no compression"
        raise UsageError(message, hint=f"Take one of {', '.join(_FLAGS)}.")
    if path.exists():
        message = f"{path} exists already"
        raise StorageError(message, hint="Name another file.", hresult=0x800700B7)
    disk.replace_contents(path, _pack(images, created, compression))


def _pack(images: Sequence[NewImage], created: datetime, compression: str) -> bytes:
    body = bytearray()
    blobs = bytearray()
    catalog = ImageCatalog("<WIM/>".encode("utf-16-le"))
    flag = layout.RESOURCE_METADATA
    for index, image in enumerate(images, start=1):
        metadata = _empty_metadata(image, to_filetime(created))
        sha1 = content_hash(metadata)
        offset = layout.HEADER_SIZE + len(body)
        blobs += layout.BLOB.pack(len(metadata) | flag << 56, offset, len(metadata), 1, 1, sha1)
        body += metadata
        catalog.add_image(index, image.name, image.properties, created)
        catalog.set_counts(index, ImageCounts(1, 0, 0, 0), created)
    table_at = layout.HEADER_SIZE + len(body)
    catalog.set_total_bytes(table_at + len(blobs))
    xml = catalog.pack()
    header = Header(
        version=layout.VERSION_PLAIN,
        flags=_FLAGS[compression] | layout.FLAG_RP_FIX,
        chunk_size=_CHUNKS[compression],
        guid=uuid4().bytes,
        part=1,
        parts=1,
        image_count=len(images),
        blob_table=ResourceHeader(len(blobs), flag, table_at, len(blobs)),
        xml=ResourceHeader(len(xml), flag, table_at + len(blobs), len(xml)),
        boot_metadata=ResourceHeader(),
        boot_index=0,
        integrity=ResourceHeader(),
        reserved=bytes(60),
    )
    return header.pack() + bytes(body) + bytes(blobs) + xml


def _empty_metadata(image: NewImage, filetime: int) -> bytes:
    descriptors = [image.root_security] if image.root_security else []
    root = Entry(
        name="",
        short_name="",
        attributes=layout.ATTRIBUTE_DIRECTORY,
        security_id=0 if descriptors else -1,
        children=0,
        unused=bytes(16),
        created=filetime,
        accessed=filetime,
        written=filetime,
        hash=layout.ZERO_HASH,
        unknown=bytes(4),
        link=bytes(8),
        streams=(),
        extra=b"",
    )
    return write_security(descriptors) + write_entry(root) + layout.END_OF_DIRECTORY
