"""Schedule tokens of Configuration Manager as recurrences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from typing import Any
from zoneinfo import ZoneInfo

from wimdock.configmgr.schedule_times import tokens_times
from wimdock.configmgr.schedule_token import (
    Interval,
    MonthlyByDate,
    MonthlyByWeekday,
    Once,
    ScheduleToken,
    Weekly,
    format_schedule_tokens,
    parse_schedule_tokens,
)
from wimdock.site.schedules.words import DAY_NAMES, ordinal, text_in
from wimdock.site.schedules.zone import Instant, on_clock

_UTC = ZoneInfo("UTC")
_SUNDAY_FIRST = (DAY_NAMES[-1], *DAY_NAMES[:-1])


@dataclass(frozen=True, slots=True)
class Tokens:
    """Due when one of the tokens is: on the clock of the schedule's zone, or in UTC."""

    tokens: tuple[ScheduleToken, ...]

    kind = "token"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Tokens:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        return cls(parse_schedule_tokens(text_in(document, "tokens")))

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind, "tokens": format_schedule_tokens(self.tokens)}

    def describe(self) -> str:
        """Say in words when it is due."""
        return "; ".join(_describe(token) for token in self.tokens)

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the instants later than `after`, in order."""
        of_utc = [token for token in self.tokens if token.is_utc]
        of_zone = [token for token in self.tokens if not token.is_utc]
        found = merge(
            on_clock(lambda local: tokens_times(of_utc, local), after, _UTC),
            on_clock(lambda local: tokens_times(of_zone, local), after, zone),
            key=lambda instant: instant.at,
        )
        latest = after.astimezone(UTC)
        for instant in found:
            if instant.at > latest:
                latest = instant.at
                yield instant

    @property
    def duration(self) -> timedelta:
        """For how long after an instant its work may begin; zero where the tokens say nothing."""
        said = (token.duration for token in self.tokens if token.duration)
        return min(said, default=timedelta())


def _describe(token: ScheduleToken) -> str:
    clock = " UTC" if token.is_utc else ""
    at = f"at {token.start:%H:%M}{clock}"
    since = f"from {token.start:%Y-%m-%d} on"
    match token.recurrence:
        case Once():
            said = f"once, at {token.start:%Y-%m-%d %H:%M}{clock}"
        case Interval(days, hours, minutes):
            parts = ((days, "day"), (hours, "hour"), (minutes, "minute"))
            span = " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n)
            said = f"every {span} from {token.start:%Y-%m-%d %H:%M}{clock} on"
        case Weekly(day, weeks):
            often = "every week" if weeks == 1 else f"every {weeks} weeks"
            said = f"on {_SUNDAY_FIRST[day - 1]} of {often} {at}, {since}"
        case MonthlyByWeekday(day, order, months, offset):
            week = ordinal(order) if order else "last"
            behind = f"{offset} day{'' if offset == 1 else 's'} after " if offset else ""
            name = _SUNDAY_FIRST[day - 1]
            said = f"{behind}the {week} {name} of {_months(months)} {at}, {since}"
        case MonthlyByDate(day, months):
            date = f"day {day}" if day else "the last day"
            said = f"on {date} of {_months(months)} {at}, {since}"
    return said


def _months(number: int) -> str:
    return "every month" if number == 1 else f"every {number} months"
