"""Schedule tokens: how Configuration Manager writes a schedule, 64 bits as 16 hexadecimal digits.

Two words. The first holds the start: minute 31-26, hour 25-21, day 20-16, month 15-12, years since
1970 11-6; and the minutes of the duration 5-0. The second holds the duration's hours 31-27 and days
26-22, the type 21-19, what the type needs, and in bit 0 whether the start is UTC. Several tokens
may follow each other. Source: Microsoft, WriteToString of SMS_ScheduleMethods, for types 1
to 5. Type 6, a weekday of the month and days after it, is known from one public reader only, which
takes the days from bits 7 and 6: it is read, and written as it was read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from wimdock.errors import ScheduleError

DIGITS = 16
"""So many hexadecimal digits has a token."""

_TOKEN = re.compile(rf"[0-9A-F]{{{DIGITS}}}", re.ASCII)
_MOST = 64
_EPOCH = 1970
_ONCE, _INTERVAL, _WEEKLY, _BY_WEEKDAY, _BY_DATE, _BY_WEEKDAY_OFFSET = range(1, 7)
_LAST_YEAR = _EPOCH + 63


@dataclass(frozen=True, slots=True)
class Once:
    """SMS_ST_NonRecurring: at the start only."""


@dataclass(frozen=True, slots=True)
class Interval:
    """SMS_ST_RecurInterval: from the start on, again and again after this span."""

    days: int = 0
    hours: int = 0
    minutes: int = 0

    @property
    def span(self) -> timedelta:
        """The span as one value."""
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Weekly:
    """SMS_ST_RecurWeekly: on a weekday (1 is Sunday) of every so many weeks."""

    day: int
    weeks: int = 1


@dataclass(frozen=True, slots=True)
class MonthlyByWeekday:
    """SMS_ST_RecurMonthlyByWeekday: the first to fourth weekday (1 is Sunday), 0 the last.

    `offset` is how many days later; None where the token is not of the type that has one.
    """

    day: int
    order: int
    months: int = 1
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class MonthlyByDate:
    """SMS_ST_RecurMonthlyByDate: a day of every so many months, 0 the last."""

    day: int
    months: int = 1


Recurrence = Once | Interval | Weekly | MonthlyByWeekday | MonthlyByDate


@dataclass(frozen=True, slots=True)
class ScheduleToken:
    """A schedule: `start` is a time on the clock, in UTC where `is_utc`, else local."""

    start: datetime
    recurrence: Recurrence
    duration_days: int = 0
    duration_hours: int = 0
    duration_minutes: int = 0
    is_utc: bool = False

    @property
    def duration(self) -> timedelta:
        """For how long it lasts; zero where it says nothing of that."""
        return timedelta(
            days=self.duration_days, hours=self.duration_hours, minutes=self.duration_minutes
        )


def parse_schedule_tokens(text: str) -> tuple[ScheduleToken, ...]:
    """Read tokens that follow each other; ScheduleError for what is none."""
    digits = "".join(text.split()).upper()
    if not digits or len(digits) % DIGITS:
        message = f"{text[:40]!r} is no schedule token"
        raise ScheduleError(message, hint=f"A token is {DIGITS} hexadecimal digits.")
    if len(digits) > DIGITS * _MOST:
        message = f"these are more than {_MOST} schedule tokens"
        raise ScheduleError(message)
    return tuple(_parse(digits[at : at + DIGITS]) for at in range(0, len(digits), DIGITS))


def format_schedule_tokens(tokens: Sequence[ScheduleToken]) -> str:
    """Give tokens as text; ScheduleError where a number does not fit into its bits."""
    return "".join(_format(token) for token in tokens)


def _parse(text: str) -> ScheduleToken:
    if not _TOKEN.fullmatch(text):
        message = f"{text!r} is no schedule token"
        raise ScheduleError(message, hint=f"A token is {DIGITS} hexadecimal digits.")
    first, second = int(text[:8], 16), int(text[8:], 16)
    try:
        start = datetime(  # noqa: DTZ001 - whether it is UTC is said by a bit
            _EPOCH + _bits(first, 11, 6),
            _bits(first, 15, 12),
            _bits(first, 20, 16),
            _bits(first, 25, 21),
            _bits(first, 31, 26),
        )
        token = ScheduleToken(
            start,
            _recurrence(second),
            duration_days=_bits(second, 26, 22),
            duration_hours=_bits(second, 31, 27),
            duration_minutes=_bits(first, 5, 0),
            is_utc=bool(_bits(second, 0, 0)),
        )
        written = _format(token)
    except (ValueError, ScheduleError) as error:
        message = f"the schedule token {text} cannot be: {error}"
        raise ScheduleError(message, hint="Copy it from Configuration Manager again.") from error
    if written != text:
        message = f"the schedule token {text} says more than its type is known to say"
        raise ScheduleError(message, hint="Write the schedule with --cron or --rrule instead.")
    return token


def _recurrence(word: int) -> Recurrence:
    kind = _bits(word, 21, 19)
    if kind == _ONCE:
        return Once()
    if kind == _INTERVAL:
        return Interval(
            days=_bits(word, 7, 3), hours=_bits(word, 12, 8), minutes=_bits(word, 18, 13)
        )
    if kind == _WEEKLY:
        return Weekly(day=_bits(word, 18, 16), weeks=_bits(word, 15, 13))
    if kind in {_BY_WEEKDAY, _BY_WEEKDAY_OFFSET}:
        return MonthlyByWeekday(
            day=_bits(word, 18, 16),
            order=_bits(word, 11, 9),
            months=_bits(word, 15, 12),
            offset=_bits(word, 7, 6) if kind == _BY_WEEKDAY_OFFSET else None,
        )
    if kind == _BY_DATE:
        return MonthlyByDate(day=_bits(word, 18, 14), months=_bits(word, 13, 10))
    message = f"it is of type {kind}, which is not known"
    raise ValueError(message)


def _format(token: ScheduleToken) -> str:
    start = token.start
    if start.second or start.microsecond or start.tzinfo is not None:
        message = "a schedule token starts at a whole minute, on the clock"
        raise ScheduleError(message)
    first = (
        start.minute << 26
        | start.hour << 21
        | start.day << 16
        | start.month << 12
        | _fit("year", start.year, _EPOCH, _LAST_YEAR) - _EPOCH << 6
        | _fit("minutes of the duration", token.duration_minutes, 0, 59)
    )
    second = (
        _fit("hours of the duration", token.duration_hours, 0, 31) << 27
        | _fit("days of the duration", token.duration_days, 0, 31) << 22
        | _word(token.recurrence)
        | int(token.is_utc)
    )
    return f"{first:08X}{second:08X}"


def _word(recurrence: Recurrence) -> int:
    match recurrence:
        case Once():
            return _ONCE << 19
        case Interval(days, hours, minutes):
            word = (
                _INTERVAL << 19
                | _fit("minutes", minutes, 0, 59) << 13
                | _fit("hours", hours, 0, 23) << 8
                | _fit("days", days, 0, 31) << 3
            )
            if not recurrence.span:
                message = "its interval is nothing"
                raise ScheduleError(message)
            return word
        case Weekly(day, weeks):
            return (
                _WEEKLY << 19 | _fit("weekday", day, 1, 7) << 16 | _fit("weeks", weeks, 1, 7) << 13
            )
        case MonthlyByWeekday(day, order, months, offset):
            kind = _BY_WEEKDAY if offset is None else _BY_WEEKDAY_OFFSET
            return (
                kind << 19
                | _fit("weekday", day, 1, 7) << 16
                | _fit("months", months, 1, 12) << 12
                | _fit("week of the month", order, 0, 4) << 9
                | _fit("days after it", offset or 0, 0, 3) << 6
            )
        case MonthlyByDate(day, months):
            return (
                _BY_DATE << 19
                | _fit("day of the month", day, 0, 31) << 14
                | _fit("months", months, 1, 12) << 10
            )


def _bits(word: int, high: int, low: int) -> int:
    return word >> low & (1 << high - low + 1) - 1


def _fit(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        message = f"its {name} of {value} is not from {least} to {most}"
        raise ScheduleError(message)
    return value
