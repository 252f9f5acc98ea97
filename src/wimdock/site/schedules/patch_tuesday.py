"""The second Tuesday of the month, and days after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wimdock.site.schedules.words import number_in, text_in, time_of
from wimdock.site.schedules.zone import Instant, on_clock

LATEST = 30
"""So many days after the second Tuesday can it be at most."""

_TUESDAY = 1
_WEEK = 7


@dataclass(frozen=True, slots=True)
class PatchTuesday:
    """Due so many days after the second Tuesday of every month, at a time of day."""

    days: int
    time: time

    kind = "patch-tuesday"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PatchTuesday:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        days = number_in(document, "days", 0, (0, LATEST))
        return cls(days, time_of(text_in(document, "time")))

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind, "days": self.days, "time": f"{self.time:%H:%M}"}

    def describe(self) -> str:
        """Say in words when it is due."""
        days = f"{self.days} day{'' if self.days == 1 else 's'} after " if self.days else ""
        return f"{days}the second Tuesday of every month at {self.time:%H:%M}"

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the instants later than `after`, in order."""
        return on_clock(self._times, after, zone)

    def _times(self, after: datetime) -> Iterator[datetime]:
        behind = timedelta(days=self.days)
        first = (after - behind).replace(day=1)
        while True:
            ahead = (_TUESDAY - first.weekday()) % _WEEK + _WEEK
            at = datetime.combine(first.date(), self.time) + timedelta(days=ahead) + behind
            if at > after:
                yield at
            first = (first + timedelta(days=31)).replace(day=1)
