"""Runs that wait, and the workers that claim them.

Every move is one transaction: a run is claimed together with its image package's lease, and a dead
worker loses its runs and leases together with its life. An attempt is known by its number: what a
late worker says of an older one is not heard. Rows are locked in one order, so that nobody waits in
a circle: worker, run, lease; leases by their image packages.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from wimdock import __version__
from wimdock.site.models import Lease, Run, RunState, WorkerRow, WorkerState
from wimdock.site.runs.lease import acquire, release
from wimdock.site.runs.matching import offers, waiting_runs
from wimdock.site.site import Site

_ALIVE = (WorkerState.RUNNING, WorkerState.STOPPING)


@dataclass(frozen=True, slots=True)
class WorkerOffer:
    """What a worker is and can: `architectures` and `storages` empty stand for all.

    `queues` are those that it serves; `memory` is in bytes; `boot` and `pid` tell on its own host
    whether it still runs; `lease_seconds` is for how long it may be silent.
    """

    host: str
    boot: str
    pid: int
    queues: tuple[str, ...] = ("default",)
    architectures: tuple[str, ...] = ()
    storages: tuple[str, ...] = ()
    memory: int = 1 << 40
    concurrency: int = 1
    lease_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a run that a worker has for itself."""

    run_id: int
    attempt: int
    package_id: str


def register_worker(site: Site, offer: WorkerOffer) -> str:
    """Make a worker known and give its ID, which no other process ever has."""
    worker_id = f"{offer.host[:40]}-{uuid.uuid4().hex[:12]}"
    now = site.now()
    with site.writing() as session:
        session.add(
            WorkerRow(
                id=worker_id,
                host=offer.host,
                boot=offer.boot,
                pid=offer.pid,
                version=__version__,
                queues=list(offer.queues),
                architectures=list(offer.architectures),
                storages=list(offer.storages),
                memory=offer.memory,
                concurrency=offer.concurrency,
                state=WorkerState.RUNNING,
                started_at=now,
                heartbeat_at=now,
                lease_seconds=offer.lease_seconds,
            )
        )
    return worker_id


def heartbeat(site: Site, worker_id: str) -> bool:
    """Show that the worker lives; False where it was declared dead and must write nothing more."""
    with site.writing() as session:
        done = session.execute(
            update(WorkerRow)
            .where(WorkerRow.id == worker_id, WorkerRow.state.in_(_ALIVE))
            .values(heartbeat_at=site.now())
            .returning(WorkerRow.id)
            .execution_options(synchronize_session=False)
        )
        return done.scalar_one_or_none() is not None


def claim(
    site: Site, worker_id: str, limit: int, *, only: Sequence[int] | None = None
) -> list[Claim]:
    """Take up to `limit` runs for a worker, each with the lease of its image package.

    `only` gives the runs that it is there for; without it, it takes whatever it can.
    """
    if limit <= 0:
        return []
    with site.reading() as session:  # most looks find nothing: they take no lock
        worker = session.get(WorkerRow, worker_id)
        if worker is None or not waiting_runs(session, site, worker, 1, only):
            return []
    found: list[Claim] = []
    with site.writing() as session:
        worker = session.get(WorkerRow, worker_id, with_for_update=True)
        if worker is None or worker.state is not WorkerState.RUNNING:
            return []
        waiting = waiting_runs(session, site, worker, limit, only, lock=True)
        for run in sorted(waiting, key=lambda each: each.package_id):
            token = acquire(session, site, run.package_id, worker_id=worker_id, run_id=run.id)
            if token is None:
                continue
            run.state = RunState.RUNNING
            run.worker_id = worker_id
            run.started_at = site.now()
            run.not_before = None
            found.append(Claim(run.id, run.attempt, run.package_id))
    order = [run.id for run in waiting]
    return sorted(found, key=lambda each: order.index(each.run_id))


def begin(
    site: Site, run_id: int, attempt: int, worker_id: str, *, has_room: bool = True
) -> int | None:
    """Give the token with which a worker executes an attempt; None where it must not.

    The worker has claimed the run, or the engine gave it the run of a dead one. In the second case
    the run goes back to its queue where the worker cannot or may not take it.
    """
    with site.writing() as session:
        # Locked, so that nobody declares it dead and does not see that it has this run, too.
        worker = session.get(WorkerRow, worker_id, with_for_update=True)
        run = session.get(Run, run_id, with_for_update=True)
        if run is None or run.attempt != attempt or run.state is not RunState.RUNNING:
            return None
        if run.worker_id == worker_id:
            return session.scalar(select(Lease.token).where(Lease.run_id == run_id))
        if run.worker_id is not None:
            return None
        token = None
        if worker is not None and has_room and offers(worker, run):
            token = acquire(session, site, run.package_id, worker_id=worker_id, run_id=run.id)
        if token is None:
            _put_back(session, run)
            return None
        run.worker_id = worker_id
        run.orphaned_at = None
        return token


