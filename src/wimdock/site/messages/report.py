"""Reporting: a status message as a row of the database and as a line of the log."""

from __future__ import annotations

import os
import threading
from datetime import datetime

from sqlalchemy.orm import Session

from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.table import MessageKind
from wimdock.site.models import StatusMessageRow
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text

_LONGEST = 2000


def report(
    site: Site,
    session: Session,
    message: MessageKind,
    *strings: object,
    run_id: int | None = None,
    schedule_id: int | None = None,
    package_id: str | None = None,
    at: datetime | None = None,
) -> StatusMessageRow:
    """Add a status message to a transaction; its line is the caller's: `SiteLog.status`.

    `strings` are the insertion strings, all that the table names: else ValueError, a fault of the
    program. What they name otherwise too (run, schedule, package) is by what messages are found.
    """
    if len(strings) != len(message.strings):
        fault = f"status message {message.id} has {len(message.strings)} insertion strings"
        raise ValueError(fault)
    row = StatusMessageRow(
        message_id=message.id,
        severity=message.severity,
        component=message.component,
        machine=site.host,
        site_code=site.code,
        at=at or site.now(),
        pid=os.getpid(),
        tid=threading.get_native_id(),
        strings=[_string(each) for each in strings],
        run_id=run_id,
        schedule_id=schedule_id,
        package_id=package_id,
    )
    session.add(row)
    session.flush()
    return row


def _string(value: object) -> str:
    """Give an insertion string as a database and a line of a log can hold it."""
    text = storable_text(str(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"


def say(
    site: Site,
    message: MessageKind,
    *strings: object,
    run_id: int | None = None,
    schedule_id: int | None = None,
    package_id: str | None = None,
) -> StatusMessageRow:
    """Report in a transaction of its own, then write the line.

    Never within a transaction: on SQLite the second would wait for the first.
    """
    with site.writing() as session:
        row = report(
            site,
            session,
            message,
            *strings,
            run_id=run_id,
            schedule_id=schedule_id,
            package_id=package_id,
        )
    with SiteLog(site, run_id=run_id) as log:
        log.status(row)
    return row
