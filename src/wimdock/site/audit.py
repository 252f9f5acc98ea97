"""The audit looked up: who changed what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from wimdock.site.models import Audit
from wimdock.site.site import Site


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which changes: those that fit all that is given; `since` is aware.

    `action` is one such as "image.add", or all of a noun: "image".
    """

    operator: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None


def list_audit(site: Site, wanted: AuditFilter, last: int | None = None) -> Sequence[Audit]:
    """Give changes that somebody asked for, the newest first: the `last` of them, or all."""
    query = select(Audit).order_by(Audit.id.desc()).limit(last)
    if wanted.operator is not None:
        query = query.where(Audit.operator == wanted.operator)
    if wanted.action is not None:
        whole = Audit.action == wanted.action
        query = query.where(whole | Audit.action.startswith(f"{wanted.action}.", autoescape=True))
    if wanted.object is not None:
        query = query.where(Audit.object == wanted.object)
    if wanted.since is not None:
        query = query.where(Audit.at >= wanted.since)
    with site.reading() as session:
        return session.scalars(query).all()
