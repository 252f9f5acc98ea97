"""One directory entry: a file or folder by one of its names, with its streams.

Which stream is which follows what Windows' own library does (see `docs/internals/wim.md`): unnamed
streams are the reparse data first, where the entry is a reparse point, then the file's data; a zero
main hash does not count where there are unnamed stream entries.
"""

from __future__ import annotations

from codecs import utf_16_le_decode
from typing import NamedTuple

from wimdock.errors import MalformedImage
from wimdock.wim import layout

_ZERO = layout.ZERO_HASH
Buffer = bytes | bytearray | memoryview


class Stream(NamedTuple):
    """A stream entry as it is stored: `name` is "" for an unnamed one, `sha1` may be all zero."""

    name: str
    sha1: bytes


class Entry(NamedTuple):
    """A directory entry as it is stored.

    Times are FILETIMEs. `children` is the offset of the folder's list in the metadata, 0 for none.
    `link` holds the 8 bytes that are a hard-link group or a reparse tag with its flags; `extra`
    what stands behind the names (tagged items), kept as it is. `position` and `end` bound the entry
    with its streams in the metadata.
    """

    name: str
    short_name: str
    attributes: int
    security_id: int
    children: int
    unused: bytes
    created: int
    accessed: int
    written: int
    hash: bytes
    unknown: bytes
    link: bytes
    streams: tuple[Stream, ...]
    extra: bytes
    position: int = 0
    end: int = 0

    @property
    def is_directory(self) -> bool:
        """Tell whether it is a folder."""
        return bool(self.attributes & layout.ATTRIBUTE_DIRECTORY)

    @property
    def is_reparse_point(self) -> bool:
        """Tell whether it is a reparse point."""
        return bool(self.attributes & layout.ATTRIBUTE_REPARSE_POINT)

    @property
    def reparse_tag(self) -> int:
        """The reparse tag, 0 for none."""
        return int.from_bytes(self.link[:4], "little") if self.is_reparse_point else 0

    @property
    def hard_link_group(self) -> int:
        """The number that all names of one file share, 0 where it has one name only."""
        return 0 if self.is_reparse_point else int.from_bytes(self.link, "little")

    @property
    def _unnamed(self) -> list[bytes]:
        entries = [stream.sha1 for stream in self.streams if not stream.name]
        if entries and self.hash == _ZERO:
            return entries
        return [self.hash, *entries]

    @property
    def reparse_sha1(self) -> bytes | None:
        """The hash of the reparse data (without its 8-byte header); None for empty or no data."""
        if not self.is_reparse_point or self.attributes & layout.ATTRIBUTE_ENCRYPTED:
            return None
        found = self._unnamed[0]
        return None if found == _ZERO else found

    @property
    def data_sha1(self) -> bytes | None:
        """The hash of the file's unnamed data; None where it is empty."""
        unnamed = self._unnamed
        skip = self.is_reparse_point and not self.attributes & layout.ATTRIBUTE_ENCRYPTED
        rest = unnamed[1:] if skip else unnamed
        return next((sha1 for sha1 in rest if sha1 != _ZERO), None)

    @property
    def named_streams(self) -> tuple[Stream, ...]:
        """The named data streams."""
        return tuple(stream for stream in self.streams if stream.name)

    @property
    def hashes(self) -> list[bytes]:
        """Every hash that it refers to, zero ones left out."""
        found = [self.hash, *(stream.sha1 for stream in self.streams)]
        return [sha1 for sha1 in found if sha1 != _ZERO]


def _text(data: Buffer) -> str:
    return utf_16_le_decode(data, "surrogatepass", True)[0]  # noqa: FBT003 - it takes no names


def _malformed(position: int, what: str) -> MalformedImage:
    return MalformedImage(f"the directory entry at {position} of the metadata {what}")


