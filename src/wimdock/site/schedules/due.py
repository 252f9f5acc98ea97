"""What becomes of the instants at which a schedule was due: pure.

The newest instant that its window allows is run, late where the window still allows it; older ones
are recorded as missed. What lies outside the window is recorded as excluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile

from wimdock.site.models import OccurrenceOutcome
from wimdock.site.schedules.request import Plan
from wimdock.site.schedules.zone import Instant

MOST = 100
"""So many instants of a long down-time are recorded one by one; older ones together."""

_MOVED = timedelta(hours=3)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one instant, and why."""

    at: datetime
    outcome: OccurrenceOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DueInstants:
    """The instants due up to now. `skipped` is the first of those too many to be listed."""

    instants: tuple[Instant, ...]
    skipped: datetime | None = None

    def unlisted(self) -> list[Verdict]:
        """Say what becomes of those that are not listed."""
        if self.skipped is None:
            return []
        until = f"{self.instants[0].at:%Y-%m-%d %H:%M} UTC"
        reason = f"no scheduler ran then; the same holds of all instants until {until}"
        return [Verdict(self.skipped, OccurrenceOutcome.MISSED, reason)]


def overdue(plan: Plan, next_due: datetime | None, now: datetime, late: timedelta) -> list[Verdict]:
    """Say what a tick that comes now makes of the instants that have passed without one."""
    if next_due is None or next_due > now:
        return []
    found = due_instants(plan, next_due, now)
    return found.unlisted() + judge(plan, found.instants, now, late)


def due_instants(plan: Plan, next_due: datetime, now: datetime) -> DueInstants:
    """Give the instants from `next_due` to `now`.

    Where `next_due` is none any more, for the rules of the time zone were changed meanwhile, one is
    looked for in the hours before it too.
    """
    since = next_due - _TICK
    first = plan.next(since)
    if first is None or first.at != next_due:
        since = next_due - _MOVED
        first = plan.next(since)
    if first is None or first.at > now:
        return DueInstants(())
    found = _up_to(plan, since, now)
    if len(found) <= MOST:
        return DueInstants(found)
    early, late = since, now
    while not 0 < len(found) <= MOST:
        middle = early + (late - early) / 2
        found = _up_to(plan, middle, now)
        early, late = (middle, late) if found else (early, middle)
    return DueInstants(found, first.at)


def _up_to(plan: Plan, since: datetime, now: datetime) -> tuple[Instant, ...]:
    found = plan.recurrence.instants(since, plan.zone)
    return tuple(takewhile(lambda instant: instant.at <= now, islice(found, MOST + 1)))


def judge(plan: Plan, instants: Sequence[Instant], now: datetime, late: timedelta) -> list[Verdict]:
    """Say what becomes of each instant; one at most is started.

    An instant is late when it lies longer ago than `late`.
    """
    verdicts: list[Verdict] = []
    candidates: list[Instant] = []
    for instant in instants:
        reason = plan.refusal(instant.at)
        if reason:
            verdicts.append(Verdict(instant.at, OccurrenceOutcome.EXCLUDED, reason))
        else:
            candidates.append(instant)
    if candidates:
        newest = _judge_newest(plan, candidates.pop(), now, late)
        verdicts.append(newest)
        reason = _reason(newest)
        verdicts += [Verdict(each.at, OccurrenceOutcome.MISSED, reason) for each in candidates]
    return sorted(verdicts, key=lambda verdict: verdict.at)


def _judge_newest(plan: Plan, instant: Instant, now: datetime, late: timedelta) -> Verdict:
    behind = now - instant.at
    if behind <= late:
        return Verdict(instant.at, OccurrenceOutcome.STARTED, instant.note)
    said = f"no scheduler ran until {now:%Y-%m-%d %H:%M} UTC"
    refusal = plan.refusal(now)
    if refusal:
        return Verdict(instant.at, OccurrenceOutcome.MISSED, f"{said}, and {refusal}")
    if plan.patience is not None and behind >= plan.patience:
        lasts = int(plan.patience.total_seconds() // 60)
        reason = f"{said}, and its token lasts {lasts} minutes"
        return Verdict(instant.at, OccurrenceOutcome.MISSED, reason)
    reason = f"{said}; {instant.note}" if instant.note else said
    return Verdict(instant.at, OccurrenceOutcome.STARTED_LATE, reason)


def _reason(newest: Verdict) -> str:
    said = "no scheduler ran then"
    if newest.outcome is OccurrenceOutcome.MISSED:
        return said
    return f"{said}; {newest.at:%Y-%m-%d %H:%M} UTC is run instead"
