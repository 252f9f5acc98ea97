"""What the kernel says is mounted: /proc/self/mountinfo (proc(5)).

Reading it never touches a mounted file system, so it answers even where the process behind a FUSE
mount hangs or is dead.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from wimdock.files import own_path, real_path

_MOUNTINFO = Path("/proc/self/mountinfo")
_ESCAPE = re.compile(rb"\\([0-7]{3})")
_SEPARATOR = b"-"
_SETTLING = 0.3
_PAUSE = 0.02
_WIM_TYPES = frozenset({"fuse.wimfs", "fuse.wimlib"})
_WIM_SOURCES = frozenset({"wimfs", "wimlib"})


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One mount: where, what kind of file system, from what, and whether it can be written.

    `device` is its number as "major:minor"; `owner` the user who mounted it, where FUSE tells.
    """

    directory: Path
    device: str
    kind: str
    source: str
    writable: bool
    owner: int | None = None

    @property
    def is_wim(self) -> bool:
        """Tell whether it is a WIM image that wimlib mounted."""
        return is_wim(self.kind, self.source)


def is_wim(kind: str, source: str) -> bool:
    """Tell by its type and source whether a file system is what wimlib mounts."""
    return kind in _WIM_TYPES or (kind == "fuse" and source in _WIM_SOURCES)


def mount_points() -> tuple[MountPoint, ...]:
    """Give every mount of this process's view, in the order in which they were made."""
    try:
        # Nothing but a space and a line feed ends a field: the kernel escapes no other blank.
        lines = _MOUNTINFO.read_bytes().split(b"\n")
    except OSError:  # no Linux: nothing of ours is mounted there
        return ()
    return tuple(point for line in lines if (point := _parse(line)) is not None)


def mount_at(directory: Path) -> MountPoint | None:
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
    if _MOUNTINFO.exists():
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


def _parse(line: bytes) -> MountPoint | None:
    fields = line.split(b" ")
    try:
        after = fields.index(_SEPARATOR)
        kind, source, options = fields[after + 1 : after + 4]
        directory, own_options, device = fields[4], fields[5], fields[2]
    except (ValueError, IndexError):
        return None
    words = os.fsdecode(options).split(",")
    owner = next((word[8:] for word in words if word.startswith("user_id=")), "")
    return MountPoint(
        Path(os.fsdecode(_plain(directory))),
        os.fsdecode(device),
        os.fsdecode(_plain(kind)),
        os.fsdecode(_plain(source)),
        b"rw" in own_options.split(b",") and "ro" not in words,
        int(owner) if owner.isdigit() else None,
    )


def _plain(field: bytes) -> bytes:
    r"""Give a field with its escapes (`\040` for a space) undone."""
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 8) & 0xFF,)), field)
