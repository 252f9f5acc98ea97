"""Making the runs of an instant: one for each image package, with the updates chosen for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, selectinload

from wimdock.configmgr.image_servicing import ScheduleAction, ScheduleState
from wimdock.site.models import Image, ImagePackage, Schedule, ScheduleTarget, UpdateRow
from wimdock.site.runs.create import RunRequest, create_runs
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.site import Site
from wimdock.site.updates.choice import Chooser
from wimdock.site.updates.memory import ChoiceMemory
from wimdock.site.updates.selection import Selection

_AT_ONCE = 200
"""So many image packages are looked at in one question."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a schedule does with one image package: the images and the updates, in order."""

    package: ImagePackage
    indexes: tuple[int, ...]
    updates: tuple[UpdateRow, ...]


def work_of(
    session: Session, schedule: Schedule, now: datetime, memory: ChoiceMemory | None = None
) -> Iterator[Work]:
    """Give what a schedule would do now, in the order of its image packages.

    Image packages that were removed are left out. NoSuchRecord or ScheduleError where an update
    that it names is not in the library any more. `memory` is kept from one schedule to the next.
    """
    options = ScheduleOptions.from_document(schedule.options)
    yield from _work(session, schedule, now, memory, allow_unsigned=options.allow_unsigned)


def unsigned_of(session: Session, schedule: Schedule, now: datetime) -> list[UpdateRow]:
    """Give the updates that a schedule's rule leaves out now, only for no catalog covers them."""
    if ScheduleOptions.from_document(schedule.options).allow_unsigned:
        return []
    found: dict[int, UpdateRow] = {}
    for work in _work(session, schedule, now, None, allow_unsigned=True):
        found |= {update.id: update for update in work.updates if not update.catalogued}
    return list(found.values())


def _work(
    session: Session,
    schedule: Schedule,
    now: datetime,
    memory: ChoiceMemory | None,
    *,
    allow_unsigned: bool,
) -> Iterator[Work]:
    selection = Selection.from_document(schedule.selection)
    chooser = Chooser(session, selection, now, memory, allow_unsigned=allow_unsigned)
    targets = schedule.targets
    for start in range(0, len(targets), _AT_ONCE):
        yield from _work_of(session, chooser, targets[start : start + _AT_ONCE])


def _work_of(
    session: Session, chooser: Chooser, targets: Sequence[ScheduleTarget]
) -> Iterator[Work]:
    query = (
        select(ImagePackage)
        .where(
            ImagePackage.id.in_([target.package_id for target in targets]),
            ImagePackage.removed_at.is_(None),
        )
        .options(
            defer(ImagePackage.preflight),
            selectinload(ImagePackage.images).options(defer(Image.reparse)),
        )
    )
    packages = {package.id: package for package in session.scalars(query)}
    for target in targets:
        package = packages.get(target.package_id)
        if package is None:
            continue
        indexes = tuple(target.indexes)
        images = [image for image in package.images if not indexes or image.index in indexes]
        yield Work(package, indexes, tuple(chooser.choose(images)))


def start_runs(
    session: Session,
    site: Site,
    schedule: Schedule,
    instant: datetime,
    memory: ChoiceMemory | None = None,
    begin_before: datetime | None = None,
) -> list[int]:
    """Make the runs of an instant and give their IDs; the caller holds the schedule's row locked.

    None of them is begun at or after `begin_before`.
    A run is made also where no update was chosen: it ends at once, and says so.
    """
    requests = [
        RunRequest(
            package=work.package,
            update_ids=[update.id for update in work.updates],
            schedule=schedule,
            instant=instant,
            begin_before=begin_before,
            indexes=work.indexes,
            options=schedule.options,
            queue=schedule.queue,
            priority=schedule.priority,
        )
        for work in work_of(session, schedule, site.now(), memory)
    ]
    made = [run.id for run in create_runs(session, site, requests)]
    if made:
        schedule.sms_action = ScheduleAction.INSTALL.value
        schedule.sms_state = ScheduleState.RUNNING.value
    return made