def read_entry(metadata: Buffer, position: int) -> Entry | None:
    """Read the entry at an offset; None for the end of a folder's list."""
    size = len(metadata)
    if position + 8 > size:
        raise _malformed(position, "lies outside it")
    length = layout.aligned(int.from_bytes(metadata[position : position + 8], "little"))
    if length <= len(layout.END_OF_DIRECTORY):
        return None
    if length < layout.DENTRY_SIZE or position + length > size:
        raise _malformed(position, f"claims {length} bytes")
    (
        _,
        attributes,
        security_id,
        children,
        unused,
        created,
        accessed,
        written,
        sha1,
        unknown,
        link,
        stream_count,
        short_bytes,
        name_bytes,
    ) = layout.DENTRY.unpack_from(metadata, position)
    at = position + layout.DENTRY_SIZE
    names = (name_bytes + 2 if name_bytes else 0) + (short_bytes + 2 if short_bytes else 0)
    if (name_bytes | short_bytes) & 1 or layout.DENTRY_SIZE + names > length:
        raise _malformed(position, "claims names that do not fit into it")
    name = _text(metadata[at : at + name_bytes])
    at += name_bytes + 2 if name_bytes else 0
    short_name = _text(metadata[at : at + short_bytes])
    at += short_bytes + 2 if short_bytes else 0
    extra = bytes(metadata[layout.aligned(at) : position + length])
    at = position + length
    streams = []
    for _ in range(stream_count):
        stream, at = _read_stream(metadata, at)
        streams.append(stream)
    return Entry(
        name,
        short_name,
        attributes,
        security_id,
        children,
        unused,
        created,
        accessed,
        written,
        sha1,
        unknown,
        link,
        tuple(streams),
        extra,
        position,
        at,
    )


def _read_stream(metadata: Buffer, position: int) -> tuple[Stream, int]:
    if position + layout.STREAM_SIZE > len(metadata):
        raise _malformed(position, "(a stream) lies outside it")
    length, _, sha1, name_bytes = layout.STREAM.unpack_from(metadata, position)
    length = layout.aligned(length)
    at = position + layout.STREAM_SIZE
    if (
        length < layout.STREAM_SIZE + name_bytes
        or name_bytes & 1
        or position + length > len(metadata)
    ):
        raise _malformed(position, f"(a stream) claims {length} bytes")
    return Stream(_text(metadata[at : at + name_bytes]), sha1), position + length


def write_entry(entry: Entry) -> bytes:
    """Give the bytes of an entry with its streams, padded to 8 bytes."""
    name = entry.name.encode("utf-16-le", "surrogatepass")
    short = entry.short_name.encode("utf-16-le", "surrogatepass")
    tail = (name + b"\0\0" if name else b"") + (short + b"\0\0" if short else b"")
    start = layout.aligned(layout.DENTRY_SIZE + len(tail))
    length = layout.aligned(start + len(entry.extra))
    fixed = layout.DENTRY.pack(
        length,
        entry.attributes,
        entry.security_id,
        entry.children,
        entry.unused,
        entry.created,
        entry.accessed,
        entry.written,
        entry.hash,
        entry.unknown,
        entry.link,
        len(entry.streams),
        len(short),
        len(name),
    )
    body = (fixed + tail).ljust(start, b"\0") + entry.extra
    return body.ljust(length, b"\0") + b"".join(_write_stream(s) for s in entry.streams)


def _write_stream(stream: Stream) -> bytes:
    name = stream.name.encode("utf-16-le", "surrogatepass")
    tail = name + b"\0\0" if name else b""
    length = layout.aligned(layout.STREAM_SIZE + len(tail))
    return (layout.STREAM.pack(length, 0, stream.sha1, len(name)) + tail).ljust(length, b"\0")


def arrange_streams(
    *,
    attributes: int,
    data: bytes | None,
    reparse: bytes | None,
    named: tuple[Stream, ...],
) -> tuple[bytes, tuple[Stream, ...]]:
    """Give the main hash and the stream entries for an entry, as Windows' own library stores them.

    One unnamed stream alone goes into the main hash, on files and folders alike. Where there are
    more, all go into stream entries: reparse data, then a file's data (even an empty one), then the
    named ones; a folder has no entry for unnamed data, unless it came with some (an encrypted one
    does). What is encrypted has no reparse data of its own. Source: `docs/internals/wim.md`.
    """
    unnamed = []
    kinds = layout.ATTRIBUTE_REPARSE_POINT | layout.ATTRIBUTE_ENCRYPTED
    if attributes & kinds == layout.ATTRIBUTE_REPARSE_POINT:
        unnamed.append(reparse or _ZERO)
    if data or not attributes & layout.ATTRIBUTE_DIRECTORY:
        unnamed.append(data or _ZERO)
    if len(unnamed) <= 1 and not named:
        return (unnamed[0] if unnamed else _ZERO), ()
    return _ZERO, (*(Stream("", sha1) for sha1 in unnamed), *named)
