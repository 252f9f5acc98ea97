"""How a site is: what it has, who works, what waits, and what is wrong, in words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session

from wimdock.site.models import (
    DistributedContent,
    DistributionPoint,
    FileState,
    History,
    ImagePackage,
    Lease,
    Notification,
    NotificationState,
    Provider,
    Run,
    RunState,
    Schedule,
    SiteRow,
    StatusMessageRow,
    UpdateRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.runs.lease import is_held
from wimdock.site.schema import schema_of
from wimdock.site.site import Site
from wimdock.site.updates.library import place_of

_ALIVE = {WorkerState.RUNNING, WorkerState.STOPPING}
_TICK_LATE = timedelta(minutes=2)
_NEXT = 5
_GRACE = timedelta(minutes=1)
_LOW_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes: of the database, the update library and the logs, and free where the folder is."""

    database: int
    updates: int
    logs: int
    free: int


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that has not ended; `alive` tells whether it was heard of within its lease."""

    id: str
    host: str
    state: str
    alive: bool
    heartbeat_at: datetime
    concurrency: int
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """An image package that somebody works on: a run, or a person's command (`purpose`)."""

    package_id: str
    run_id: int | None
    worker_id: str | None
    purpose: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class DueSchedule:
    """A schedule and when it is due next."""

    id: int
    name: str
    next_due: datetime


@dataclass(frozen=True, slots=True)
class DownPoint:
    """A distribution point that cannot be reached."""

    name: str
    since: datetime
    retry_at: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """All that `site status` tells. `counts` are by what is counted."""

    code: str
    folder: Path
    database: str
    schema: str
    sizes: Sizes
    counts: dict[str, int]
    workers: tuple[WorkerSeen, ...]
    leases: tuple[LeaseHeld, ...]
    last_tick: datetime | None
    next_due: tuple[DueSchedule, ...]
    points_down: tuple[DownPoint, ...]
    problems: tuple[str, ...]


def status_of(site: Site) -> SiteStatus:
    """Look at a site; what is not as it should be is said in words as well."""
    with site.reading() as session:
        counts = _counts(session)
        workers = tuple(_workers(session, site.now()))
        last_tick = session.scalar(select(SiteRow.last_tick))
        points = tuple(_points_down(session))
        due = tuple(_next_due(session))
        sizes = _sizes(site, session)
        problems = (
            *site.settings.warnings,
            *_of_scheduler(site, last_tick, due),
            *_of_workers(session, site.now(), counts, workers),
            *_of_files(session, site),
            *(f"the distribution point {point.name} is down: {point.error}" for point in points),
            *_of_contents(session),
            *_of_notifications(session),
            *_of_space(sizes, site.folder),
        )
        return SiteStatus(
            code=site.code,
            folder=site.folder,
            database=site.database.shown,
            schema=schema_of(session.connection()) or "",
            sizes=sizes,
            counts=counts,
            workers=workers,
            leases=tuple(_leases(session, site.now())),
            last_tick=last_tick,
            next_due=due,
            points_down=points,
            problems=problems,
        )


def _counts(session: Session) -> dict[str, int]:
    by_state: dict[RunState, int] = dict(
        session.execute(select(Run.state, func.count()).group_by(Run.state)).all()
    )
    return {
        "image_packages": _count(session, ImagePackage.removed_at.is_(None)),
        "updates": _count(session, UpdateRow.retired_at.is_(None)),
        "schedules": _count(session, Schedule.removed_at.is_(None)),
        "schedules_enabled": _count(session, _enabled()),
        "runs": sum(by_state.values()),
        "runs_waiting": by_state.get(RunState.QUEUED, 0),
        "runs_running": by_state.get(RunState.RUNNING, 0),
        "runs_failed": by_state.get(RunState.FAILED, 0),
        "distribution_points": session.scalar(select(func.count(DistributionPoint.id))) or 0,
        "providers": session.scalar(select(func.count(Provider.id))) or 0,
        "status_messages": session.scalar(select(func.count(StatusMessageRow.id))) or 0,
        "history": session.scalar(select(func.count(History.id))) or 0,
    }


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0


def _enabled() -> ColumnElement[bool]:
    return and_(Schedule.removed_at.is_(None), Schedule.enabled.is_(True))


def _workers(session: Session, now: datetime) -> Iterator[WorkerSeen]:
    query = select(WorkerRow).where(WorkerRow.state.in_(_ALIVE)).order_by(WorkerRow.id)
    for row in session.scalars(query):
        silent = now - row.heartbeat_at
        yield WorkerSeen(
            row.id,
            row.host,
            row.state.value,
            silent <= timedelta(seconds=row.lease_seconds),
            row.heartbeat_at,
            row.concurrency,
            tuple(row.queues),
        )


def _leases(session: Session, now: datetime) -> Iterator[LeaseHeld]:
    query = select(Lease).where(is_held(now)).order_by(Lease.package_id)
    for row in session.scalars(query):
        yield LeaseHeld(row.package_id, row.run_id, row.worker_id, row.purpose, row.acquired_at)


