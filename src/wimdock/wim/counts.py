"""The figures of an image: what its XML says of it, and how often it refers to each content.

Every name counts: a file with three hard links is three files, and its content is referred to three
times. The metadata is read as one buffer, a few fields of each entry, with no object for any.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Mapping

from wimdock.wim import layout
from wimdock.wim.metadata import Metadata
from wimdock.wim.xml import ImageCounts

# Attributes, main hash, hard-link group (for what is no reparse point), number of stream entries.
_FIELDS = struct.Struct("<8xI52x20s4xQH")
_LENGTH = struct.Struct("<Q")
_HASH_AT = layout.STREAM_SIZE - layout.HASH_SIZE - 2
_ZERO = layout.ZERO_HASH


def count_image(metadata: Metadata, sizes: Mapping[bytes, int]) -> ImageCounts:
    """Count names and bytes; `sizes` gives the size in bytes of every content by its SHA-1.

    Directories are all names of folders, the root's among them; files are all other names, and
    reparse points on folders are files here, as they are for the other programs that write these
    figures. The total is the sum, over all names, of the sizes of all streams; hard-link bytes are
    what the second and further names of files add to it. Content not in `sizes` counts as empty.
    """
    names = directories = total = linked = 0
    groups: set[int] = set()
    buffer, unpack, size_of = metadata.buffer, _FIELDS.unpack_from, sizes.get
    is_directory = layout.ATTRIBUTE_DIRECTORY
    kinds = is_directory | layout.ATTRIBUTE_REPARSE_POINT
    for positions in _lists(metadata):
        names += len(positions)
        for position in positions:
            attributes, sha1, group, streams = unpack(buffer, position)
            size = 0 if sha1 == _ZERO else size_of(sha1, 0)
            if streams:
                size += sum(size_of(sha1, 0) for sha1 in _streams(buffer, position, streams))
            total += size
            kind = attributes & kinds
            if kind == is_directory:
                directories += 1
            elif group and not kind:
                if group in groups:
                    linked += size
                else:
                    groups.add(group)
    return ImageCounts(directories, names - directories, total, linked)


def references(metadata: Metadata) -> Counter[bytes]:
    """Count how often the names of an image refer to each content, by SHA-1."""
    found: list[bytes] = []
    buffer, unpack, add = metadata.buffer, _FIELDS.unpack_from, found.append
    for positions in _lists(metadata):
        for position in positions:
            _, sha1, _, streams = unpack(buffer, position)
            add(sha1)
            if streams:
                found.extend(_streams(buffer, position, streams))
    counted = Counter(found)
    del counted[_ZERO]
    return counted


def _lists(metadata: Metadata) -> Iterator[tuple[int, ...]]:
    """Give the offsets of all entries: the root's, then those of each folder."""
    yield (metadata.root_offset,)
    for outline in metadata.folder_lists():
        yield outline.entries


def _streams(buffer: bytearray, position: int, count: int) -> list[bytes]:
    """Give the hashes of an entry's stream entries, whose bounds the walk has checked."""
    found = []
    at = position + layout.aligned(_LENGTH.unpack_from(buffer, position)[0])
    for _ in range(count):
        sha1 = bytes(buffer[at + _HASH_AT : at + _HASH_AT + layout.HASH_SIZE])
        if sha1 != _ZERO:
            found.append(sha1)
        at += layout.aligned(_LENGTH.unpack_from(buffer, at)[0])
    return found
