"""Writing a recurrence as schedule tokens, where tokens can say it.

What is written is checked against the recurrence: its first times must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice, product
from zoneinfo import ZoneInfo

from cronsim import CronSim

from wimdock.configmgr.schedule_times import token_times, tokens_times
from wimdock.configmgr.schedule_token import (
    Interval,
    MonthlyByDate,
    MonthlyByWeekday,
    ScheduleToken,
    Weekly,
    format_schedule_tokens,
)
from wimdock.configmgr.schedule_token import Once as OnceOfToken
from wimdock.configmgr.schedule_token import Recurrence as RecurrenceOfToken
from wimdock.errors import ScheduleError
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.patch_tuesday import PatchTuesday
from wimdock.site.schedules.recurrence import Once, Recurrence
from wimdock.site.schedules.rule import Rule
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.zone import local_of

_MOST = 16
_COMPARED = 60
_WEEK = 7
_YEAR_MONTHS = 12
_RULE_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_RULE_PARTS = frozenset({"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYHOUR", "BYMINUTE", "WKST"})
_RULE_DAY = re.compile(r"([+-]?[0-9]+)?([A-Z]{2})", re.ASCII)
_LAST = -1
_FOURTH = 4
_TUESDAY, _SECOND = 3, 2


def as_tokens(recurrence: Recurrence, zone: ZoneInfo, since: datetime) -> str | None:
    """Give the tokens that are due when the recurrence is, from `since` on; None where none are.

    A schedule of the zone UTC gives tokens in UTC, any other one tokens on the local clock.
    """
    if isinstance(recurrence, Tokens):
        return format_schedule_tokens(recurrence.tokens)
    if isinstance(recurrence, Once):
        once = recurrence.at.replace(tzinfo=None)
        is_utc = recurrence.at.tzinfo is not None or zone.key == "UTC"
        return _written([ScheduleToken(once, OnceOfToken(), is_utc=is_utc)])
    utc = ZoneInfo("UTC")
    after = local_of(since, zone).replace(tzinfo=UTC)
    found = islice(recurrence.instants(after, utc), _COMPARED)
    times = [instant.at.replace(tzinfo=None) for instant in found]
    tokens: list[ScheduleToken] = []
    for kind, at in islice(_candidates(recurrence, after), _MOST + 1):
        start = _start(kind, at, times)
        if start is None:
            return None
        tokens.append(ScheduleToken(start, kind))
    merged = tokens_times(tokens, after.replace(tzinfo=None))
    if not 0 < len(tokens) <= _MOST or list(islice(merged, _COMPARED)) != times:
        return None
    return _written([replace(token, is_utc=zone.key == "UTC") for token in tokens])


def _written(tokens: list[ScheduleToken]) -> str | None:
    try:
        return format_schedule_tokens(tokens)
    except ScheduleError:  # a start after 2033, or a number of weeks that has no bits
        return None


def _start(kind: RecurrenceOfToken, at: time | None, times: Sequence[datetime]) -> datetime | None:
    """Find when a token is first due: from there on the weeks and months of its kind count."""
    for due in times:
        before = due - timedelta(minutes=1)
        same = at is None or due.time() == at
        if same and next(token_times(ScheduleToken(due, kind), before)) == due:
            return due
    return None


def _candidates(
    recurrence: Recurrence, start: datetime
) -> Iterator[tuple[RecurrenceOfToken, time | None]]:
    match recurrence:
        case PatchTuesday(days, at):
            # The bits of the days after it are known from one reader only: none are written.
            if days == 0:
                yield MonthlyByWeekday(_TUESDAY, _SECOND), at
        case Cron(expression):
            yield from _of_cron(CronSim(expression, start))
        case Rule():
            yield from _of_rule(recurrence)


def _of_cron(cron: CronSim) -> Iterator[tuple[RecurrenceOfToken, time | None]]:
    if len(cron.months) < _YEAR_MONTHS:
        return
    times = [time(*at) for at in sorted(product(cron.hours, cron.minutes))]
    kinds: list[RecurrenceOfToken] = []
    every_day, every_weekday = len(cron.days) == 31, len(cron.weekdays) > _WEEK  # noqa: PLR2004
    if every_day and every_weekday:
        kinds = [Interval(days=1)]
    elif every_day:
        for day in cron.weekdays:
            if isinstance(day, int):
                kinds.append(Weekly(day % _WEEK + 1))
            else:
                order = 0 if day[1] == CronSim.LAST else day[1]
                kinds.append(MonthlyByWeekday(day[0] % _WEEK + 1, order))
    elif every_weekday:
        kinds = [MonthlyByDate(0 if day == CronSim.LAST else day) for day in cron.days]
    yield from product(dict.fromkeys(kinds), times)


def _of_rule(rule: Rule) -> Iterator[tuple[RecurrenceOfToken, time | None]]:
    parts = rule.parts
    if not parts.keys() <= _RULE_PARTS:
        return
    interval = int(parts.get("INTERVAL", "1"))
    hours = [int(text) for text in parts.get("BYHOUR", str(rule.start.hour)).split(",")]
    minutes = [int(text) for text in parts.get("BYMINUTE", str(rule.start.minute)).split(",")]
    kinds: list[RecurrenceOfToken] = []
    days = [_RULE_DAY.fullmatch(text) for text in parts.get("BYDAY", "").split(",") if text]
    dates = [int(text) for text in parts.get("BYMONTHDAY", "").split(",") if text]
    match parts["FREQ"]:
        case "HOURLY" if parts.keys() <= {"FREQ", "INTERVAL"}:
            yield Interval(hours=interval), None
        case "DAILY" if not days and not dates:
            kinds = [Interval(days=interval)]
        case "WEEKLY" if not dates:
            named = [_RULE_DAYS.index(day[2]) + 1 for day in days if day]
            kinds = [Weekly(day, interval) for day in named or [rule.start.isoweekday() % 7 + 1]]
        case "MONTHLY" if days and not dates:
            for day in days:
                if day and day[1] and int(day[1]) in {_LAST, *range(1, _FOURTH + 1)}:
                    name = _RULE_DAYS.index(day[2]) + 1
                    kinds.append(MonthlyByWeekday(name, max(int(day[1]), 0), interval))
        case "MONTHLY" if not days:
            named = [max(date, 0) for date in dates if date >= _LAST] or [rule.start.day]
            kinds = [MonthlyByDate(date, interval) for date in named]
    yield from product(kinds, [time(*at) for at in product(hours, minutes)])
