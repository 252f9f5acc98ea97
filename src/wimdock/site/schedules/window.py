"""Maintenance windows and blackouts: when the runs of a schedule may begin, on its zone's clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wimdock.errors import ScheduleError
from wimdock.site.schedules.words import DAYS, date_of, day_of, only, text_in, time_of
from wimdock.site.schedules.zone import instant_of, local_of

_EVERY_DAY = tuple(range(7))
_WEEK = 7
_MOST_BLACKOUTS = 400
_HOURS = re.compile(r"[0-9: ]+-[0-9: ]+", re.ASCII)
_WINDOW_HINT = "Write it as 22:00-04:00, or mon-fri 22:00-04:00, or sat,sun."
_BLACKOUT_HINT = "Write it as 2026-12-24, or 2026-12-24/2027-01-02."


@dataclass(frozen=True, slots=True)
class Blackout:
    """Whole days on which nothing begins, from `first` to `last`."""

    first: date
    last: date

    @classmethod
    def parse(cls, text: str) -> Blackout:
        """Read a date, or two with a slash between them; ScheduleError where it is neither."""
        first, slash, last = text.strip().partition("/")
        try:
            made = cls(date_of(first), date_of(last if slash else first))
        except ScheduleError as error:
            raise ScheduleError(error.message, hint=_BLACKOUT_HINT) from error
        if made.last < made.first:
            message = f"the blackout {text.strip()[:40]} ends before it begins"
            raise ScheduleError(message, hint=_BLACKOUT_HINT)
        return made

    def __str__(self) -> str:
        """Give what `parse` reads."""
        return f"{self.first}" if self.first == self.last else f"{self.first}/{self.last}"


@dataclass(frozen=True, slots=True)
class Window:
    """When runs may begin: on `days` (0 is Monday) from `start` until before `end`.

    An `end` that is not later than `start` is of the next day, which `days` need not name. Without
    `start` and `end` it is the whole day. The default is always.
    """

    days: tuple[int, ...] = _EVERY_DAY
    start: time = time()
    end: time = time()
    blackouts: tuple[Blackout, ...] = ()

    @classmethod
    def parse(cls, text: str, blackouts: Sequence[str] = ()) -> Window:
        """Read a window as people write it, "" for always; ScheduleError where it is wrong."""
        days, hours = _EVERY_DAY, (time(), time())
        words = re.sub(r"\s*-\s*", "-", text.strip()).split()
        kinds = [_HOURS.fullmatch(word) is not None for word in words]
        if len(set(kinds)) < len(kinds):
            twice = "hours" if kinds.count(True) > 1 else "days"
            message = f"the window {text[:40]!r} names its {twice} twice"
            raise ScheduleError(message, hint=_WINDOW_HINT)
        for word, is_hours in zip(words, kinds, strict=True):
            try:
                if is_hours:
                    start, _, end = word.partition("-")
                    hours = time_of(start), _end_of(end)
                else:
                    days = _days(word)
            except ScheduleError as error:
                message = f"the window {text[:40]!r} cannot be: {error.message}"
                raise ScheduleError(message, hint=_WINDOW_HINT) from error
        return cls(days, *hours, _blackouts(blackouts))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Window:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        only(document, "a window", ("days", "start", "end", "blackout"))
        days, dates = document.get("days", list(DAYS)), document.get("blackout", [])
        for value in (days, dates):
            if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
                message = "days and blackout of a window must be lists of texts"
                raise ScheduleError(message, hint=_WINDOW_HINT)
        if not days or ("start" in document) != ("end" in document):
            message = "a window needs a day, and a start where it has an end"
            raise ScheduleError(message, hint=_WINDOW_HINT)
        hours = time(), time()
        if "start" in document:
            hours = time_of(text_in(document, "start")), time_of(text_in(document, "end"))
        named = tuple(sorted({day_of(word) for word in days}))
        return cls(named, *hours, _blackouts(dates))

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it: what differs from always."""
        document: dict[str, Any] = {}
        if self.days != _EVERY_DAY:
            document["days"] = [DAYS[day] for day in self.days]
        if self.start != time() or self.end != time():
            document |= {"start": f"{self.start:%H:%M}", "end": f"{self.end:%H:%M}"}
        if self.blackouts:
            document["blackout"] = [str(each) for each in self.blackouts]
        return document

    def describe(self) -> str:
        """Say in words when runs may begin."""
        days = "" if self.days == _EVERY_DAY else ", ".join(DAYS[day] for day in self.days)
        hours = "" if self._is_whole_day else f"{self.start:%H:%M}-{self.end:%H:%M}"
        said = " ".join(word for word in (days, hours) if word) or "always"
        dates = ", ".join(str(each) for each in self.blackouts)
        return f"{said}, but not on {dates}" if dates else said

    def refusal(self, at: datetime, zone: ZoneInfo) -> str:
        """Say why no run may begin at an instant; nothing where one may."""
        local = local_of(at, zone)
        for each in self.blackouts:
            if each.first <= local.date() <= each.last:
                return f"{local:%Y-%m-%d} is blacked out ({each})"
        if self._is_open(local):
            return ""
        return f"{DAYS[local.weekday()]} {local:%H:%M} is outside the window ({self._hours()})"

    def closes(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Give the first instant after `at` at which no run may begin; None where there is none."""
        local = local_of(at, zone)
        days = [local.date() + timedelta(days=ahead) for ahead in range(_WEEK + 2)]
        edges = {
            datetime.combine(day, clock) for day in days for clock in (time(), self.start, self.end)
        }
        edges |= {datetime.combine(each.first, time()) for each in self.blackouts}
        instants = (instant_of(edge, zone).at for edge in sorted(edges) if edge > local)
        return next((each for each in instants if each > at and self.refusal(each, zone)), None)

    @property
    def _is_whole_day(self) -> bool:
        return self.start == self.end == time()

    def _hours(self) -> str:
        return Window(self.days, self.start, self.end).describe()

    def _is_open(self, local: datetime) -> bool:
        day, at = local.weekday(), local.time()
        if self.start < self.end:
            return day in self.days and self.start <= at < self.end
        day_before = (local - timedelta(days=1)).weekday()
        return (day in self.days and at >= self.start) or (
            day_before in self.days and at < self.end
        )


def _blackouts(texts: Sequence[str]) -> tuple[Blackout, ...]:
    if len(texts) > _MOST_BLACKOUTS:
        message = f"these are more than {_MOST_BLACKOUTS} blackouts"
        raise ScheduleError(message, hint="Join neighbouring days to ranges.")
    return tuple(Blackout.parse(text) for text in texts)


def _end_of(text: str) -> time:
    """Read when a window closes: `24:00` is the `00:00` at which its day ends."""
    return time() if text.strip() == "24:00" else time_of(text)


def _days(word: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        first, dash, last = part.partition("-")
        begin = day_of(first)
        length = (day_of(last) - begin) % _WEEK if dash else 0
        found |= {(begin + ahead) % _WEEK for ahead in range(length + 1)}
    return tuple(sorted(found))
