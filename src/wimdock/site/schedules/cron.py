"""Cron expressions: five fields on the clock of the schedule's zone; `TUE#2`, `5L`, `LW` too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from wimdock.errors import ScheduleError
from wimdock.site.schedules.words import text_in
from wimdock.site.schedules.zone import Instant, on_clock

_FIELDS = 5
_ORIGIN = datetime(2000, 1, 1)  # noqa: DTZ001 - a time on the clock
# A step of an nth weekday means nothing, and the library does not refuse it.
_NTH_WITH_STEP = re.compile(r"#[^,]*/")


@dataclass(frozen=True, slots=True)
class Cron:
    """Due when all fields fit; where day of month and day of week are both given, either does."""

    expression: str

    kind = "cron"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Cron:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        return cls.parse(text_in(document, "expression"))

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression; ScheduleError where it is none, or is never due."""
        words = text.upper().split()
        hint = "Write minute, hour, day of month, month and day of week: 0 22 * * TUE#2"
        if len(words) != _FIELDS:
            message = f"the cron expression {text[:80]!r} has not five fields"
            raise ScheduleError(message, hint=hint)
        expression = " ".join(words)
        if not expression.isascii() or _NTH_WITH_STEP.search(words[-1]):
            message = f"the cron expression {text[:80]!r} cannot be: bad day-of-week"
            raise ScheduleError(message, hint=hint)
        try:
            found = next(CronSim(expression, _ORIGIN), None)
        except CronSimError as error:
            message = f"the cron expression {text[:80]!r} cannot be: {str(error).lower()}"
            raise ScheduleError(message, hint=hint) from error
        if found is None:
            message = f"the cron expression {text[:80]!r} is never due"
            raise ScheduleError(message, hint=hint)
        return cls(expression)

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind, "expression": self.expression}

    def describe(self) -> str:
        """Say in words when it is due."""
        said = CronSim(self.expression, _ORIGIN).explain()
        return f"{self.expression} ({said[:1].lower()}{said[1:]})"

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the instants later than `after`, in order."""
        return on_clock(lambda local: CronSim(self.expression, local), after, zone)
