"""Making a run: one image package, the updates chosen for it, and what a worker must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.site.models import ImagePackage, Run, RunState, Schedule
from wimdock.site.site import Site

MEMORY_NEEDED = 512 << 20
"""What a worker must have for a run, in bytes: twice the peak that servicing was measured at."""

DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to do. `instant` is when its schedule was due, None for one made by hand.

    No worker begins it at or after `begin_before`; None stands for no such limit.

    `indexes` empty stands for all images; `update_ids` are applied in their order; `options` are
    those of the schedule.
    """

    package: ImagePackage
    update_ids: Sequence[int]
    schedule: Schedule | None = None
    instant: datetime | None = None
    begin_before: datetime | None = None
    indexes: Sequence[int] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    queue: str = DEFAULT_QUEUE
    priority: int = 0
    retry_of: int | None = None


def create_run(session: Session, site: Site, request: RunRequest) -> Run | None:
    """Make a run that waits in its queue; None where the instant has its run already.

    The caller holds the schedule's row locked, so that nobody makes the same one meanwhile; the
    unique key stands behind it.
    """
    made = create_runs(session, site, [request])
    return made[0] if made else None


def create_runs(session: Session, site: Site, requests: Sequence[RunRequest]) -> list[Run]:
    """Make runs of one schedule and instant, for many image packages, as `create_run` does.

    Those that are there already are left out.
    """
    there = _there(session, requests)
    made = [_new_run(site, request) for request in requests if request.package.id not in there]
    session.add_all(made)
    session.flush()
    return made


def _there(session: Session, requests: Sequence[RunRequest]) -> set[str]:
    """Give the image packages that have their run of this instant."""
    if not requests or requests[0].schedule is None or requests[0].instant is None:
        return set()
    query = select(Run.package_id).where(
        Run.schedule_id == requests[0].schedule.id,
        Run.instant == requests[0].instant,
        Run.package_id.in_([request.package.id for request in requests]),
    )
    return set(session.scalars(query))


def _new_run(site: Site, request: RunRequest) -> Run:
    package, schedule = request.package, request.schedule
    architectures = {image.architecture for image in package.images}
    return Run(
        schedule_id=None if schedule is None else schedule.id,
        package_id=package.id,
        instant=request.instant,
        begin_before=request.begin_before,
        state=RunState.QUEUED,
        queue=request.queue,
        priority=request.priority,
        indexes=list(request.indexes),
        update_ids=list(request.update_ids),
        options=dict(request.options),
        storage=package.storage,
        architecture=architectures.pop() if len(architectures) == 1 else "",
        memory=MEMORY_NEEDED,
        created_at=site.now(),
        created_by=site.operator,
        retry_of=request.retry_of,
    )
