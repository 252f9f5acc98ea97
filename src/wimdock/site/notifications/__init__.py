"""Notifications: signed webhooks and mail on failed, succeeded and refused runs.

A run's end puts them into an outbox in its own transaction; whoever runs `send_due` sends them, at
least once, and tries again with growing pauses what could not be sent.
"""

from wimdock.site.notifications.delivery import deliver
from wimdock.site.notifications.event import NotificationEvent, event_of
from wimdock.site.notifications.outbox import MOST_TRIES, enqueue, outbox, try_again
from wimdock.site.notifications.sender import Sent, send_due, send_now
from wimdock.site.notifications.trial import send_trial

__all__ = [
    "MOST_TRIES",
    "NotificationEvent",
    "Sent",
    "deliver",
    "enqueue",
    "event_of",
    "outbox",
    "send_due",
    "send_now",
    "send_trial",
    "try_again",
]
