"""The lease of an image package: one holder at a time, known by a token that only grows.

Whoever writes the file, or what the site knows of it, asks right before whether the lease still
has its token. A worker that was taken for dead and wakes up finds another one there, and writes
nothing. The lock on the file itself stands beside it: the lease keeps apart workers that see the
file through different machines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from wimdock.errors import ImageBusy, LeaseLost, RunCancelled
from wimdock.site.models import Lease, Run
from wimdock.site.site import Site

_HOLD = timedelta(minutes=30)
_LONGEST_HOST = 40


def is_held(now: datetime) -> ColumnElement[bool]:
    """Give the condition under which a lease has a holder."""
    return or_(
        Lease.run_id.is_not(None),
        and_(Lease.worker_id.is_not(None), Lease.expires_at > now),
    )


def acquire(
    session: Session, site: Site, package_id: str, *, worker_id: str, run_id: int | None
) -> int | None:
    """Take the lease and give its token; None where somebody has it.

    `run_id` is None for a person's work, whose hold ends by itself half an hour later.
    """
    now = site.now()
    insert = sqlite_insert if site.database.is_sqlite else postgresql_insert
    session.execute(
        insert(Lease).values(package_id=package_id, token=0, purpose="").on_conflict_do_nothing()
    )
    taken = session.execute(
        update(Lease)
        .where(Lease.package_id == package_id, ~is_held(now))
        .values(
            token=Lease.token + 1,
            run_id=run_id,
            worker_id=worker_id,
            acquired_at=now,
            expires_at=now + _HOLD if run_id is None else None,
        )
        .returning(Lease.token)
        .execution_options(synchronize_session=False)
    )
    return taken.scalar_one_or_none()


def release(session: Session, condition: ColumnElement[bool]) -> None:
    """Take the leases from their holders: their tokens are void at once."""
    session.execute(
        update(Lease)
        .where(condition)
        .values(token=Lease.token + 1, run_id=None, worker_id=None, purpose="", expires_at=None)
        .execution_options(synchronize_session=False)
    )


@contextmanager
def hold(site: Site, package_id: str, purpose: str) -> Iterator[None]:
    """Keep runs off an image package while a person's command works on its file.

    ImageBusy where a run, or another command, has it.
    """
    holder = f"{site.host[:_LONGEST_HOST]}:{os.getpid()}"
    with site.writing() as session:
        token = acquire(session, site, package_id, worker_id=holder, run_id=None)
        lease = session.get(Lease, package_id, populate_existing=True)
        if token is None or lease is None:
            raise _busy(package_id, lease)
        lease.purpose = purpose
    try:
        yield
    finally:
        with site.writing() as session:
            release(session, and_(Lease.package_id == package_id, Lease.token == token))


def _busy(package_id: str, lease: Lease | None) -> ImageBusy:
    who = "somebody"
    if lease is not None and lease.run_id is not None:
        who = f"run {lease.run_id}"
    elif lease is not None and lease.purpose:
        who = f"`{lease.purpose}` ({lease.worker_id})"
    hint = "Wait until it has ended: `wimdock run list` shows what is under way."
    return ImageBusy(f"{who} works on {package_id}", hint=hint)


def check_fence(site: Site, run_id: int, token: int) -> None:
    """Make sure that a run may still write; LeaseLost or RunCancelled where it may not."""
    with site.reading() as session:
        check_lease(session, run_id, token)
        if session.scalar(select(Run.cancel_requested_at).where(Run.id == run_id)) is not None:
            message = f"run {run_id} was cancelled"
            raise RunCancelled(message)


@contextmanager
def fenced(site: Site, run_id: int, token: int) -> Iterator[Session]:
    """Give a session that writes what a run found, if it still holds its lease; else LeaseLost."""
    with site.writing() as session:
        session.execute(select(Run.id).where(Run.id == run_id).with_for_update())
        check_lease(session, run_id, token)
        yield session


def check_lease(session: Session, run_id: int, token: int) -> None:
    """Make sure that a run still holds its lease, cancelled or not; LeaseLost where it does not."""
    lease = select(Lease.token).where(Lease.run_id == run_id).with_for_update()
    if session.scalar(lease) != token:
        message = f"run {run_id} was taken over by another worker"
        raise LeaseLost(message)
