"""Going back: an older header written over the current one.

Order of writes: the sidecar, where the current state is not recorded yet, and flushed; then the
208-byte header, which is the commit, and flushed. A crash before it leaves the current state, one
after it the older one. Nothing is cut off, so that one can go forward again until the next write.
"""

from __future__ import annotations

from pathlib import Path

from wimdock.errors import GenerationError, ImageError
from wimdock.files import Disk, naming, real_path
from wimdock.wim.archive import Archive
from wimdock.wim.generations import (
    Generation,
    current_generation,
    marked_committed,
    read_generations,
    write_generations,
)
from wimdock.wim.write_access import locked_archive, refuse_unwritable


def list_generations(path: Path | str) -> tuple[list[Generation], Generation | None]:
    """Give the recorded generations, oldest first, and the one that the file is in.

    The second is None for a file that has no record yet, or that another program changed since.
    """
    path = real_path(path)
    with naming(path), Archive.open(path) as archive:
        generations = read_generations(path)
        return generations, current_generation(generations, archive.raw_header)


def rollback(
    path: Path | str,
    to: int | None = None,
    *,
    disk: Disk | None = None,
) -> tuple[Generation, Generation]:
    """Go to generation `to`, or to the last committed one before the current; give both.

    The first is the one that was left. GenerationError where there is none to go to, where the file
    was changed by another program, or where the older state is not whole any more.
    """
    disk = disk or Disk()
    with naming(path), locked_archive(path) as archive:
        refuse_unwritable(archive)
        recorded = read_generations(archive.path)
        current = current_generation(recorded, archive.raw_header)
        if current is None:
            message = f"no older state of {archive.path} is known"
            if recorded:
                message = f"another program changed {archive.path} since its last generation"
            hint = "Only states that wimdock recorded, with nothing written since, can be gone to."
            raise GenerationError(message, hint=hint)
        generations = marked_committed(recorded, current)
        target = _target(generations, current, to)
        _check(archive, target)
        if generations != recorded:
            write_generations(archive.path, generations, disk)
        disk.write_at(archive.fd, target.header, 0)
        disk.flush(archive.fd)
        return current, target


def _target(generations: list[Generation], current: Generation, to: int | None) -> Generation:
    if to is None:
        older = [g for g in generations if g.number < current.number and g.committed]
        if not older:
            message = f"generation {current.number} is the oldest one"
            raise GenerationError(message, hint="There is nothing to go back to.")
        return older[-1]
    found = next((g for g in generations if g.number == to), None)
    if found is None:
        message = f"there is no generation {to}"
        raise GenerationError(message)
    if found.number == current.number:
        message = f"the file is in generation {to} already"
        raise GenerationError(message)
    if not found.committed:
        message = f"generation {to} was prepared but never committed"
        raise GenerationError(message, hint="Run the servicing that made it again.")
    return found


def _check(archive: Archive, target: Generation) -> None:
    """Make sure that the tables of the older state are still there."""
    try:
        older = Archive(archive.fd, archive.path, target.header)
        whole = older.committed_end <= older.size
        whole = whole and len(older.metadata_blobs) == older.image_count
    except ImageError as error:
        message = f"generation {target.number} is not whole any more: {error.message}"
        raise GenerationError(message) from error
    if not whole:
        message = f"generation {target.number} is not whole any more"
        raise GenerationError(message)
