"""Recurrence rules of iCalendar (RFC 5545 3.3.10), on the clock of the schedule's zone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import lcm
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from wimdock.errors import ScheduleError
from wimdock.site.schedules.words import text_in
from wimdock.site.schedules.zone import FIRST_YEAR, LAST_YEAR, Instant, local_of, on_clock

_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS"}
    | {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYMINUTE"}
)
_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_MOST = {"INTERVAL": 1000, "COUNT": 10_000}
_DAYS = ("BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO")
_DAY_HOURS = 24
_WEEK = 7
_HINT = "Write it as FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22;BYMINUTE=0 (RFC 5545)."
_START = re.compile(r"DTSTART:([0-9]{8}T[0-9]{6})\s+(.*)", re.ASCII | re.DOTALL)
_NUMBERED = re.compile(r"[0-9]", re.ASCII)
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """Due by a rule that counts from `start`, a time on the clock."""

    rule: str
    start: datetime

    kind = "rrule"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Rule:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        text = text_in(document, "start")
        try:
            start = datetime.fromisoformat(text)
        except ValueError as error:
            message = f"{text[:40]!r} is no start of a rule"
            raise ScheduleError(message) from error
        return cls.parse(text_in(document, "rule"), start)

    @classmethod
    def parse(cls, text: str, start: datetime) -> Rule:
        """Read a rule; `start` is what it counts from where it does not say so by DTSTART.

        ScheduleError where it is no rule, or one that wimdock does not take: by the minute or the
        second, or one that is never due.
        """
        text = text.strip().upper()
        given = _START.fullmatch(text)
        if given is not None:
            text, start = given[2], _started(given[1])
        text = text.removeprefix("RRULE:").strip().rstrip(";")
        if start.tzinfo is not None:
            message = "a rule starts at a time on the clock of the schedule's zone"
            raise ScheduleError(message, hint="Leave the Z or the offset away.")
        if not FIRST_YEAR <= start.year <= LAST_YEAR:
            message = f"a rule starts in a year from {FIRST_YEAR} to {LAST_YEAR}"
            raise ScheduleError(message, hint=_HINT)
        made = cls(text, start.replace(second=0, microsecond=0))
        made._check()
        return made

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind, "rule": self.rule, "start": self.start.isoformat()}

    def describe(self) -> str:
        """Say in words when it is due."""
        return f"{self.rule} from {self.start:%Y-%m-%d %H:%M} on"

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the instants later than `after`, in order."""
        return on_clock(lambda local: self._times(local, zone), after, zone)

    @property
    def parts(self) -> dict[str, str]:
        """The parts of the rule by their names."""
        return dict(_part(part) for part in self.rule.split(";"))

    def _times(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        parts = self.parts
        frequency, interval = parts["FREQ"], int(parts.get("INTERVAL", "1"))
        count = int(parts.pop("COUNT", "0"))
        until = _until(parts.pop("UNTIL", None), zone)
        start = self.start if count else _shifted(self.start, after, frequency, interval)
        for at in islice(_rrule(parts, start, until), count or None):
            if at > after:
                yield at

    def _check(self) -> None:
        try:
            parts = _check_parts(self.rule)
            _until(parts.get("UNTIL"), ZoneInfo("UTC"))
            parts.pop("COUNT", None)
            parts.pop("UNTIL", None)
            _rrule(parts, self.start)
            _check_days(parts, self.start)
            before = self.start - timedelta(days=1)
            if next(self._times(before, ZoneInfo("UTC")), None) is None:
                raise ValueError("it is never due")  # noqa: EM101, TRY003, TRY301
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            message = f"the recurrence rule {self.rule[:80]!r} cannot be: {error}"
            raise ScheduleError(message, hint=_HINT) from error


def _part(text: str) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals or name not in _PARTS or not value or not value.isascii():
        message = f"{text[:40]!r} is no part that it can have"
        raise ValueError(message)
    return name, value


def _check_parts(rule: str) -> dict[str, str]:
    pairs = [_part(part) for part in rule.split(";")]
    parts = dict(pairs)
    if len(parts) != len(pairs):
        message = "it says something twice"
        raise ValueError(message)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        message = f"FREQ is none of {', '.join(_FREQUENCIES)}"
        raise ValueError(message)
    for name, most in _MOST.items():
        text = parts.get(name, "1")
        if not text.isdigit() or not 1 <= int(text[:9]) <= most:
            message = f"{name} is not from 1 to {most}"
            raise ValueError(message)
    if frequency not in {"YEARLY", "MONTHLY"} and _NUMBERED.search(parts.get("BYDAY", "")):
        message = "BYDAY has numbers only by the month or the year"
        raise ValueError(message)
    if {"COUNT", "UNTIL"} <= parts.keys():
        message = "it has COUNT and UNTIL"
        raise ValueError(message)
    return parts


def _check_days(parts: Mapping[str, str], start: datetime) -> None:
    """Refuse days that there are not, such as 30 February.

    By the year this is found out in a second; by the hour all the hours of 8,000 years are tried.
    """
    days = {name: parts[name] for name in _DAYS if name in parts}
    if days and next(iter(_rrule({"FREQ": "YEARLY"} | days, start.replace(day=1))), None) is None:
        message = "it is never due"
        raise ValueError(message)


def _rrule(parts: Mapping[str, str], start: datetime, until: datetime | None = None) -> rrule:
    text = ";".join(f"{name}={value}" for name, value in parts.items())
    made = rrulestr(text, dtstart=start)
    if not isinstance(made, rrule):
        message = "it is more than one rule"
        raise TypeError(message)
    return made if until is None else made.replace(until=until)


def _shifted(start: datetime, after: datetime, frequency: str, interval: int) -> datetime:
    """Give a later start from which the rule gives the same times after `after`."""
    steps = {
        "HOURLY": timedelta(hours=lcm(interval, _DAY_HOURS)),
        "DAILY": timedelta(days=interval),
        "WEEKLY": timedelta(days=interval * _WEEK),
    }
    step = steps.get(frequency)
    if step is None or after <= start:
        return start
    # One step less: the week in which `after` lies may hold times before it and behind it.
    return start + max((after - start) // step - 1, 0) * step


def _until(text: str | None, zone: ZoneInfo) -> datetime | None:
    if text is None:
        return None
    found = _UNTIL.fullmatch(text)
    if found is None:
        message = f"UNTIL={text[:40]} is no time"
        raise ValueError(message)
    at = _stamp(f"{found[1]}T{found[2] or '235959'}")
    # Far years stand for "without an end", and may have no such time in another zone.
    is_utc = bool(found[3]) and FIRST_YEAR <= at.year <= LAST_YEAR
    return local_of(at.replace(tzinfo=UTC), zone) if is_utc else at


def _started(text: str) -> datetime:
    try:
        return _stamp(text)
    except ValueError as error:
        message = f"DTSTART:{text} is no time"
        raise ScheduleError(message, hint=_HINT) from error


def _stamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - a time on the clock


def start_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Give the start of a rule that says none: the minute on the clock at an instant."""
    return local_of(at, zone).replace(second=0, microsecond=0)
