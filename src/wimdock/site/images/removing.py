"""Removing image packages: the site forgets the file, and keeps what was done to it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, SettingsError
from wimdock.site.images.records import file_of, package_of
from wimdock.site.messages import SiteLog, remember, report
from wimdock.site.messages.table import PACKAGE_REMOVED
from wimdock.site.models import ImagePackage, Run, RunState, Schedule, ScheduleTarget
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text


def remove_package(site: Site, package_id: str, *, from_schedules: bool = False) -> ImagePackage:
    """Remove an image package and give it; its file is not touched and can be added anew.

    AlreadyRecorded while a run of it waits or works, or where schedules service it: with
    `from_schedules` those go on without it. The row stays, for its history; its ID is never given
    again.
    """
    with site.writing() as session:
        package = package_of(session, package_id, lock=True)
        file = storable_text(_file_for_people(site, package))
        _refuse_running(session, package)
        schedules = _take_from_schedules(session, package, from_schedules=from_schedules)
        package.path = None
        package.storage = ""
        package.removed_at = site.now()
        remember(
            session,
            site,
            package.id,
            action="remove",
            result="succeeded",
            generation=package.generation,
            detail=file,
        )
        site.note(session, "image.remove", package.id, file=file, schedules=schedules)
        message = report(site, session, PACKAGE_REMOVED, package.id, file, package_id=package.id)
    with SiteLog(site) as log:
        log.status(message)
    return package


def _file_for_people(site: Site, package: ImagePackage) -> str:
    """Name the file also where its storage location is not among the settings any more."""
    try:
        return str(file_of(site, package))
    except SettingsError:
        return f"{package.storage}/{package.path}"


def _refuse_running(session: Session, package: ImagePackage) -> None:
    wanted = select(Run.id, Run.state).where(
        Run.package_id == package.id, Run.state.in_((RunState.QUEUED, RunState.RUNNING))
    )
    found = session.execute(wanted.order_by(Run.id).limit(1)).first()
    if found is not None:
        what = "waits" if found.state is RunState.QUEUED else "works on it"
        message = f"{package.id} cannot be removed: run {found.id} {what}"
        hint = f"Wait until it has ended, or end it: wimdock run cancel {found.id}."
        raise AlreadyRecorded(message, hint=hint)


def _take_from_schedules(
    session: Session, package: ImagePackage, *, from_schedules: bool
) -> Sequence[int]:
    wanted = (
        select(ScheduleTarget)
        .join(Schedule, Schedule.id == ScheduleTarget.schedule_id)
        .where(ScheduleTarget.package_id == package.id, Schedule.removed_at.is_(None))
        .order_by(ScheduleTarget.schedule_id)
    )
    targets = session.scalars(wanted).all()
    found = [target.schedule_id for target in targets]
    if found and not from_schedules:
        names = ", ".join(map(str, found))
        which = "schedule" if len(found) == 1 else "schedules"
        message = f"{package.id} cannot be removed: it is serviced by the {which} {names}"
        hint = "Take it out of them with --from-schedules, or remove them first."
        raise AlreadyRecorded(message, hint=hint)
    for target in targets:
        session.delete(target)
    return found