def requeue(site: Site, run_id: int, attempt: int, worker_id: str) -> bool:
    """Hand an attempt back: the run waits again, as its next attempt.

    False where it is over or another worker has it, though as the same attempt: one that was taken
    for dead must not take the run from its successor.
    """
    with site.writing() as session:
        run = session.get(Run, run_id, with_for_update=True)
        if run is None or run.attempt != attempt or run.state is not RunState.RUNNING:
            return False
        if run.worker_id != worker_id:
            return False
        _put_back(session, run)
        return True


def _put_back(session: Session, run: Run) -> None:
    release(session, Lease.run_id == run.id)
    run.state = RunState.QUEUED
    run.attempt += 1
    run.worker_id = None
    run.orphaned_at = None


class HeartbeatWatch:
    """Finds workers that are silent, by this machine's own steady clock.

    A worker is overdue when its row did not change for as long as its lease while it was watched:
    clocks that differ or jump make nobody dead.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Watch by a clock that never goes back."""
        self._monotonic = monotonic
        self._seen: dict[str, tuple[datetime, float]] = {}

    def overdue(self, workers: Sequence[WorkerRow]) -> list[WorkerRow]:
        """Give those of the live workers that have been silent for too long."""
        now = self._monotonic()
        found = []
        seen = {}
        for worker in workers:
            known, since = self._seen.get(worker.id, (worker.heartbeat_at, now))
            if known != worker.heartbeat_at:
                since = now
            seen[worker.id] = (worker.heartbeat_at, since)
            if now - since > worker.lease_seconds:
                found.append(worker)
        self._seen = seen
        return found


def bury(site: Site, worker_id: str) -> list[Claim] | None:
    """Declare a worker dead and give the attempts it leaves; None where another did so before.

    Its leases are void from then on: should it wake up, it can commit nothing.
    """
    with site.writing() as session:
        worker = session.get(WorkerRow, worker_id, with_for_update=True)
        if worker is None or worker.state not in _ALIVE:
            return None
        worker.state = WorkerState.DEAD
        worker.ended_at = site.now()
        query = select(Run).where(Run.worker_id == worker_id, Run.state == RunState.RUNNING)
        left = session.scalars(query.order_by(Run.id).with_for_update()).all()
        for run in left:
            run.worker_id = None
            run.orphaned_at = site.now()
        release(session, Lease.worker_id == worker_id)
        return [Claim(run.id, run.attempt, run.package_id) for run in left]


def requeue_orphans(site: Site, seconds: float) -> list[int]:
    """Put back the runs that nobody took on within `seconds` after their worker was found dead."""
    latest = site.now() - timedelta(seconds=seconds)
    lost = select(Run).where(
        Run.state == RunState.RUNNING, Run.worker_id.is_(None), Run.orphaned_at < latest
    )
    with site.reading() as session:
        if session.scalar(lost.limit(1)) is None:
            return []
    with site.writing() as session:
        found = session.scalars(lost.with_for_update(skip_locked=True)).all()
        for run in found:
            _put_back(session, run)
        return [run.id for run in found]


def stop_claiming(site: Site, worker_id: str) -> None:
    """Say that a worker takes no more runs."""
    with site.writing() as session:
        worker = session.get(WorkerRow, worker_id, with_for_update=True)
        if worker is not None and worker.state in _ALIVE:
            worker.state = WorkerState.STOPPING


def stop_worker(site: Site, worker_id: str) -> None:
    """Say that a worker has ended; what it still had goes back to the queue."""
    with site.writing() as session:
        worker = session.get(WorkerRow, worker_id, with_for_update=True)
        if worker is None or worker.state not in _ALIVE:
            return
        worker.state = WorkerState.STOPPED
        worker.ended_at = site.now()
        query = select(Run).where(Run.worker_id == worker_id, Run.state == RunState.RUNNING)
        for run in session.scalars(query.order_by(Run.id).with_for_update()).all():
            _put_back(session, run)
