"""The reparse points of an image: where they are, what they say, whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from wimdock.errors import ImageError
from wimdock.paths import ImagePath
from wimdock.reparse.data import Opaque, ReparseValue
from wimdock.reparse.decode import decode
from wimdock.reparse.owner import Owner, owner_of
from wimdock.reparse.tags import Tag, tag_of
from wimdock.wim import Entry, Image


class ReparsePoint(NamedTuple):
    """One reparse point; `size` is that of its data in bytes, without their 8-byte header."""

    path: ImagePath
    tag: Tag
    value: ReparseValue
    owner: Owner
    size: int
    is_directory: bool


@dataclass(frozen=True, slots=True)
class ReparseGroup:
    """All reparse points of one owner and tag: how many, bytes in all, and the first of them."""

    owner: Owner
    tag: Tag
    count: int
    size: int
    example: ImagePath


def reparse_points(image: Image) -> Iterator[ReparsePoint]:
    """Give the reparse points of an image in the order of its tree.

    One whose data cannot be read from the file is given as opaque, with the reason.
    """
    known: dict[tuple[int, bytes | None], tuple[ReparseValue, int]] = {}
    for path, entry in image.reparse_points():
        tag = entry.reparse_tag
        key = tag, entry.reparse_sha1
        found = known.get(key)
        if found is None:
            found = known[key] = _read(image, entry)
        value, size = found
        owner = owner_of(path, tag, value, entry.attributes)
        yield ReparsePoint(path, tag_of(tag), value, owner, size, entry.is_directory)


def reparse_value(image: Image, entry: Entry) -> ReparseValue:
    """Give what one reparse point says; opaque, with the reason, where that cannot be read."""
    return _read(image, entry)[0]


def _read(image: Image, entry: Entry) -> tuple[ReparseValue, int]:
    try:
        data = image.reparse_data(entry)
    except ImageError as error:
        return Opaque(0, str(error)), 0
    return decode(entry.reparse_tag, data), len(data)


def grouped(points: Iterable[ReparsePoint]) -> tuple[ReparseGroup, ...]:
    """Sum up reparse points by owner and tag: the owner with the most first, his tags likewise."""
    groups: dict[tuple[Owner, int], list[ReparsePoint]] = {}
    owned: Counter[Owner] = Counter()
    for point in points:
        groups.setdefault((point.owner, point.tag.value), []).append(point)
        owned[point.owner] += 1
    summed = [
        ReparseGroup(
            found[0].owner,
            found[0].tag,
            len(found),
            sum(point.size for point in found),
            found[0].path,
        )
        for found in groups.values()
    ]

    def rank(group: ReparseGroup) -> tuple[int, str, int, int]:
        return -owned[group.owner], group.owner.value, -group.count, group.tag.value

    return tuple(sorted(summed, key=rank))
