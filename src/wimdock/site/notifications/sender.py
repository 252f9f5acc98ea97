"""Sending what is due; any number of processes may do it at once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from wimdock.site.messages import SiteLog
from wimdock.site.notifications.delivery import deliver
from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.outbox import (
    MOST_TRIES,
    ClaimedNotice,
    claim,
    settle_failed,
    settle_sent,
)
from wimdock.site.site import Site

_TURN_SECONDS = 30.0
"""So long goes to one target at a time while others wait."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What one round of sending came to: numbers of notifications."""

    sent: int
    failed: int
    given_up: int


def send_due(site: Site) -> int:
    """Send every notification that is due, and give how many were sent."""
    return send_now(site).sent


def send_now(site: Site) -> Sent:
    """Send every notification that is due.

    A target that failed is left alone until the next round: one that is down would hold up all
    others. So would one that is slow: targets take turns. No error of a target comes out of here;
    those of the database do, and faults of wimdock itself, which are waited for and given up as all
    others are.
    """
    counts: Counter[str] = Counter()
    down: set[str] = set()
    spent: dict[str, float] = {}
    while True:
        had_turn = {name for name, seconds in spent.items() if seconds >= _TURN_SECONDS}
        claimed = claim(site, down | had_turn)
        if claimed is None:
            if not had_turn:
                break
            spent.clear()
            continue
        began = time.monotonic()
        try:
            note = _send(site, claimed)
        except NotSent as error:
            down.add(claimed.target)
            counts[_settle(site, claimed, error)] += 1
        except Exception as error:
            # Never the words of an error that is not known: there may be a secret in them.
            _settle(site, claimed, NotSent(f"an error in wimdock: {type(error).__name__}"))
            raise
        else:
            settle_sent(site, claimed, note)
            counts["sent"] += 1
        spent[claimed.target] = spent.get(claimed.target, 0.0) + time.monotonic() - began
    return Sent(counts["sent"], counts["failed"], counts["given up"])


def _send(site: Site, claimed: ClaimedNotice) -> str:
    if claimed.attempt > MOST_TRIES:  # whoever made its last try did not live to tell
        message = "wimdock ended while it was sent for the last time"
        raise NotSent(message)
    return deliver(site, claimed.target, claimed.body)


def _settle(site: Site, claimed: ClaimedNotice, error: NotSent) -> str:
    row = settle_failed(site, claimed, error)
    if row is None:
        return "failed"
    with SiteLog(site, run_id=row.run_id) as log:
        log.status(row)
    return "given up"
