"""Runs whose window closed while they waited for a worker.

Their schedules are locked in the order of their IDs, so that nobody waits in a circle.
"""

from __future__ import annotations

from sqlalchemy import select

from wimdock.errors import RunMissed
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.table import RUN_MISSED
from wimdock.site.models import Run
from wimdock.site.runs.closing import end_waiting
from wimdock.site.runs.matching import too_late
from wimdock.site.site import Site

_AT_ONCE = 100


def end_missed(site: Site) -> list[int]:
    """Record as missed what no worker has begun in time, and give the runs' IDs.

    No worker claims such a run meanwhile, and any number of processes may do this at once.
    """
    ended: list[int] = []
    while found := _end_some(site):
        ended += found
    return ended


def _end_some(site: Site) -> list[int]:
    query = (
        select(Run).where(too_late(site.now())).order_by(Run.schedule_id, Run.id).limit(_AT_ONCE)
    )
    with site.reading() as session:
        if session.scalar(query.limit(1)) is None:
            return []
    messages = []
    with site.writing() as session:
        runs = session.scalars(query.with_for_update(skip_locked=True)).all()
        for run in runs:
            reason = f"no worker was free for it before {run.begin_before:%Y-%m-%d %H:%M} UTC"
            error = RunMissed(f"{reason}, when it could be begun no more")
            messages.append(end_waiting(session, site, run, error, RUN_MISSED, error.message))
    for run, message in zip(runs, messages, strict=True):
        with SiteLog(site, run_id=run.id) as log:
            log.status(message)
    return [run.id for run in runs]
