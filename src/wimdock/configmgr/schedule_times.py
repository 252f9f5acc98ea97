"""The times at which a schedule token is due: on the clock that its start is of."""

from __future__ import annotations

import heapq
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from wimdock.configmgr.schedule_token import (
    Interval,
    MonthlyByDate,
    MonthlyByWeekday,
    Once,
    ScheduleToken,
    Weekly,
)

_WEEK = 7
_YEAR_MONTHS = 12
_LAST_YEAR = 9000


def token_times(token: ScheduleToken, after: datetime) -> Iterator[datetime]:
    """Give its times later than `after`, both without a zone, in order, without an end.

    What is due every few weeks counts from the first such weekday from the start on, what is due
    every few months from the month of the start. A month without the day is passed over.
    """
    start = token.start
    match token.recurrence:
        case Once():
            yield from (at for at in (start,) if at > after)
        case Interval():
            yield from _steps(start, token.recurrence.span, after)
        case Weekly(day, weeks):
            # 1 is Sunday here, 6 is Sunday there
            first = start + timedelta(days=(day - 2 - start.weekday()) % _WEEK)
            yield from _steps(first, timedelta(weeks=weeks), after)
        case MonthlyByWeekday() | MonthlyByDate():
            yield from (at for at in _monthly(token, after) if at > after and at >= start)


def tokens_times(tokens: Sequence[ScheduleToken], after: datetime) -> Iterator[datetime]:
    """Give the times of several tokens, each once, in order."""
    latest = after
    for at in heapq.merge(*(token_times(token, after) for token in tokens)):
        if at > latest:
            latest = at
            yield at


def _steps(start: datetime, span: timedelta, after: datetime) -> Iterator[datetime]:
    at = start if after < start else start + ((after - start) // span + 1) * span
    while at.year < _LAST_YEAR:
        yield at
        at += span


def _monthly(token: ScheduleToken, after: datetime) -> Iterator[datetime]:
    match token.recurrence:
        case MonthlyByWeekday(_, _, months, offset):
            behind = timedelta(days=offset or 0)
            for first in _months(token.start, months, after - behind):
                yield _weekday(token.recurrence, first) + behind
        case MonthlyByDate(day, months):
            for first in _months(token.start, months, after):
                length = monthrange(first.year, first.month)[1]
                if day <= length:
                    yield first.replace(day=day or length)


def _months(start: datetime, months: int, after: datetime) -> Iterator[datetime]:
    """Give the first day of each month that counts, at the time of the start."""
    passed = (after.year - start.year) * _YEAR_MONTHS + after.month - start.month
    number = start.year * _YEAR_MONTHS + start.month - 1 + max(0, passed // months) * months
    while number < _LAST_YEAR * _YEAR_MONTHS:
        yield start.replace(year=number // _YEAR_MONTHS, month=number % _YEAR_MONTHS + 1, day=1)
        number += months


def _weekday(recurrence: MonthlyByWeekday, first: datetime) -> datetime:
    if recurrence.order == 0:
        last = first.replace(day=monthrange(first.year, first.month)[1])
        return last - timedelta(days=(last.weekday() - recurrence.day + 2) % _WEEK)
    ahead = (recurrence.day - 2 - first.weekday()) % _WEEK
    return first + timedelta(days=ahead, weeks=recurrence.order - 1)
