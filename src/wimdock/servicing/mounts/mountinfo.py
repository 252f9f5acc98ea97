"""What is mounted where, in the view of this process, and the folders that mounts stand in."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path

from wimdock.files import own_path, real_path
from wimdock.servicing.mount_table import TABLE, Mount, parse_mounts

_SETTLING = 0.3
_PAUSE = 0.02


def mount_points() -> tuple[Mount, ...]:
    """Give every mount of this process's view, in the order in which they were made."""
    try:
        return tuple(parse_mounts(TABLE.read_bytes()))
    except OSError:  # no Linux: nothing of ours is mounted there
        return ()


def mount_at(directory: Path) -> Mount | None:
    """Give the uppermost mount at exactly this folder, or None."""
    return next((p for p in reversed(mount_points()) if p.directory == directory), None)


def wait_for_ends(directories: Collection[Path], patience: float = _SETTLING) -> set[Path]:
    """Give those of the folders whose mount goes away within a moment.

    A mount that is being ended stands there a little longer than its process answers.
    """
    end = time.monotonic() + patience
    left = set(directories)
    while left:
        left &= {point.directory for point in mount_points()}
        if time.monotonic() >= end:
            break
        time.sleep(_PAUSE)
    return set(directories) - left


def is_mount_point(path: Path) -> bool:
    """Tell whether something is mounted at this folder, by whomever; also where it is dead."""
    place = place_of(path)
    if TABLE.exists():
        return mount_at(place) is not None
    return os.path.ismount(place)


def place_of(directory: Path | str) -> Path:
    """Give the absolute path of a mount directory without asking what is mounted there.

    Only the folder above is looked at, so that a mount whose process hangs does not hang us too. A
    symbolic link to a folder is followed where it is no mount point itself.
    """
    place = own_path(directory)
    if mount_at(place) is not None:
        return place
    return real_path(place)
