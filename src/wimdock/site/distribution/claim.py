"""The claim on a content: whoever has it alone works on an image package at a point.

It runs out by itself unless it is renewed, so that a process that died hinders nobody for long. Its
holder asks before every write; one that slept until another had taken the claim writes no more.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import DatabaseUnavailable, DistributionError
from wimdock.site.models import ContentState, DistributedContent
from wimdock.site.site import Site

LEASE = timedelta(minutes=2)


class Overtaken(DistributionError):
    """Another process took the content over; this one wrote nothing since."""


class Claim:
    """A claim that was taken; `content` is the row as it was then."""

    def __init__(self, site: Site, content: DistributedContent, lease: timedelta) -> None:
        """Take a row whose `holder` is this claim's name."""
        self._site = site
        self._lease = lease
        self._holder = content.holder
        self._renewed = time.monotonic()
        self.content = content

    def alive(self) -> None:
        """Renew the claim where half of its time is over; Overtaken where it is lost."""
        passed = time.monotonic() - self._renewed
        if passed < self._lease.total_seconds() / 2:
            return
        try:
            self.renew()
        except DatabaseUnavailable:
            if passed >= self._lease.total_seconds():
                raise

    def renew(self, transfer: Mapping[str, Any] | None = None) -> None:
        """Renew the claim; add to what is kept of the transfer, all in one."""
        with self.held() as (_, content):
            content.held_until = self._site.now() + self._lease
            if transfer is not None:
                content.transfer = {**content.transfer, **transfer}
            self.content = content
        self._renewed = time.monotonic()

    @contextmanager
    def held(self) -> Iterator[tuple[Session, DistributedContent]]:
        """Give a transaction with the row, which is still this claim's; else Overtaken."""
        with self._site.writing() as session:
            content = _locked(session, self.content.point_id, self.content.package_id)
            if content is None or content.holder != self._holder:
                message = f"{self.content.package_id} is sent by another process by now"
                raise Overtaken(message, hint="Nothing is to be done: it goes on there.")
            yield session, content

    def release(self, state: ContentState | None = None) -> None:
        """Give the claim back, if it is still held; what it had under way waits again."""
        with self._site.writing() as session:
            content = _locked(session, self.content.point_id, self.content.package_id)
            if content is not None and content.holder == self._holder:
                let_go(content)
                if state is not None and content.state is ContentState.SENDING:
                    content.state = state


def take(site: Site, point_id: int, package_id: str, lease: timedelta = LEASE) -> Claim | None:
    """Take the claim; None where another process has it, or where there is no such content."""
    now = site.now()
    with site.writing() as session:
        content = _locked(session, point_id, package_id)
        if content is None:
            return None
        if content.holder and content.held_until is not None and content.held_until > now:
            return None
        content.holder = f"{site.host}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        content.held_until = now + lease
    return Claim(site, content, lease)


def let_go(content: DistributedContent) -> None:
    """Clear who holds a content."""
    content.holder = ""
    content.held_until = None


def _locked(session: Session, point_id: int, package_id: str) -> DistributedContent | None:
    return session.scalar(
        select(DistributedContent)
        .where(
            DistributedContent.point_id == point_id,
            DistributedContent.package_id == package_id,
        )
        .with_for_update()
    )
