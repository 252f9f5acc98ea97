"""A walk through everything below a folder, deepest first, that cannot be led out of it.

Each step is taken from an open folder to a name in it, never by a path, so that nothing that is
moved or replaced meanwhile leads elsewhere. Only one folder is open at a time and nothing recurses:
no depth is too deep. Folders that were moved away under the walk are noticed on the way back up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wimdock.files import name_of, storage_error
from wimdock.servicing.cleanup.ground import Ground, identity, is_folder


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing that was come upon: `name` in the folder that is open as `folder`.

    A folder (`is_folder`) comes after all that is in it. `is_reparse_point`: it was not entered.
    """

    folder: int
    name: str
    status: os.stat_result
    is_folder: bool
    is_reparse_point: bool = False


@dataclass(slots=True)
class _Level:
    name: str
    status: os.stat_result
    waiting: list[tuple[str, os.stat_result]] = field(default_factory=list)


def descend(top: int, ground: Ground) -> Iterator[Visit]:
    """Visit all that is below an open folder, but not the folder itself.

    A reader of the visits may remove what it is shown. StagingError and StorageError where the walk
    cannot go on.
    """
    fd = os.dup(top)
    try:
        levels = [_Level("", os.fstat(fd))]
        yield from _files(fd, levels[-1])
        while levels:
            if levels[-1].waiting:
                name, status = levels[-1].waiting.pop()
                below = ground.enter(fd, name, status)
                if below is None:
                    yield Visit(fd, name, status, is_folder=True, is_reparse_point=True)
                    continue
                os.close(fd)
                fd = below
                levels.append(_Level(name, status))
                yield from _files(fd, levels[-1])
                continue
            done = levels.pop()
            if levels:
                above = ground.leave(fd, identity(levels[-1].status))
                os.close(fd)
                fd = above
                yield Visit(fd, done.name, done.status, is_folder=True)
    finally:
        os.close(fd)


def _files(fd: int, level: _Level) -> Iterator[Visit]:
    """Visit what is no folder, and note the folders for later."""
    try:
        names = os.listdir(fd)
    except OSError as error:
        raise storage_error(error, name_of(fd)) from error
    for name in names:
        try:
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, Path(name_of(fd), name)) from error
        if is_folder(status):
            level.waiting.append((name, status))
        else:
            yield Visit(fd, name, status, is_folder=False)
