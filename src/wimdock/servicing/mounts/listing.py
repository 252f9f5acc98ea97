"""What is mounted, by the records and by the kernel, and where the two do not agree.

record   mounted          state
yes      and it answers   OK (also where it is silent: it may be committing)
yes      process is dead  NEEDS_REMOUNT
yes      nothing          NEEDS_REMOUNT, or INVALID where the image cannot be mounted again
yes      another image    INVALID, and the other one is listed too
no       and it answers   OK, owner "wimlib": mounted without us, or by another user
no       process is dead  NEEDS_REMOUNT, owner "wimlib"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.servicing.mount_table import Mount
from wimdock.servicing.mounts.mountinfo import (
    mount_at,
    mount_points,
    wait_for_ends,
)
from wimdock.servicing.mounts.probe import Answer, Life, ask_all
from wimdock.servicing.mounts.record import (
    MountRecord,
    Phase,
    all_records,
    is_worked_on,
    read_record,
)

OURS = "wimdock"
WIMLIBS = "wimlib"


class MountState(Enum):
    """The state of a mount; DISM calls these Ok, Needs Remount and Invalid."""

    OK = "mounted"
    NEEDS_REMOUNT = "stale"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Mounted:
    """One mount, or the record of one.

    `record` is None for what wimlib mounted without us; `image` and `index` are None where such a
    mount does not tell them. `note` says in a sentence why the state is what it is.
    """

    record: MountRecord | None
    directory: Path
    image: Path | None
    index: int | None
    writable: bool
    state: MountState
    owner: str
    note: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether the image is mounted and can be worked with."""
        return self.state is MountState.OK


def list_mounts() -> tuple[Mounted, ...]:
    """Give every mounted image and every record of one: ours first, oldest first."""
    return _listed(all_records(), {point.directory: point for point in mount_points()})


def mounted_at(directory: Path) -> Mounted | None:
    """Give what is mounted or recorded at a folder; a record of ours before anything else."""
    record, point = read_record(directory), mount_at(directory)
    found = _listed(
        () if record is None else (record,), {} if point is None else {directory: point}
    )
    return found[0] if found else None


def _listed(records: Sequence[MountRecord], points: Mapping[Path, Mount]) -> tuple[Mounted, ...]:
    wim_points = {place: point for place, point in points.items() if point.is_wim}
    answers = ask_all(wim_points)
    # Whoever is asked while he goes away is dead or silent for a moment.
    dead = {place for place, answer in answers.items() if answer.life is Life.DEAD}
    silent = {place for place, answer in answers.items() if answer.life is Life.SILENT}
    gone = wait_for_ends(dead) | wait_for_ends(silent, 0)
    for place in gone:
        del wim_points[place], answers[place]
    points = {place: point for place, point in points.items() if place not in gone}
    found: list[Mounted] = []
    recognised: set[Path] = set()
    for record in records:
        place = record.directory
        answer = answers.get(place)
        if answer is not None and _is_of(record, answer):
            recognised.add(place)
        found.append(_recorded(record, points.get(place), answer))
    found += [
        _foreign(wim_points[place], answer)
        for place, answer in answers.items()
        if place not in recognised
    ]
    return tuple(found)


def _is_of(record: MountRecord, answer: Answer) -> bool:
    """Tell whether a live mount is the one that a record is about."""
    if answer.life is not Life.ANSWERS:
        return True
    same = answer.image == record.image or _same_file(answer.image, record.image)
    return same and (answer.index, answer.writable) == (record.index, record.writable)


def _same_file(one: Path | None, other: Path) -> bool:
    try:
        return one is not None and one.samefile(other)
    except OSError:
        return False


def _recorded(record: MountRecord, point: Mount | None, answer: Answer | None) -> Mounted:
    state, note = _judge(record, point, answer)
    return Mounted(
        record, record.directory, record.image, record.index, record.writable, state, OURS, note
    )


def _judge(
    record: MountRecord, point: Mount | None, answer: Answer | None
) -> tuple[MountState, str]:
    if point is None:
        return _unmounted(record)
    if answer is None or not _is_of(record, answer):
        return MountState.INVALID, "Something else is mounted in this folder now."
    if answer.life is Life.DEAD:
        how = "has ended"
        if record.phase is Phase.COMMITTING:
            how = "ended while it committed"
        elif record.writable:
            how = "has ended and what was changed is lost"
        return MountState.NEEDS_REMOUNT, f"The process that kept it mounted {how}."
    if answer.life is Life.SILENT:
        return MountState.OK, "It does not answer just now: it may be committing."
    if record.phase is Phase.COMMITTING and not is_worked_on(record.directory):
        return MountState.OK, "Committing it was cut short: it can be unmounted again."
    return MountState.OK, ""


def _unmounted(record: MountRecord) -> tuple[MountState, str]:
    if is_worked_on(record.directory):
        return MountState.OK, f"Another wimdock is {record.phase.value} it just now."
    if record.phase is Phase.COMMITTING:
        note = "Committing it was cut short, perhaps after the image file was written."
        return MountState.INVALID, note
    if not record.image.is_file():
        return MountState.INVALID, f"{record.image} is not there any more."
    if record.phase is Phase.MOUNTING:
        return MountState.NEEDS_REMOUNT, "Mounting it was cut short."
    if record.phase is Phase.DISCARDING:
        return MountState.NEEDS_REMOUNT, "It is unmounted; only its record is left."
    lost = " What was changed is lost." if record.writable else ""
    return MountState.NEEDS_REMOUNT, f"It is not mounted any more.{lost}"


def _foreign(point: Mount, answer: Answer) -> Mounted:
    state, note = MountState.OK, ""
    match answer.life:
        case Life.DEAD:
            state = MountState.NEEDS_REMOUNT
            note = "The process that kept it mounted has ended."
        case Life.SILENT:
            note = "It does not answer just now: it may be committing."
        case Life.CLOSED:
            note = f"Only its user{'' if point.owner is None else f' {point.owner}'} can look in."
    writable = answer.writable if answer.life is Life.ANSWERS else point.writable
    return Mounted(
        None, point.directory, answer.image, answer.index, writable, state, WIMLIBS, note
    )
