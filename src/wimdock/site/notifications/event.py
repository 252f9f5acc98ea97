"""What is told of a run."""

from __future__ import annotations

from enum import StrEnum

from wimdock.site.models import RunState


class NotificationEvent(StrEnum):
    """Why a notification is sent; `TRIAL` is what `wimdock notification test` sends."""

    FAILED = "failed"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    TRIAL = "test"


_EVENTS = {
    RunState.SUCCEEDED: NotificationEvent.SUCCEEDED,
    RunState.FAILED: NotificationEvent.FAILED,
    RunState.TIMED_OUT: NotificationEvent.FAILED,
    RunState.LOCKED: NotificationEvent.FAILED,
    RunState.REFUSED: NotificationEvent.REFUSED,
    RunState.MISSED: NotificationEvent.FAILED,
}


def event_of(state: RunState) -> NotificationEvent | None:
    """Give what is told of a run that ended so; None for one that a person cancelled, or goes on.

    A run that took too long, found its image in use or no worker in its window has failed: somebody
    has to look.
    """
    return _EVENTS.get(state)
