"""What a servicing run is asked to do, and what it needs of the world."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wimdock.clock import Clock, SystemClock
from wimdock.errors import MissingDictionary, UsageError
from wimdock.events import Reporter
from wimdock.files import Disk, open_file, read_at, refuse_special

_LARGEST_DICTIONARY = 16 << 20


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How to service: `indexes` empty stands for all images; `dictionary` is a file's content.

    `only_applicable` leaves an update that is not for an image out of it, where otherwise that ends
    the run. `token` is recorded with the generation: by it a run finds out later that it has
    committed.
    """

    indexes: tuple[int, ...] = ()
    dry_run: bool = False
    continue_on_error: bool = False
    allow_unsigned: bool = False
    on_copy: bool = False
    dictionary: bytes | None = None
    only_applicable: bool = False
    token: str = ""


def always() -> None:
    """Permit the commit."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs of the world, so that tests can give it another one.

    `permit` is asked right before the commit; what it raises ends the run with nothing written.
    """

    reporter: Reporter
    clock: Clock
    disk: Disk
    workspace: Path | None = None
    permit: Callable[[], None] = always


def surroundings(
    reporter: Reporter | None = None,
    clock: Clock | None = None,
    disk: Disk | None = None,
    workspace: Path | None = None,
    permit: Callable[[], None] = always,
) -> Surroundings:
    """Give the real world, but for what is given."""
    return Surroundings(
        reporter or Reporter(), clock or SystemClock(), disk or Disk(), workspace, permit
    )


def read_dictionary(path: Path | None) -> bytes | None:
    """Give the manifest dictionary from a file, named or in WIMDOCK_MANIFEST_DICTIONARY.

    UsageError for a file that can be none, StorageError for one that cannot be read.
    """
    name = path or os.environ.get("WIMDOCK_MANIFEST_DICTIONARY")
    if not name:
        return None
    refuse_special(Path(name))
    fd = open_file(Path(name))
    try:
        found = read_at(fd, _LARGEST_DICTIONARY + 1, 0)
    finally:
        os.close(fd)
    if not found or len(found) > _LARGEST_DICTIONARY:
        size = "more than 16 MiB" if found else "no bytes"
        message = f"{name} is no manifest dictionary: it has {size}"
        raise UsageError(message, hint=MissingDictionary.default_hint)
    return found
