"""A small image file of our own writer's making, for what needs neither root nor other tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from wimdock.clock import FixedClock
from wimdock.image.change_set import ChangeSet, FileEdit, HiveName, PutFile
from wimdock.image.staging import StagedImage
from wimdock.image.windows import WindowsImage
from wimdock.registry import Hive
from wimdock.wim.creation import NewImage, create_archive
from wimdock.wim.transaction import Transaction

MADE = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def make_image(
    path: Path, *edits: FileEdit, properties: Mapping[str, str] | None = None, name: str = "Sample"
) -> Path:
    """Make an image file with one image that holds what the edits make; give its path."""
    clock = FixedClock(MADE)
    create_archive(path, [NewImage(name, properties or {})], MADE, compression="xpress")
    with Transaction.begin(path, clock=clock) as transaction:
        staged = StagedImage(WindowsImage(transaction.archive, 1), clock)
        staged.stage(ChangeSet(files=edits))
        written = staged.write(transaction)
        transaction.commit("made for a test")
        del written
    return path


def put_hive(name: HiveName, hive: Hive) -> PutFile:
    """Give the edit that puts a hive where Windows has it."""
    return PutFile(name.path, hive.to_bytes())
