"""A commit through wimlib, told to the record of generations.

wimlib appends to the image file and then writes the header, as we do; what was there before stays.
So a commit is a generation like any other, and can be gone back from:

1. before it, the sidecar gets the state that the file is in, and loses states that were undone
   (wimlib writes over their bytes); the mount's record gets the number of that generation;
2. wimlib marks the header, appends, writes the new header; the file is flushed by us;
3. the sidecar gets the new state; the mount's record goes.

A crash in 2 or 3 leaves the mount's record, and `settle` finds out what became of the file: the old
header, the new one, or the old one with wimlib's mark of a write in progress, which is taken away.
Where wimlib wrote the whole file anew instead, older states are gone and the sidecar starts afresh.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import CorruptImage, ImageError, WimdockError
from wimdock.files import naming
from wimdock.servicing.mounts.record import MountRecord
from wimdock.servicing.options import Surroundings
from wimdock.wim import Archive, layout
from wimdock.wim.generations import (
    Generation,
    current_generation,
    read_generations,
    reconcile,
    write_generations,
)
from wimdock.wim.write_access import locked_archive


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a commit.

    `generation` is the one it made, None where it made none. `restored` says that wimlib's mark of
    a write in progress was taken away, `unclear` that others wrote the file since.
    """

    generation: Generation | None = None
    restored: bool = False
    unclear: bool = False


def begin_commit(image: Path, world: Surroundings) -> int:
    """Record the state that a file is in, and give its number; wimlib holds the file's lock."""
    with naming(image), Archive.open(image) as archive:
        recorded = read_generations(image)
        end = archive.committed_end
        rows = reconcile(recorded, archive.raw_header, end, world.clock.now())
        current = current_generation(rows, archive.raw_header) or rows[-1]
        kept = [row for row in rows if row.number <= current.number]
        if kept != recorded:
            write_generations(image, kept, world.disk)
        return current.number


def settle(record: MountRecord, world: Surroundings, *, certain: bool = False) -> Settled:
    """Find out what became of a commit that was begun, and make file and sidecar say so.

    `certain` says that wimlib has just reported success: then even a file that was wholly written
    anew is its work. Idempotent by the header. ImageBusy while somebody writes the file.
    """
    image = record.image
    with naming(image), locked_archive(image) as archive:
        world.disk.flush(archive.fd)
        rows = read_generations(image)
        known = current_generation(rows, archive.raw_header)
        if known is not None:
            return _known(record, rows, known)
        before = next((row for row in rows if row.number == record.generation), None)
        same = os.fstat(archive.fd).st_ino == record.inode and before is not None
        old = before if before is not None and same and _is_whole(archive, before) else None
        if archive.header.flags & layout.FLAG_WRITE_IN_PROGRESS:
            if old is None:
                return Settled(unclear=True)
            world.disk.write_at(archive.fd, old.header, 0)
            world.disk.flush(archive.fd)
            return Settled(restored=True)
        if old is None and not certain:
            return Settled(unclear=True)
        return Settled(_add(archive, record, rows, old, world))


def _known(record: MountRecord, rows: list[Generation], known: Generation) -> Settled:
    """Tell what became of a commit from a sidecar that knows the state of the file."""
    if known.number == record.generation:
        return Settled()
    ours = (row for row in rows if row.number == (record.generation or 0) + 1)
    made = next((row for row in ours if row.note.startswith(_note(record))), None)
    return Settled(made, unclear=made is None)


def _note(record: MountRecord) -> str:
    return f"mount: image {record.index} committed by wimlib"


def _add(
    archive: Archive,
    record: MountRecord,
    rows: list[Generation],
    before: Generation | None,
    world: Surroundings,
) -> Generation:
    end = archive.committed_end
    number = rows[-1].number + 1 if rows else 1
    kept = [] if before is None else [row for row in rows if row.number <= before.number]
    note = _note(record)
    if before is None:
        note += ", which wrote the whole file anew"
    added = 0 if before is None else end - before.length
    now = world.clock.now()
    made = Generation(number, archive.raw_header, end, added, now, note, committed=True)
    write_generations(record.image, [*kept, made], world.disk)
    return made


def _is_whole(archive: Archive, row: Generation) -> bool:
    """Tell whether the tables of an older state are still in the file."""
    try:
        older = Archive(archive.fd, archive.path, row.header)
        counted = len(older.metadata_blobs) == older.image_count == len(older.images)
    except ImageError:
        return False
    return counted and older.committed_end <= older.size


def check_committed(record: MountRecord) -> None:
    """Read the tree of the image that was committed; CorruptImage where that is not possible."""
    try:
        with Archive.open(record.image) as archive:
            for _entry in archive.image(record.index).walk():
                pass
    except WimdockError as error:
        message = f"what wimlib wrote to {record.image} cannot be read: {error.message}"
        hint = f"`wimdock rollback {shlex.quote(str(record.image))}` goes back to the state before."
        raise CorruptImage(message, hint=hint) from error
