"""Folders of an image as people list them: attributes, sizes, streams, links, targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from wimdock.clock import from_filetime
from wimdock.errors import NoSuchImage
from wimdock.image.reparse_points import reparse_value
from wimdock.paths import ImagePath
from wimdock.reparse.data import ReparseValue
from wimdock.reparse.tags import Tag, tag_of
from wimdock.wim import Entry, Image, layout

_LETTERS = (
    (0x10, "d"),
    (0x400, "l"),
    (0x1, "r"),
    (0x2, "h"),
    (0x4, "s"),
    (0x20, "a"),
    (0x800, "c"),
    (0x200, "p"),
    (0x4000, "e"),
    (0x1000, "o"),
    (0x100, "t"),
    (0x2000, "n"),
)
"""Attributes and their letters: directory, link (any reparse point), read-only, hidden, system,
archive, compressed, sparse, encrypted, offline, temporary, not indexed."""


@dataclass(frozen=True, slots=True)
class ListedStream:
    """A named stream; `size` is None where the file lacks its content."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a listing; `depth` counts from 0 for what stands in the listed folder itself.

    `size` is that of the unnamed data in bytes, None for a folder or where the file lacks it.
    `links` counts the names of the file in the whole image. `tag` and `target` belong to reparse
    points.
    """

    path: ImagePath
    depth: int
    attributes: int
    size: int | None
    links: int
    short_name: str
    created: datetime | None
    written: datetime | None
    streams: tuple[ListedStream, ...]
    tag: Tag | None
    target: ReparseValue | None

    @property
    def is_directory(self) -> bool:
        """Tell whether it is a folder."""
        return bool(self.attributes & layout.ATTRIBUTE_DIRECTORY)

    @property
    def letters(self) -> str:
        """Its attributes as letters, those that are not set as dashes."""
        return "".join(letter if self.attributes & bit else "-" for bit, letter in _LETTERS)


def attribute_letters() -> dict[str, int]:
    """Give the attribute that each letter stands for."""
    return {letter: bit for bit, letter in _LETTERS}


def listing(image: Image, path: ImagePath, depth: int | None = 1) -> Iterator[Listed]:
    """List a folder, `depth` levels deep (None for all), or a single file.

    NoSuchImage where nothing stands at the path. A folder is followed by what it holds.
    """
    path, entry = _find(image, path)
    links = _link_counts(image)
    if not entry.is_directory:
        yield _listed(image, path, entry, 0, links)
        return
    stack = [(path, child, 0) for child in reversed(image.children(entry))]
    while stack:
        above, child, level = stack.pop()
        here = above.child(child.name)
        yield _listed(image, here, child, level, links)
        if child.is_directory and (depth is None or level + 1 < depth):
            stack.extend((here, found, level + 1) for found in reversed(image.children(child)))


def _find(image: Image, path: ImagePath) -> tuple[ImagePath, Entry]:
    """Give what stands at a path, and the path as the image spells it."""
    found, entry = ImagePath(), image.root
    for name in path.parts:
        child = image.lookup(found.child(name))
        if child is None:
            message = f"{path} does not exist in image {image.index}"
            raise NoSuchImage(message, hint=r"`wimdock inspect --tree \` lists the root folder.")
        found, entry = found.child(child.name), child
    return found, entry


def _link_counts(image: Image) -> Counter[int]:
    """Count the names of every hard-link group of the image."""
    metadata = image.metadata
    buffer, unpack, at = metadata.buffer, layout.DENTRY_LINK.unpack_from, layout.DENTRY_LINK_AT
    counts: Counter[int] = Counter()
    for folder in metadata.folder_lists():
        counts.update(unpack(buffer, position + at)[0] for position in folder.entries)
    return counts


def _listed(image: Image, path: ImagePath, entry: Entry, depth: int, links: Counter[int]) -> Listed:
    group = entry.hard_link_group
    return Listed(
        path=path,
        depth=depth,
        attributes=entry.attributes,
        size=None if entry.is_directory else _size(image, entry.data_sha1),
        links=links[group] if group else 1,
        short_name=entry.short_name,
        created=from_filetime(entry.created),
        written=from_filetime(entry.written),
        streams=tuple(
            ListedStream(stream.name, _size(image, stream.sha1)) for stream in entry.named_streams
        ),
        tag=tag_of(entry.reparse_tag) if entry.is_reparse_point else None,
        target=reparse_value(image, entry) if entry.is_reparse_point else None,
    )


def _size(image: Image, sha1: bytes | None) -> int | None:
    if sha1 is None or sha1 == layout.ZERO_HASH:
        return 0
    blob = image.archive.blobs.find(sha1)
    return None if blob is None else blob.resource.size
