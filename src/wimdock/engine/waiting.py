"""Waiting for runs: what `--wait` does.

Where workers live that take the runs, this only looks on. Where none does, as on a site that serves
nobody else, this process executes the runs itself, as a worker that is there for these runs only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from wimdock.engine.offer import WorkerOptions, has_died, offer_of
from wimdock.engine.worker import Worker
from wimdock.errors import DatabaseUnavailable
from wimdock.events import Reporter, Severity
from wimdock.site.models import Run, RunState
from wimdock.site.runs.following import Follower
from wimdock.site.runs.watching import is_fresh, list_workers, takers
from wimdock.site.site import Site

_LOOK_SECONDS = 0.5
_ASK_SECONDS = 5.0


def wait_for_runs(site: Site, run_ids: Sequence[int], reporter: Reporter) -> list[Run]:
    """Wait until runs have ended, telling what happens in them; give them as they ended.

    Interrupted, it hands back what it executes itself: the runs wait for a worker then, and their
    images are as they were.
    """
    follower = Follower(site, run_ids)

    def look() -> bool:
        for event in follower.look():
            reporter.forward(event)
        return follower.ended

    told = False
    asked = 0.0
    while not _looked(look):
        now = time.monotonic()
        if now - asked >= _ASK_SECONDS:
            asked = now
            without = _without_worker(site, follower.runs)
            mine = [run for run in without if _is_for_me(site, run)]
            if mine:
                _work(site, mine, reporter, look)
                asked = 0.0
                continue
            if without and not told:
                told = True
                names = ", ".join(str(run.id) for run in without)
                reporter.message(f"no worker offers what run {names} needs", Severity.WARNING)
        time.sleep(_LOOK_SECONDS)
    return follower.runs


def _looked(look: Callable[[], bool]) -> bool:
    """Look, unless the database is away: it is waited for."""
    try:
        return look()
    except DatabaseUnavailable:
        time.sleep(_LOOK_SECONDS)
        return False


def _without_worker(site: Site, runs: Sequence[Run]) -> list[Run]:
    """Give the runs that no living worker executes or would take."""
    now = site.now()
    fresh = [
        worker
        for worker in list_workers(site)
        if is_fresh(worker, now) and not has_died(worker, site.host)
    ]
    living = {worker.id for worker in fresh}
    return [
        run
        for run in runs
        if not run.state.ended
        and run.worker_id not in living
        and not takers(fresh, run)
        # What a dead worker left is freed by any that lives; then it waits in its queue.
        and not (run.state is RunState.RUNNING and fresh)
    ]


def _is_for_me(site: Site, run: Run) -> bool:
    offer = offer_of(site, WorkerOptions())
    return run.storage in offer.storages and run.memory <= offer.memory


def _work(site: Site, runs: Sequence[Run], reporter: Reporter, look: Callable[[], bool]) -> None:
    """Execute runs in this process until all that are waited for have ended."""
    options = WorkerOptions(queues=tuple(sorted({run.queue for run in runs})), grace=0)
    Worker(site, options, reporter, only=[run.id for run in runs]).run(look)