def _next_due(session: Session) -> Iterator[DueSchedule]:
    query = (
        select(Schedule)
        .where(_enabled(), Schedule.next_due.is_not(None))
        .order_by(Schedule.next_due, Schedule.id)
        .limit(_NEXT)
    )
    for row in session.scalars(query):
        if row.next_due is not None:
            yield DueSchedule(row.id, row.name, row.next_due)


def _points_down(session: Session) -> Iterator[DownPoint]:
    down = DistributionPoint.down_since.is_not(None)
    query = select(DistributionPoint).where(down, DistributionPoint.enabled.is_(True))
    for row in session.scalars(query.order_by(DistributionPoint.name)):
        if row.down_since is not None:
            yield DownPoint(row.name, row.down_since, row.retry_at, row.error)


def _sizes(site: Site, session: Session) -> Sizes:
    if site.database.is_sqlite:
        file = Path(site.database.url.database or "")
        database = sum(_size(file.with_name(file.name + end)) for end in ("", "-wal"))
    else:
        database = session.scalar(text("SELECT pg_database_size(current_database())")) or 0
    library = select(func.sum(UpdateRow.size)).where(UpdateRow.retired_at.is_(None))
    logs = sum(
        _size(Path(folder, name)) for folder, _, names in os.walk(site.logs) for name in names
    )
    try:
        free = shutil.disk_usage(site.folder).free
    except OSError:
        free = 0
    return Sizes(database, int(session.scalar(library) or 0), logs, free)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _of_scheduler(
    site: Site, last_tick: datetime | None, due: tuple[DueSchedule, ...]
) -> Iterator[str]:
    if not due:
        return
    if last_tick is None:
        yield "schedules wait, but nothing has looked at them yet: start `wimdock serve`"
    elif site.now() - last_tick > _TICK_LATE:
        minutes = int((site.now() - last_tick).total_seconds() // 60)
        yield (
            f"schedules wait, but nothing has looked at them for {minutes} minutes: "
            "start `wimdock serve`"
        )


def _of_workers(
    session: Session, now: datetime, counts: dict[str, int], workers: tuple[WorkerSeen, ...]
) -> Iterator[str]:
    silent = [worker.id for worker in workers if not worker.alive]
    if silent:
        yield f"workers are silent for longer than their leases: {', '.join(silent)}"
    if len(silent) == len(workers):
        due = or_(Run.not_before.is_(None), Run.not_before <= now)
        waiting = _count(session, and_(Run.state == RunState.QUEUED, due))
        if waiting:
            yield (
                f"{_number(waiting, 'run waits', 'runs wait')}, but no worker lives: "
                "start `wimdock serve` or `wimdock worker`"
            )
    elif counts["runs_waiting"]:
        queues = {queue for worker in workers if worker.alive for queue in worker.queues}
        asked = set(
            session.scalars(select(Run.queue).where(Run.state == RunState.QUEUED).distinct())
        )
        everything = any(worker.alive and not worker.queues for worker in workers)
        if not everything and asked - queues:
            yield f"no worker serves the queues {', '.join(sorted(asked - queues))}, and runs wait"
    lost = and_(Run.state == RunState.RUNNING, Run.worker_id.is_(None))
    orphans = _count(session, and_(lost, Run.orphaned_at < now - _GRACE))
    if orphans:
        yield f"{_number(orphans, 'run is', 'runs are')} without the worker that executed it"


def _of_files(session: Session, site: Site) -> Iterator[str]:
    broken = and_(ImagePackage.removed_at.is_(None), ImagePackage.state != FileState.AS_RECORDED)
    ids = session.scalars(select(ImagePackage.id).where(broken).order_by(ImagePackage.id)).all()
    if ids:
        yield f"files of image packages are missing or unreadable: {_some(ids)}"
    kept = select(UpdateRow).where(UpdateRow.retired_at.is_(None)).order_by(UpdateRow.id)
    gone = [
        str(row.id)
        for row in session.scalars(kept)
        if not place_of(site, row.sha256, row.file_name).exists()
    ]
    if gone:
        yield f"files of updates are not in the library: {_some(gone)}; import them again"


def _of_contents(session: Session) -> Iterator[str]:
    query = (
        select(DistributionPoint.name)
        .join(DistributedContent, DistributedContent.point_id == DistributionPoint.id)
        .where(DistributionPoint.enabled, DistributedContent.error != "")
        .distinct()
        .order_by(DistributionPoint.name)
    )
    names = session.scalars(query).all()
    if names:
        yield (
            f"something went wrong at the distribution points {_some(names)}: "
            "see `wimdock distribution status`"
        )


def _of_notifications(session: Session) -> Iterator[str]:
    given_up = _count(session, Notification.state == NotificationState.GIVEN_UP)
    if given_up:
        yield f"{_number(given_up, 'notification was', 'notifications were')} given up"


def _of_space(sizes: Sizes, folder: Path) -> Iterator[str]:
    if sizes.free < _LOW_BYTES:
        yield f"the disk of {folder} has {sizes.free >> 20} MiB left"


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NEXT
    return ", ".join(names[:_NEXT]) + (f" and {more} more" if more > 0 else "")
