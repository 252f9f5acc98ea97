"""WIM files put together byte by byte, so that anything in them can be wrong on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from wimdock.wim import layout
from wimdock.wim.dentry import Entry, Stream, write_entry
from wimdock.wim.header import Header, ResourceHeader
from wimdock.wim.integrity import build_integrity
from wimdock.wim.security import write_security

DIRECTORY = layout.ATTRIBUTE_DIRECTORY
REPARSE = layout.ATTRIBUTE_REPARSE_POINT
JUNCTION = 0xA0000003


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


@dataclass
class Node:
    """A file or folder to be written, with every stored field free to choose."""

    name: str = ""
    content: bytes | None = None
    children: list[Node] | None = None
    attributes: int | None = None
    security_id: int = -1
    link: bytes = bytes(8)
    streams: tuple[Stream, ...] = ()
    short_name: str = ""
    extra: bytes = b""
    sha1: bytes | None = None
    subdirectory: int | None = None

    def entry(self, children: int) -> Entry:
        """Give the entry, with the offset of its list."""
        kind = layout.ATTRIBUTE_DIRECTORY if self.children is not None else 0x20
        main = layout.ZERO_HASH if not self.content else sha1(self.content)
        return Entry(
            name=self.name,
            short_name=self.short_name,
            attributes=kind if self.attributes is None else self.attributes,
            security_id=self.security_id,
            children=children if self.subdirectory is None else self.subdirectory,
            unused=bytes(16),
            created=133_000_000_000_000_000,
            accessed=133_000_000_000_000_001,
            written=133_000_000_000_000_002,
            hash=main if self.sha1 is None else self.sha1,
            unknown=bytes(4),
            link=self.link,
            streams=self.streams,
            extra=self.extra,
        )


def folder(name: str, *children: Node) -> Node:
    return Node(name, children=list(children))


def metadata(root: Node, descriptors: Iterable[bytes] = ()) -> bytes:
    """Give the metadata of one image: the lists of the folders, parents before their children."""
    security = write_security(list(descriptors))
    folders = [root]
    for here in folders:  # grows while it is walked
        folders.extend(child for child in here.children or () if child.children is not None)
    offset = len(security) + len(write_entry(root.entry(0))) + 8
    offsets: dict[int, int] = {}
    for here in folders:
        offsets[id(here)] = offset
        offset += sum(len(write_entry(child.entry(0))) for child in here.children or ()) + 8
    found = security + write_entry(root.entry(offsets[id(root)])) + bytes(8)
    for here in folders:
        for child in here.children or ():
            found += write_entry(child.entry(offsets.get(id(child), 0)))
        found += bytes(8)
    return found


@dataclass(frozen=True)
class Stored:
    """A resource as it is to be stored: `hole` zero bytes that take no room, then `data`.

    `size` is the original size, where that is not what is stored.
    """

    data: bytes
    sha1: bytes
    hole: int = 0
    size: int | None = None
    flags: int = 0
    references: int = 1

    @property
    def length(self) -> int:
        """How many bytes it takes in the file."""
        return self.hole + len(self.data)


def content(data: bytes, references: int = 1) -> Stored:
    return Stored(data, sha1(data), references=references)


@dataclass
class Crafted:
    """A whole file: contents first, then metadata, blob table, XML; metadata is not compressed.

    `blobs` is put behind the blob table as it is.
    """

    images: list[bytes]
    contents: list[Stored] = field(default_factory=list)
    xml: str | None = None
    blobs: bytes = b""
    flags: int = 0
    chunk_size: int = 0

    def write_to(self, file: BinaryIO) -> None:
        """Write the file."""
        flag = layout.RESOURCE_METADATA
        resources = [
            *self.contents,
            *(Stored(data, sha1(data), flags=flag) for data in self.images),
        ]
        offset = file.seek(layout.HEADER_SIZE)
        table = b""
        for stored in resources:
            size = stored.length if stored.size is None else stored.size
            word = stored.length | stored.flags << 56
            table += layout.BLOB.pack(word, offset, size, 1, stored.references, stored.sha1)
            file.seek(stored.hole, 1)
            offset += stored.hole + file.write(stored.data)
        table += self.blobs
        file.write(table)
        text = self.xml
        if text is None:
            images = (f'<IMAGE INDEX="{i}"/>' for i in range(1, len(self.images) + 1))
            text = f"<WIM>{''.join(images)}</WIM>"
        encoded = b"\xff\xfe" + text.encode("utf-16-le")
        file.write(encoded)
        header = Header(
            version=layout.VERSION_PLAIN,
            flags=self.flags,
            chunk_size=self.chunk_size,
            guid=bytes(range(16)),
            part=1,
            parts=1,
            image_count=len(self.images),
            blob_table=ResourceHeader(len(table), 0, offset, len(table)),
            xml=ResourceHeader(len(encoded), 0, offset + len(table), len(encoded)),
            boot_metadata=ResourceHeader(),
            boot_index=0,
            integrity=ResourceHeader(),
            reserved=bytes(60),
        )
        file.seek(0)
        file.write(header.pack())

    def pack(self) -> bytes:
        """Give the bytes of the file."""
        room = BytesIO()
        self.write_to(room)
        return room.getvalue()

    def write(self, path: Path) -> Path:
        """Write it to a file, holes as holes; give the path."""
        with path.open("wb") as file:
            self.write_to(file)
        return path


def plain(*children: Node, contents: Iterable[bytes] = (), xml: str | None = None) -> Crafted:
    """Give a file with one image whose root holds these entries."""
    stored = [content(data) for data in contents]
    return Crafted([metadata(folder("", *children))], stored, xml=xml)


def change_header(path: Path, **fields: object) -> Path:
    """Write another header into a file; give its path."""
    data = path.read_bytes()
    header = replace(Header.parse(data), **fields)  # type: ignore[arg-type]
    path.write_bytes(header.pack() + data[layout.HEADER_SIZE :])
    return path


def add_integrity(path: Path) -> Path:
    """Put an integrity table behind everything else; give the path."""
    data = path.read_bytes()
    header = Header.parse(data)
    with path.open("rb") as file:
        table = build_integrity(file.fileno(), header.blob_table.end, None, 0)
    path.write_bytes(data + table)
    return change_header(path, integrity=ResourceHeader(len(table), 0, len(data), len(table)))
