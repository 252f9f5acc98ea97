"""Status messages looked up: the newest that fit, one by its number, or all of them in a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from wimdock.errors import NoSuchRecord
from wimdock.site.models import MessageSeverity, StatusMessageRow
from wimdock.site.site import Site

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which status messages: those that fit all that is given; `since` is aware."""

    ids: tuple[int, ...] = ()
    severities: tuple[MessageSeverity, ...] = ()
    run_id: int | None = None
    package_id: str | None = None
    schedule_id: int | None = None
    since: datetime | None = None

    def apply(self, query: Select[StatusMessageRow]) -> Select[StatusMessageRow]:
        """Give a query for those of its rows that fit."""
        row = StatusMessageRow
        if self.ids:
            query = query.where(row.message_id.in_(self.ids))
        if self.severities:
            query = query.where(row.severity.in_(self.severities))
        if self.run_id is not None:
            query = query.where(row.run_id == self.run_id)
        if self.package_id is not None:
            query = query.where(row.package_id == self.package_id)
        if self.schedule_id is not None:
            query = query.where(row.schedule_id == self.schedule_id)
        if self.since is not None:
            query = query.where(row.at >= self.since)
        return query


def list_messages(
    site: Site, wanted: MessageFilter, last: int | None = None
) -> Sequence[StatusMessageRow]:
    """Give status messages, the newest first: the `last` of them, or all."""
    query = wanted.apply(select(StatusMessageRow)).order_by(StatusMessageRow.id.desc()).limit(last)
    with site.reading() as session:
        return session.scalars(query).all()


def message_of(site: Site, number: int) -> StatusMessageRow:
    """Give a status message by its number in the site; NoSuchRecord where there is none."""
    with site.reading() as session:
        row = session.get(StatusMessageRow, number)
    if row is None:
        message = f"there is no status message number {number}"
        raise NoSuchRecord(message, hint="`wimdock status list` shows their numbers.")
    return row


@contextmanager
def streamed(site: Site, wanted: MessageFilter) -> Iterator[Iterator[StatusMessageRow]]:
    """Give status messages one by one, the oldest first, never all of them in memory."""
    query = wanted.apply(select(StatusMessageRow)).order_by(StatusMessageRow.id)
    with site.reading() as session:
        yield iter(session.scalars(query, execution_options={"yield_per": _AT_ONCE}))
