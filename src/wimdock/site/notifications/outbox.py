"""The outbox: notifications as rows, put there by the transaction that ends a run.

A row is claimed by one process: its next try is moved a lease ahead in the transaction that finds
it due, so that nobody else finds it while it is being sent; that it has been tried and has no error
tells that it is. It is settled afterwards. A crash in between leaves it claimed: once the lease is
over it is sent again. So each is sent at least once, and a receiver knows a second one by its ID.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import and_, not_, select, update
from sqlalchemy.orm import Session

from wimdock.errors import NoSuchRecord
from wimdock.site.messages import report
from wimdock.site.messages.table import NOTIFICATION_GIVEN_UP
from wimdock.site.models import Notification, NotificationState, Run, StatusMessageRow
from wimdock.site.notifications.back_off import wait_after
from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.event import NotificationEvent
from wimdock.site.notifications.notice import notice_of
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text

CLAIMED_FOR = timedelta(minutes=5)
"""So long nobody else takes what is being sent: more than sending can take."""

MOST_TRIES = 20
"""So many tries there are: with the pauses between them, three days."""

_LONGEST_ERROR = 500
_DICE = Random()  # noqa: S311 - chance, no secret
_WORDS = {NotificationEvent.REFUSED.value: "been refused"}


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notification that this process sends: the `attempt`-th try of it."""

    id: int
    target: str
    event: str
    body: dict[str, Any]
    attempt: int


def enqueue(session: Session, site: Site, event: NotificationEvent | str, run: Run) -> int:
    """Put a notification for each target that listens for the event into the outbox.

    Part of the transaction that ends the run: both are kept, or neither. Gives how many there are
    new; what was told of the same attempt before is not told again.
    """
    event = NotificationEvent(event)
    targets = [each.name for each in site.settings.notification if event.value in each.events]
    if not targets:
        return 0
    session.flush()
    told = session.scalars(
        select(Notification.target).where(
            Notification.run_id == run.id,
            Notification.attempt_of_run == run.attempt,
            Notification.event == event.value,
        )
    ).all()
    new = [name for name in targets if name not in told]
    for name in new:
        session.add(
            Notification(
                target=name,
                event=event.value,
                body=notice_of(session, site, event, run),
                run_id=run.id,
                attempt_of_run=run.attempt,
                created_at=site.now(),
                state=NotificationState.WAITING,
                next_try_at=site.now(),
            )
        )
    return len(new)


def claim(site: Site, but: Collection[str] = ()) -> ClaimedNotice | None:
    """Take the notification that is due the longest, of any target `but` these; None for none."""
    with site.writing() as session:
        due = (
            select(Notification)
            .where(
                Notification.state == NotificationState.WAITING,
                Notification.next_try_at <= site.now(),
                Notification.target.not_in(but),
            )
            .order_by(Notification.next_try_at, Notification.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = session.scalars(due).first()
        if row is None:
            return None
        row.attempts += 1
        row.next_try_at = site.now() + CLAIMED_FOR
        row.error = ""
        return ClaimedNotice(row.id, row.target, row.event, row.body, row.attempts)


def settle_sent(site: Site, claimed: ClaimedNotice, note: str) -> None:
    """Record that it was sent; `note` tells what part of it was refused."""
    with site.writing() as session:
        row = _mine(session, claimed)
        if row is not None:
            row.state = NotificationState.SENT
            row.sent_at = site.now()
            row.error = storable_text(note[:_LONGEST_ERROR])


def settle_failed(site: Site, claimed: ClaimedNotice, error: NotSent) -> StatusMessageRow | None:
    """Record that it was not sent; gives the status message where it was the last try."""
    with site.writing() as session:
        row = _mine(session, claimed)
        if row is None:
            return None
        row.error = storable_text(error.message[:_LONGEST_ERROR])
        if claimed.attempt < MOST_TRIES:
            row.next_try_at = site.now() + wait_after(claimed.attempt, _DICE, asked=error.asked)
            return None
        row.state = NotificationState.GIVEN_UP
        return report(
            site,
            session,
            NOTIFICATION_GIVEN_UP,
            row.target,
            _WORDS.get(row.event, row.event),
            row.error,
            run_id=row.run_id,
        )


def _mine(session: Session, claimed: ClaimedNotice) -> Notification | None:
    """Give the row while it is this process's to settle: nobody took it up since."""
    row = session.get(Notification, claimed.id, with_for_update=True)
    waits = row is not None and row.state is NotificationState.WAITING
    return row if waits and row is not None and row.attempts == claimed.attempt else None


def outbox(
    site: Site, *, state: NotificationState | None = None, limit: int = 100
) -> list[Notification]:
    """Give the newest notifications, newest first."""
    chosen = select(Notification).order_by(Notification.id.desc()).limit(limit)
    if state is not None:
        chosen = chosen.where(Notification.state == state)
    with site.reading() as session:
        return list(session.scalars(chosen))


def try_again(site: Site, ids: Sequence[int] = ()) -> list[int]:
    """Make notifications due at once, with all their tries anew, and give their IDs.

    Without IDs: all that were given up, and all that wait after a try that failed. NoSuchRecord
    where an ID is of none, or of one that was sent or is being sent: then nothing is changed.
    """
    with site.writing() as session:
        being_sent = and_(
            Notification.state == NotificationState.WAITING,
            Notification.attempts > 0,
            Notification.error == "",
            Notification.next_try_at > site.now(),
        )
        chosen = select(Notification.id).where(
            Notification.state != NotificationState.SENT, not_(being_sent)
        )
        if ids:
            chosen = chosen.where(Notification.id.in_(ids))
        else:
            chosen = chosen.where(
                (Notification.state == NotificationState.GIVEN_UP) | (Notification.attempts > 0)
            )
        found = list(session.scalars(chosen.order_by(Notification.id).with_for_update()))
        unknown = sorted(set(ids).difference(found))
        if unknown:
            message = f"notification {unknown[0]} was sent, is being sent, or does not exist"
            raise NoSuchRecord(message, hint="`wimdock notification list` shows them.")
        session.execute(
            update(Notification)
            .where(Notification.id.in_(found))
            .values(state=NotificationState.WAITING, attempts=0, next_try_at=site.now())
            .execution_options(synchronize_session=False)
        )
        for each in found:
            site.note(session, "notification.retry", str(each))
    return found
