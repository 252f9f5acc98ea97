"""Clean-up of mounts that are over: records without a live mount, and what their process left.

A live mount is never touched. What is removed: a dead mount of ours (detached, never lazily), the
folder for changes that the record names, the mark of a write in progress that a commit cut short
left in the image file, and last the record. Each step may be made again, so that a clean-up that
was killed is simply run again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import MountInUse, NotMounted, WimdockError
from wimdock.servicing.mounts.commit import Settled, settle
from wimdock.servicing.mounts.ending import detach, wait_until_free, wait_until_gone
from wimdock.servicing.mounts.holders import keeper_of
from wimdock.servicing.mounts.listing import Mounted, MountState, list_mounts, mounted_at
from wimdock.servicing.mounts.mountinfo import mount_at
from wimdock.servicing.mounts.probe import Life, ask
from wimdock.servicing.mounts.record import MountRecord, Phase, remove_record, working_on
from wimdock.servicing.mounts.staging import remove_staging
from wimdock.servicing.options import Surroundings, surroundings

_PATIENCE = 5.0
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Cleared:
    """A record that was cleared away: what it was about, and what was done, in words."""

    record: MountRecord
    done: tuple[str, ...]
    settled: Settled


def cleanup_mountpoints(world: Surroundings | None = None) -> tuple[Cleared, ...]:
    """Clear away every stale record of ours; live mounts and other people's stay as they are.

    One that cannot be cleared away keeps no other from it: the first error is raised at the end.
    """
    world = world or surroundings()
    cleared: list[Cleared | None] = []
    errors: list[WimdockError] = []
    for stale in list_mounts():
        if stale.record is None or stale.is_live:
            continue
        try:
            cleared.append(clear_stale(stale.directory, world))
        except WimdockError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return tuple(each for each in cleared if each is not None)


def clear_stale(directory: Path, world: Surroundings) -> Cleared | None:
    """Clear away the record of a mount that is over; None where there is none, or it is not over.

    `directory` is the one of the record: no link in it is followed.
    """
    with working_on(directory):
        found = mounted_at(directory)  # it may have changed before it was ours to work on
        if found is None or found.record is None or found.is_live:
            return None
        return clear(found, world)


def clear(stale: Mounted, world: Surroundings) -> Cleared:
    """Clear away one stale record; whoever calls holds `working_on` its directory."""
    record = stale.record
    if record is None or stale.state is MountState.OK:
        message = f"there is nothing stale in {stale.directory}"
        raise NotMounted(message)
    done = []
    point = mount_at(record.directory)
    if point is not None and point.is_wim and ask(record.directory).life is Life.DEAD:
        detach(record.directory)
        wait_until_gone(record.directory)
        done.append("dead mount detached")
    _refuse_kept(record.directory)
    settled = Settled()
    if record.phase is Phase.COMMITTING and record.image.is_file():
        settled = settle(record, world)
        if settled.generation is not None:
            done.append(f"its commit recorded as generation {settled.generation.number}")
        if settled.restored:
            done.append("its unfinished commit taken back")
    if not wait_until_free(record.staging, _PATIENCE):
        message = f"a process still works in {record.staging}"
        raise MountInUse(message, hint="Wait until it has ended, then run the command again.")
    if remove_staging(record):
        done.append(f"{_name(record.staging)} removed")
    remove_record(record, world.disk)
    done.append("record removed")
    return Cleared(record, tuple(done), settled)


def _refuse_kept(directory: Path) -> None:
    """Raise MountInUse where wimlib's process lives: it is mounted where we do not see it."""
    end = time.monotonic() + _PATIENCE
    while (keeper := keeper_of(directory)) is not None and mount_at(directory) is None:
        if time.monotonic() > end:
            message = (
                f"process {keeper.process} ({keeper.name}) keeps {directory} mounted, in a mount "
                "namespace of its own"
            )
            hint = "Unmount it there, as the service or container that mounted it sees it."
            raise MountInUse(message, hint=hint)
        time.sleep(_PAUSE)


def _name(folder: Path | None) -> str:
    return "" if folder is None else folder.name
