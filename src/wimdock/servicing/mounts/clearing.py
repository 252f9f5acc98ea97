"""Clean-up of mounts that are over: records without a live mount, and what their process left.

A live mount is never touched. What is removed: a dead mount of ours (detached, never lazily), the
folder for changes that the record names, the mark of a write in progress that a commit cut short
left in the image file, and last the record. Each step may be made again, so that a clean-up that
was killed is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import MountInUse, NotMounted
from wimdock.servicing.mounts.commit import Settled, settle
from wimdock.servicing.mounts.ending import detach, wait_until_free, wait_until_gone
from wimdock.servicing.mounts.listing import Mounted, MountState, list_mounts, mounted_at
from wimdock.servicing.mounts.mountinfo import mount_at
from wimdock.servicing.mounts.probe import Life, ask
from wimdock.servicing.mounts.record import MountRecord, Phase, remove_record, working_on
from wimdock.servicing.mounts.staging import remove_staging
from wimdock.servicing.options import Surroundings, surroundings

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Cleared:
    """A record that was cleared away: what it was about, and what was done, in words."""

    record: MountRecord
    done: tuple[str, ...]
    settled: Settled


def cleanup_mountpoints(world: Surroundings | None = None) -> tuple[Cleared, ...]:
    """Clear away every stale record of ours; live mounts and other people's stay as they are."""
    world = world or surroundings()
    cleared = []
    for stale in list_mounts():
        if stale.record is None or stale.state is MountState.OK:
            continue
        with working_on(stale.directory):
            again = mounted_at(stale.directory)  # it may have changed before it was ours to work on
            if again is not None and again.record is not None and again.state is not MountState.OK:
                cleared.append(clear(again, world))
    return tuple(cleared)


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


def _name(folder: Path | None) -> str:
    return "" if folder is None else folder.name
