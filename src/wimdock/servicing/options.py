"""What a servicing run is asked to do, and what it needs of the world."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wimdock.clock import Clock, SystemClock
from wimdock.events import Reporter
from wimdock.files import Disk, open_file, read_at

_LARGEST_DICTIONARY = 16 << 20


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How to service: `indexes` empty stands for all images; `dictionary` is a file's content."""

    indexes: tuple[int, ...] = ()
    dry_run: bool = False
    continue_on_error: bool = False
    allow_unsigned: bool = False
    on_copy: bool = False
    dictionary: bytes | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs of the world, so that tests can give it another one."""

    reporter: Reporter
    clock: Clock
    disk: Disk
    workspace: Path | None = None


def surroundings(
    reporter: Reporter | None = None,
    clock: Clock | None = None,
    disk: Disk | None = None,
    workspace: Path | None = None,
) -> Surroundings:
    """Give the real world, but for what is given."""
    return Surroundings(reporter or Reporter(), clock or SystemClock(), disk or Disk(), workspace)


def read_dictionary(path: Path | None) -> bytes | None:
    """Give the manifest dictionary from a file, named or in WIMDOCK_MANIFEST_DICTIONARY."""
    name = path or os.environ.get("WIMDOCK_MANIFEST_DICTIONARY")
    if not name:
        return None
    fd = open_file(Path(name))
    try:
        return read_at(fd, _LARGEST_DICTIONARY, 0)
    finally:
        os.close(fd)
