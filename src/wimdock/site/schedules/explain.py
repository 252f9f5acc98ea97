"""What a schedule will do: its next instants, and the work that each of them would bring."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from wimdock.errors import ScheduleError, WimdockError
from wimdock.site.models import Occurrence, Schedule, UpdateRow
from wimdock.site.schedules.as_tokens import as_tokens
from wimdock.site.schedules.due import Verdict, overdue
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.schedules.records import schedule_of
from wimdock.site.schedules.request import Plan
from wimdock.site.schedules.start import Work, unsigned_of, work_of
from wimdock.site.site import Site

MOST_EXCLUDED = 50
"""So many excluded instants are told of at most, among those that are not."""

MOST_INSTANTS = 1000


@dataclass(frozen=True, slots=True)
class FutureInstant:
    """An instant to come: `excluded` is why nothing runs then, `note` what the zone made of it."""

    at: datetime
    local: datetime
    excluded: str
    note: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The next instants of a schedule, and the work of each, as the library is today.

    `unsigned` are updates that its rule leaves out, for no catalog covers them; `overdue` is what
    the next tick makes of instants that have passed without one. `more_excluded` tells that further
    ones are excluded before the next that is not. `trouble` is why the work cannot be told.
    """

    schedule: Schedule
    zone: ZoneInfo
    recurrence: str
    window: str
    overdue: tuple[Verdict, ...]
    instants: tuple[FutureInstant, ...]
    more_excluded: bool
    work: tuple[Work, ...]
    unsigned: tuple[UpdateRow, ...]
    trouble: str


@dataclass(frozen=True, slots=True)
class ScheduleDetails:
    """All that the site knows of a schedule; `token` is None where no schedule token can say it."""

    schedule: Schedule
    options: ScheduleOptions
    token: str | None
    occurrences: tuple[Occurrence, ...]


def explain(site: Site, schedule_id: int, count: int = 10) -> Explanation:
    """Tell the next `count` instants that are run, the excluded ones between them, and the work.

    A schedule that is disabled is told as if it were not.
    """
    if not 0 < count <= MOST_INSTANTS:
        message = f"the number of instants is from 1 to {MOST_INSTANTS}"
        raise ScheduleError(message)
    now = site.now()
    trouble = ""
    work: list[Work] = []
    unsigned: list[UpdateRow] = []
    with site.reading() as session:
        schedule = schedule_of(session, schedule_id)
        plan = Plan.of(schedule)
        try:
            work = list(work_of(session, schedule, now))
            unsigned = unsigned_of(session, schedule, now)
        except WimdockError as error:
            trouble = error.message
    late = timedelta(minutes=site.settings.scheduler.late)
    instants, more = _instants(plan, now, count)
    return Explanation(
        schedule=schedule,
        zone=plan.zone,
        recurrence=plan.recurrence.describe(),
        window=plan.window.describe(),
        overdue=tuple(overdue(plan, schedule.next_due, now, late)),
        instants=tuple(instants),
        more_excluded=more,
        work=tuple(work),
        unsigned=tuple(unsigned),
        trouble=trouble,
    )


def left_out(site: Site, schedule_id: int) -> list[UpdateRow]:
    """Give the updates that a schedule's rule leaves out now, only for no catalog covers them."""
    with site.reading() as session:
        return unsigned_of(session, schedule_of(session, schedule_id), site.now())


def details_of(site: Site, schedule_id: int, occurrences: int = 10) -> ScheduleDetails:
    """Give what is known of a schedule, with the newest of its instants that are over."""
    with site.reading() as session:
        schedule = schedule_of(session, schedule_id)
        query = select(Occurrence).where(Occurrence.schedule_id == schedule_id)
        newest = query.order_by(Occurrence.instant.desc()).limit(occurrences)
        found = tuple(session.scalars(newest))
    plan = Plan.of(schedule)
    return ScheduleDetails(
        schedule=schedule,
        options=ScheduleOptions.from_document(schedule.options),
        token=as_tokens(plan.recurrence, plan.zone, schedule.created_at),
        occurrences=found,
    )


def _instants(plan: Plan, now: datetime, count: int) -> tuple[list[FutureInstant], bool]:
    found: list[FutureInstant] = []
    excluded = 0
    for instant in plan.recurrence.instants(now, plan.zone):
        refusal = plan.refusal(instant.at)
        if refusal and excluded == MOST_EXCLUDED:
            return found, True
        excluded += bool(refusal)
        local = instant.at.astimezone(plan.zone)
        found.append(FutureInstant(instant.at, local, refusal, instant.note))
        if len(found) - excluded == count:
            break
    return found, False
