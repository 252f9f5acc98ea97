"""What a schedule is asked to be, before the site keeps it; and what is read back from its row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from wimdock.errors import ScheduleError
from wimdock.site.models import Schedule
from wimdock.site.runs.create import DEFAULT_QUEUE
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.schedules.recurrence import Now, Recurrence, read_recurrence
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.window import Window
from wimdock.site.schedules.zone import Instant, zone_of
from wimdock.site.updates.selection import Selection

HIGHEST_PRIORITY = 1000
LONGEST_NAME = 200

_QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """An image package of a schedule; `indexes` empty stands for all its images."""

    package_id: str
    indexes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """When a schedule is due, and when its runs may begin."""

    recurrence: Recurrence
    zone: ZoneInfo
    window: Window

    @classmethod
    def of(cls, schedule: Schedule) -> Plan:
        """Read what the row of a schedule says; ScheduleError where it cannot be read any more."""
        return cls(
            read_recurrence(schedule.recurrence),
            zone_of(schedule.zone),
            Window.from_document(schedule.window),
        )

    def next(self, after: datetime) -> Instant | None:
        """Give the first instant later than `after`, whether its runs may begin or not."""
        return next(self.recurrence.instants(after, self.zone), None)

    def refusal(self, at: datetime) -> str:
        """Say why no run may begin at an instant; nothing where one may."""
        return self.window.refusal(at, self.zone)

    def begin_before(self, instant: datetime, now: datetime) -> datetime | None:
        """Say from when on the runs of an instant that is started now may not be begun any more."""
        closes = self.window.closes(now, self.zone)
        ends = None if self.patience is None else instant + self.patience
        return min((each for each in (closes, ends) if each is not None), default=None)

    @property
    def patience(self) -> timedelta | None:
        """How long after an instant its runs may still begin; None for as long as it takes."""
        limit = self.recurrence.duration if isinstance(self.recurrence, Tokens) else timedelta()
        return limit or None


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """A schedule as somebody wants it. `zone` is an IANA name, `queue` that of its runs.

    Runs of a higher `priority` are taken first.
    """

    targets: Sequence[Target]
    recurrence: Recurrence
    selection: Selection
    name: str = ""
    zone: str = "UTC"
    window: Window = field(default_factory=Window)
    options: ScheduleOptions = field(default_factory=ScheduleOptions)
    queue: str = DEFAULT_QUEUE
    priority: int = 0

    def check(self, now: datetime) -> Plan:
        """Give its plan; NotOffered or ScheduleError where it cannot be."""
        self.options.check()
        self.selection.check()
        self._check_words()
        # As it will be read back: what cannot be must not come out at night.
        Selection.from_document(self.selection.to_document())
        plan = Plan(
            read_recurrence(self.recurrence.to_document()),
            zone_of(self.zone),
            Window.from_document(self.window.to_document()),
        )
        if not isinstance(self.recurrence, Now):
            _check_plan(plan, now)
        return plan

    def _check_words(self) -> None:
        names = [target.package_id for target in self.targets]
        if not names:
            message = "the schedule names no image package"
            raise ScheduleError(message)
        if len(set(names)) < len(names):
            message = "the schedule names an image package twice"
            raise ScheduleError(message, hint="Name its indexes together: CAS00001:1,2")
        if len(self.name) > LONGEST_NAME or not all(char.isprintable() for char in self.name):
            message = f"the name of a schedule is printable and has up to {LONGEST_NAME} characters"
            raise ScheduleError(message, hint="Choose another name.")
        if not _QUEUE.fullmatch(self.queue):
            message = f"{self.queue[:40]!r} is no name of a queue"
            raise ScheduleError(message, hint="It has letters, digits, '.', '_' and '-'.")
        if not -HIGHEST_PRIORITY <= self.priority <= HIGHEST_PRIORITY:
            message = f"the priority {self.priority} is beyond {HIGHEST_PRIORITY}"
            raise ScheduleError(message, hint=f"It is from -{HIGHEST_PRIORITY} on.")


def _check_plan(plan: Plan, now: datetime) -> None:
    if plan.next(now) is None:
        message = f"the schedule is never due any more: {plan.recurrence.describe()}"
        raise ScheduleError(message, hint="Give it a time that is still to come.")
    found = islice(plan.recurrence.instants(now, plan.zone), _LOOKED_AT)
    if all(plan.refusal(instant.at) for instant in found):
        message = "the schedule is due only when its window or a blackout lets nothing begin"
        raise ScheduleError(message, hint=f"The window is: {plan.window.describe()}.")
