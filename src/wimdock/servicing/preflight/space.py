r"""Room for a whole run of the Microsoft way, estimated part by part before it begins.

On the staging volume: the copy of the image file, the update files, the mounted image, the updates
unpacked, and what a commit appends to the copy. On the volume of the package source: the new file
beside the old one, which is kept. Contents are counted before compression, so that the estimate is
rather too high than too low.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.image.change_set import HiveName
from wimdock.paths import ImagePath
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.update_file import UpdateFile
from wimdock.servicing.preflight.volume import Volume
from wimdock.wim import Archive

NAME = "free-space"
TITLE = "Free space"

_HIVES = tuple(name.path for name in HiveName)
# NTFS keeps a record of 1 KiB for every file and folder of a mounted image.
_PER_NAME = 1 << 10
_SHORTEST_ENTRY = 102


class Place(Enum):
    """Where a part of a run's room is needed."""

    STAGING = "staging"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that takes room in a run: what, how many bytes, where."""

    what: str
    size: int
    place: Place


def image_parts(archive: Archive, indexes: Sequence[int]) -> tuple[int, int]:
    """Give the room for the mounted image, and for what every commit writes anew (bytes).

    Indexes are mounted one after the other, so the largest counts; what commits write (metadata and
    hives) adds up.
    """
    mounted = written = 0
    for index in indexes:
        metadata = archive.metadata_blobs[index - 1].resource.size
        record = archive.xml.record(index)
        names = (record.directory_count or 0) + (record.file_count or 0)
        mounted = max(mounted, (names or metadata // _SHORTEST_ENTRY) * _PER_NAME)
        written += metadata + _hive_bytes(archive, index)
    return mounted, written


def _hive_bytes(archive: Archive, index: int) -> int:
    image = archive.image(index)
    total = 0
    for path in _HIVES:
        entry = image.lookup(ImagePath(str(path)))
        blob = archive.blobs.find(entry.data_sha1) if entry and entry.data_sha1 else None
        total += blob.resource.size if blob else 0
    return total


def estimate(
    image_size: int, mounted: int, written: int, sizes: Iterable[tuple[int, int]]
) -> tuple[Part, ...]:
    """Give the parts of a run; `sizes` has each update's size and that of all that is in it."""
    updates = tuple(sizes)
    files = sum(size for size, _ in updates)
    unpacked = sum(size for _, size in updates)
    grown = written + unpacked
    return (
        Part("copy of the image file", image_size, Place.STAGING),
        Part("update files", files, Place.STAGING),
        Part("mounted image", mounted, Place.STAGING),
        Part("updates unpacked, and their files in the mounted image", 2 * unpacked, Place.STAGING),
        Part("what the commits append", grown, Place.STAGING),
        Part("new image file, beside the old one that is kept", image_size + grown, Place.SOURCE),
    )


def update_sizes(paths: Sequence[Path], files: Sequence[UpdateFile]) -> tuple[tuple[int, int], ...]:
    """Give the sizes of all updates; what cannot be opened counts as it lies there."""
    known = {file.path: (file.size, file.unpacked) for file in files}
    found = []
    for path in dict.fromkeys(paths):
        if path in known:
            found.append(known[path])
            continue
        try:
            size = path.stat().st_size
        except OSError:
            size = 0
        found.append((size, size))
    return tuple(found)


def check_space(parts: Sequence[Part], source: Volume, staging: Volume | None) -> Iterator[Check]:
    """Compare what a run needs with what is free, volume by volume."""
    if staging is None:
        mine = tuple(part for part in parts if part.place is Place.SOURCE)
        yield _compared(source, mine, "the image's volume")
        needed = sum(part.size for part in parts if part.place is Place.STAGING)
        reason = f"no staging folder was named; a run needs {_size(needed)} there."
        remedy = "Name it with --staging."
        kept = _details(tuple(part for part in parts if part.place is Place.STAGING))
        yield Check(NAME, TITLE, Result.NOT_CHECKED, reason, remedy, details=kept, wanted=False)
    elif staging.device == source.device:
        yield _compared(source, tuple(parts), "the volume of image and staging")
    else:
        for volume, place, name in (
            (staging, Place.STAGING, "the staging volume"),
            (source, Place.SOURCE, "the image's volume"),
        ):
            yield _compared(volume, tuple(p for p in parts if p.place is place), name)


def _compared(volume: Volume, parts: tuple[Part, ...], name: str) -> Check:
    needed = sum(part.size for part in parts)
    have = f"{name} has {_size(volume.free)} free, a run needs about {_size(needed)}"
    if volume.free >= needed:
        return Check(NAME, TITLE, Result.PASSED, f"{have}.", details=_details(parts))
    return Check(
        NAME,
        TITLE,
        Result.FAILED,
        f"{have}: it would end with 0x80070070.",
        f"Free {_size(needed - volume.free)} on {volume.mount_point}, or stage elsewhere.",
        failure=16,
        details=_details(parts),
    )


def _details(parts: tuple[Part, ...]) -> tuple[str, ...]:
    return tuple(f"{part.what}: {_size(part.size)}" for part in parts if part.size)


def _size(count: int) -> str:
    """Give a number of bytes in words, rounded up."""
    mebibytes = -(-count >> 20)
    return f"{mebibytes:,} MiB"
