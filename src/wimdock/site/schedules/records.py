"""The schedules that the site keeps: added, switched on and off, removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from wimdock.configmgr.image_servicing import ScheduleAction, ScheduleState
from wimdock.errors import NoSuchRecord, NotOffered, ScheduleError
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.report import report
from wimdock.site.messages.table import SCHEDULE_ADDED, SCHEDULE_CHANGED, SCHEDULE_REMOVED
from wimdock.site.models import (
    Image,
    ImagePackage,
    Schedule,
    ScheduleTarget,
    ScheduleUpdate,
    SiteRow,
    StatusMessageRow,
    UpdateRow,
)
from wimdock.site.schedules.request import Plan, ScheduleRequest, Target
from wimdock.site.site import Site

LAST_NUMBER = (1 << 31) - 1
"""No schedule has a larger number: it is one of 32 bits in Configuration Manager."""

_HINT = "`wimdock schedule list` names them all."
_NO_NAME = "it has no name"


def schedule_of(session: Session, schedule_id: int, *, lock: bool = False) -> Schedule:
    """Give a schedule as it is now, with `lock` for a change of it; NoSuchRecord for none."""
    found = None
    if 0 < schedule_id <= LAST_NUMBER:
        found = session.get(
            Schedule,
            schedule_id,
            options=[selectinload(Schedule.targets)],
            with_for_update=lock or None,
            populate_existing=True,
        )
    if found is None:
        message = f"there is no schedule {schedule_id}"
        raise NoSuchRecord(message, hint=_HINT)
    if found.removed_at is not None:
        message = f"schedule {schedule_id} was removed on {found.removed_at:%Y-%m-%d}"
        raise NoSuchRecord(message, hint=_HINT)
    return found


def check_schedules(site: Site, schedule_ids: Iterable[int]) -> None:
    """Raise NoSuchRecord where one of several schedules is not there, before any is touched."""
    with site.reading() as session:
        for schedule_id in schedule_ids:
            schedule_of(session, schedule_id)


def add_schedule(site: Site, request: ScheduleRequest) -> Schedule:
    """Keep a new schedule and give it.

    NotOffered or ScheduleError where it cannot be, NoSuchRecord for an image package, an image or
    an update that the site does not know: nothing is kept then.
    """
    now = site.now()
    plan = request.check(now)
    with site.writing() as session:
        _check_targets(session, request.targets)
        _check_updates(
            session, request.selection.ids, allow_unsigned=request.options.allow_unsigned
        )
        row = session.scalars(select(SiteRow).with_for_update()).one()
        number = row.next_schedule
        row.next_schedule += 1
        first = plan.next(now)
        schedule = Schedule(
            id=number,
            name=request.name,
            enabled=True,
            recurrence=request.recurrence.to_document(),
            zone=request.zone,
            window=request.window.to_document(),
            selection=request.selection.to_document(),
            options=request.options.to_document(),
            queue=request.queue,
            priority=request.priority,
            next_due=None if first is None else first.at,
            sms_action=ScheduleAction.INSTALL.value,
            sms_state=(ScheduleState.SCHEDULED if first else ScheduleState.NONE).value,
            created_at=now,
            created_by=site.operator,
            targets=[
                ScheduleTarget(
                    package_id=target.package_id, position=place, indexes=list(target.indexes)
                )
                for place, target in enumerate(request.targets)
            ],
        )
        session.add(schedule)
        session.flush()
        session.add_all(
            ScheduleUpdate(schedule_id=number, update_id=update_id, position=place)
            for place, update_id in enumerate(request.selection.ids)
        )
        packages = [target.package_id for target in request.targets]
        site.note(session, "schedule.add", str(number), name=request.name, packages=packages)
        name = request.name or _NO_NAME
        said = report(site, session, SCHEDULE_ADDED, number, name, schedule_id=number)
    _log(site, said)
    return schedule


def enable_schedule(site: Site, schedule_id: int) -> Schedule:
    """Switch a schedule on: it is due again from now on. ScheduleError where it never is."""
    with site.writing() as session:
        schedule = schedule_of(session, schedule_id, lock=True)
        if schedule.enabled:
            return schedule
        plan = Plan.of(schedule)
        first = plan.next(site.now())
        if first is None and schedule.recurrence["kind"] != "now":
            message = f"schedule {schedule_id} is never due any more: {plan.recurrence.describe()}"
            raise ScheduleError(message, hint="Add another one, or run it: schedule run-now.")
        schedule.enabled = True
        schedule.next_due = None if first is None else first.at
        schedule.sms_state = ScheduleState.SCHEDULED.value
        said = _note(site, session, schedule, "enable", "it is switched on")
    _log(site, said)
    return schedule


def disable_schedule(site: Site, schedule_id: int) -> Schedule:
    """Switch a schedule off: it is due no more. Runs that were made go on."""
    with site.writing() as session:
        schedule = schedule_of(session, schedule_id, lock=True)
        if not schedule.enabled:
            return schedule
        schedule.enabled = False
        schedule.next_due = None
        schedule.sms_state = ScheduleState.NONE.value
        said = _note(site, session, schedule, "disable", "it is switched off")
    _log(site, said)
    return schedule


def remove_schedule(site: Site, schedule_id: int) -> Schedule:
    """Remove a schedule. Its runs, and what is known of them, stay; those that wait are done."""
    with site.writing() as session:
        schedule = schedule_of(session, schedule_id, lock=True)
        schedule.enabled = False
        schedule.next_due = None
        schedule.removed_at = site.now()
        # The row stays, for history; the library may let go of what it named.
        session.execute(delete(ScheduleUpdate).where(ScheduleUpdate.schedule_id == schedule_id))
        site.note(session, "schedule.remove", str(schedule_id), name=schedule.name)
        name = schedule.name or _NO_NAME
        said = report(site, session, SCHEDULE_REMOVED, schedule_id, name, schedule_id=schedule_id)
    _log(site, said)
    return schedule


def list_schedules(site: Site, *, package_id: str | None = None) -> list[Schedule]:
    """Give all schedules with their targets, or those of one image package."""
    query = select(Schedule).where(Schedule.removed_at.is_(None)).order_by(Schedule.id)
    if package_id is not None:
        named = select(ScheduleTarget.schedule_id).where(
            ScheduleTarget.package_id == package_id.upper()
        )
        query = query.where(Schedule.id.in_(named))
    with site.reading() as session:
        return list(session.scalars(query.options(selectinload(Schedule.targets))))


def _check_targets(session: Session, targets: Sequence[Target]) -> None:
    query = (
        select(ImagePackage.id, Image.index)
        .join_from(ImagePackage, Image, isouter=True)
        .where(
            ImagePackage.id.in_([target.package_id for target in targets]),
            ImagePackage.removed_at.is_(None),
        )
    )
    known: dict[str, set[int]] = {}
    for row in session.execute(query):
        known.setdefault(row[0], set()).add(row[1])
    for target in targets:
        indexes = known.get(target.package_id)
        if indexes is None:
            message = f"there is no image package {target.package_id[:80]}"
            raise NoSuchRecord(message, hint="`wimdock image list` names them all.")
        for index in target.indexes:
            if index not in indexes:
                message = f"the image package {target.package_id} has no image {index}"
                hint = f"It has {', '.join(map(str, sorted(indexes)))}."
                raise NoSuchRecord(message, hint=hint)


def _check_updates(session: Session, ids: tuple[int, ...], *, allow_unsigned: bool) -> None:
    columns = (UpdateRow.id, UpdateRow.retired_at, UpdateRow.catalogued, UpdateRow.unsupported)
    query = select(*columns)
    known = {row.id: row for row in session.execute(query.where(UpdateRow.id.in_(ids)))}
    for update_id in ids:
        if update_id not in known:
            message = f"there is no update {update_id} in the library"
            raise NoSuchRecord(message, hint="`wimdock update list` shows all.")
        if known[update_id].retired_at is not None:
            message = f"update {update_id} is retired"
            raise ScheduleError(message, hint="Name another update, or import its file again.")
        if known[update_id].unsupported:
            message = f"wimdock cannot put update {update_id} in"
            hint = f"`wimdock update show {update_id}` says why; service it with DISM on Windows."
            raise NotOffered(message, reasons=tuple(known[update_id].unsupported), hint=hint)
        if not known[update_id].catalogued and not allow_unsigned:
            message = f"no catalog covers update {update_id}: it is unsigned"
            raise ScheduleError(message, hint="--allow-unsigned takes what you made yourself.")


def _note(
    site: Site, session: Session, schedule: Schedule, verb: str, change: str
) -> StatusMessageRow:
    site.note(session, f"schedule.{verb}", str(schedule.id), name=schedule.name)
    return report(site, session, SCHEDULE_CHANGED, schedule.id, change, schedule_id=schedule.id)


def _log(site: Site, message: StatusMessageRow) -> None:
    with SiteLog(site) as log:
        log.status(message)
