"""Which runs a worker may claim now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from wimdock.site.models import Lease, Run, RunState, Step, StepName, WorkerRow, WorkerState
from wimdock.site.runs.lease import is_held
from wimdock.site.site import Site


def waiting_runs(
    session: Session,
    site: Site,
    worker: WorkerRow,
    limit: int,
    only: Sequence[int] | None,
    *,
    lock: bool = False,
) -> Sequence[Run]:
    """Give up to `limit` runs that wait, that a worker can take and whose lease is free.

    In the order in which they are to be taken. `lock` locks their rows, and leaves out those that
    somebody else has locked.
    """
    now = site.now()
    query = (
        select(Run)
        .where(
            Run.state == RunState.QUEUED,
            or_(Run.not_before.is_(None), Run.not_before <= now),
            ~too_late(now),
            needs_what(worker),
            ~exists().where(Lease.package_id == Run.package_id, is_held(now)),
        )
        .order_by(Run.priority.desc(), Run.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(Run.id.in_(only))
    if lock:
        query = query.with_for_update(skip_locked=True, of=Run)
    return session.scalars(query).all()


def offers(worker: WorkerRow, run: Run) -> bool:
    """Tell whether a worker takes runs and offers what a run needs; `needs_what` says it in SQL."""
    return (
        worker.state is WorkerState.RUNNING
        and (not worker.queues or run.queue in worker.queues)
        and (not worker.storages or run.storage in worker.storages)
        and (not worker.architectures or run.architecture in (*worker.architectures, ""))
        and run.memory <= worker.memory
    )


def needs_what(worker: WorkerRow) -> ColumnElement[bool]:
    """Say in SQL that a run needs no more than what a worker that takes runs offers."""
    conditions = [Run.memory <= worker.memory]
    if worker.queues:
        conditions.append(Run.queue.in_(worker.queues))
    if worker.storages:
        conditions.append(Run.storage.in_(worker.storages))
    if worker.architectures:
        conditions.append(Run.architecture.in_([*worker.architectures, ""]))
    return and_(*conditions)


def too_late(now: datetime) -> ColumnElement[bool]:
    """Say in SQL that a run still waits when its window has closed.

    Once a worker has begun to write the file, it is carried through.
    """
    return and_(
        Run.state == RunState.QUEUED,
        Run.begin_before.is_not(None),
        Run.begin_before <= now,
        ~exists().where(Step.run_id == Run.id, Step.name == StepName.APPLY),
    )
