"""What a worker watches: the runs it has, whether they are to be stopped, and the other workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from wimdock.errors import RunCancelled, RunTimedOut, WimdockError
from wimdock.site.models import Run, RunState, WorkerRow, WorkerState
from wimdock.site.runs.matching import offers
from wimdock.site.site import Site


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that a worker has; `limit` is for how many seconds, None for ever."""

    run_id: int
    attempt: int
    cancelled: bool
    limit: float | None

    def must_end(self, seconds: float) -> bool:
        """Tell whether it is to be stopped after so many seconds with its worker."""
        return self.cancelled or _is_late(seconds, self.limit)


def held_runs(site: Site, worker_id: str) -> list[Held]:
    """Give the attempts that a worker has, in one query."""
    query = select(Run.id, Run.attempt, Run.cancel_requested_at, Run.options).where(
        Run.worker_id == worker_id, Run.state == RunState.RUNNING
    )
    with site.reading() as session:
        rows = session.execute(query.order_by(Run.id)).all()
    return [
        Held(row.id, row.attempt, row.cancel_requested_at is not None, _limit(row.options))
        for row in rows
    ]


def stop_reason(site: Site, run_id: int, seconds: float) -> WimdockError | None:
    """Give why a run must end, RunCancelled or RunTimedOut; None where it need not.

    `seconds` is for how long its worker has had it, by the steady clock there: one that jumps ends
    no run.
    """
    with site.reading() as session:
        run = session.get(Run, run_id)
    if run is None:
        return None
    if run.cancel_requested_at is not None:
        return RunCancelled(f"run {run_id} was cancelled")
    if _is_late(seconds, _limit(run.options)):
        minutes = run.options["max_run_minutes"]
        return RunTimedOut(f"run {run_id} took longer than {minutes} minutes")
    return None


def _limit(options: Mapping[str, Any]) -> float | None:
    minutes = options.get("max_run_minutes")
    return float(minutes) * 60 if minutes else None


def _is_late(seconds: float, limit: float | None) -> bool:
    return limit is not None and seconds > limit


def is_over(site: Site, run_id: int, attempt: int) -> bool:
    """Tell whether an attempt is over: the run has ended, or waits or goes on as a later one."""
    with site.reading() as session:
        run = session.get(Run, run_id)
    return run is None or run.state.ended or run.attempt != attempt


def was_buried(site: Site, worker_id: str) -> bool:
    """Tell whether a worker was declared dead: only then are leases of its runs lost to others."""
    with site.reading() as session:
        worker = session.get(WorkerRow, worker_id)
    return worker is None or worker.state is WorkerState.DEAD


def list_workers(site: Site, *, ended: int = 0) -> Sequence[WorkerRow]:
    """Give the workers that live, the oldest first, after them so many of those that ended."""
    alive = (WorkerState.RUNNING, WorkerState.STOPPING)
    living = select(WorkerRow).where(WorkerRow.state.in_(alive)).order_by(WorkerRow.started_at)
    others = select(WorkerRow).where(WorkerRow.state.not_in(alive))
    with site.reading() as session:
        found = list(session.scalars(living))
        if ended:
            found += session.scalars(others.order_by(WorkerRow.ended_at.desc()).limit(ended))
    return found


def runs_of_workers(site: Site) -> dict[str, list[int]]:
    """Give the runs that each worker executes now."""
    query = select(Run.worker_id, Run.id).where(
        Run.state == RunState.RUNNING, Run.worker_id.is_not(None)
    )
    found: dict[str, list[int]] = {}
    with site.reading() as session:
        for worker_id, run_id in session.execute(query.order_by(Run.id)):
            if worker_id is not None:
                found.setdefault(worker_id, []).append(run_id)
    return found


def is_fresh(worker: WorkerRow, now: datetime) -> bool:
    """Tell whether a worker takes runs and was heard of within its lease."""
    silent = (now - worker.heartbeat_at).total_seconds()
    return worker.state is WorkerState.RUNNING and silent < worker.lease_seconds


def takers(workers: Sequence[WorkerRow], run: Run) -> list[WorkerRow]:
    """Give the workers that could take a run."""
    return [worker for worker in workers if offers(worker, run)]
