"""What a restored site has to know: whoever was at work when the backup was made is not any more.

Workers are dead, what they executed waits anew from its first step, and nobody has a lease. Tokens
of leases go on far above those of the backup: a worker of the old site that wakes up cannot write.

The site gets another UUID. The files of its image packages may hold commits of runs that were made
after the backup; their numbers are given out again, and by its UUID a run of the restored site does
not take such a commit for its own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from wimdock.site.models import (
    ContentState,
    DistributedContent,
    ImagePackage,
    Lease,
    Run,
    RunState,
    SiteRow,
    Step,
    WorkerRow,
    WorkerState,
)

TOKENS_AHEAD = 1_000_000
"""By how much tokens grow: more than the old site has given out since its backup."""

_ALIVE = (WorkerState.RUNNING, WorkerState.STOPPING)


@dataclass(frozen=True, slots=True)
class Standstill:
    """How many workers were buried, and how many runs wait again; the site's new UUID."""

    workers: int
    runs: int
    uuid: str


def stand_still(connection: Connection, folder: str, now: datetime) -> Standstill:
    """Say in a restored database that nothing is under way, and where its folder is."""
    identity = str(uuid.uuid4())
    connection.execute(update(SiteRow).values(folder=folder, uuid=identity))
    workers = connection.execute(
        update(WorkerRow)
        .where(WorkerRow.state.in_(_ALIVE))
        .values(state=WorkerState.DEAD, ended_at=now)
    )
    waiting = select(Run.id).where(Run.state.in_((RunState.QUEUED, RunState.RUNNING)))
    connection.execute(delete(Step).where(Step.run_id.in_(waiting)))
    runs = connection.execute(
        update(Run)
        .where(Run.state == RunState.RUNNING)
        .values(
            state=RunState.QUEUED,
            attempt=Run.attempt + 1,
            worker_id=None,
            orphaned_at=None,
            step=None,
        )
    )
    connection.execute(
        update(Lease).values(
            token=Lease.token + TOKENS_AHEAD,
            run_id=None,
            worker_id=None,
            purpose="",
            acquired_at=None,
            expires_at=None,
        )
    )
    known = select(Lease.package_id)
    new = select(ImagePackage.id).where(ImagePackage.id.not_in(known))
    for package_id in connection.scalars(new).all():
        connection.execute(
            insert(Lease).values(package_id=package_id, token=TOKENS_AHEAD, purpose="")
        )
    connection.execute(
        update(DistributedContent)
        .where(DistributedContent.state == ContentState.SENDING)
        .values(state=ContentState.WAITING)
    )
    connection.execute(update(DistributedContent).values(holder="", held_until=None))
    return Standstill(workers.rowcount, runs.rowcount, identity)
