"""The tick: once a minute, by any number of processes, every due instant gets its runs, once.

Runs that no worker has begun before their window closed are recorded as missed.

Each due schedule is one transaction: its row is locked, its instants are judged, recorded under the
key of schedule and instant, the runs are made, and `next_due` moves on. A crash leaves a schedule
settled or due. A process that comes second finds `next_due` in the future, or the instants there.

A clock that jumps forward is a down-time: instants are run late or recorded as missed. A clock that
jumps back makes schedules due at their next instants by the new time; what was started is not
started again, what was recorded as missed in a time that had not come yet is judged anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, select, true, update
from sqlalchemy.orm import Session, selectinload

from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.errors import DatabaseUnavailable, WimdockError
from wimdock.site.messages.report import report
from wimdock.site.messages.table import INSTANT_MISSED, SCHEDULE_CHANGED
from wimdock.site.models import (
    Occurrence,
    OccurrenceOutcome,
    Schedule,
    SiteRow,
)
from wimdock.site.runs.missed import end_missed
from wimdock.site.schedules.due import DueInstants, Verdict, due_instants, judge
from wimdock.site.schedules.request import Plan
from wimdock.site.schedules.settled import STARTED, Settled, Tick, write_log
from wimdock.site.schedules.start import start_runs
from wimdock.site.site import Site
from wimdock.site.updates.memory import ChoiceMemory


def tick(site: Site) -> Tick:
    """Let every schedule that is due have its runs; nothing due costs one question.

    What fails for one schedule hinders no other: it is raised when the others have their runs.
    """
    now = site.now()
    late = timedelta(minutes=site.settings.scheduler.late)
    last, due = _due(site, now)
    went_back = last is not None and now < last - late
    if went_back:
        _go_back(site, now)
        _, due = _due(site, now)
    memory = ChoiceMemory()
    settled: list[Settled] = []
    failures: list[Exception] = []
    for each in due:
        try:
            found = _settle(site, each, now, late, memory)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - raised below, when the others are settled
            failures.append(error)
        else:
            settled += [found] if found is not None else []
    with site.writing() as session:
        session.execute(update(SiteRow).values(last_tick=now))
    if settled:
        write_log(site, settled)
    end_missed(site)
    if failures:
        raise failures[0]
    return Tick(now, tuple(settled), went_back)


def _due(site: Site, now: datetime) -> tuple[datetime | None, list[int]]:
    """Ask for the last tick and for the schedules that are due."""
    query = (
        select(SiteRow.last_tick, Schedule.id)
        .join_from(SiteRow, Schedule, and_(true(), Schedule.next_due <= now), isouter=True)
        .order_by(Schedule.next_due, Schedule.id)
    )
    with site.reading() as session:
        rows = session.execute(query).all()
    last = rows[0].last_tick if rows else None
    return last, [row.id for row in rows if row.id is not None]


def _settle(
    site: Site, schedule_id: int, now: datetime, late: timedelta, memory: ChoiceMemory
) -> Settled | None:
    """Settle one schedule; None where another process did so meanwhile."""
    with site.writing() as session:
        schedule = session.get(
            Schedule,
            schedule_id,
            options=[selectinload(Schedule.targets)],
            with_for_update=True,
        )
        if schedule is None or schedule.next_due is None or schedule.next_due > now:
            return None
        try:
            plan = Plan.of(schedule)
        except WimdockError as error:
            return _give_up(site, session, schedule, error, now)
        found = due_instants(plan, schedule.next_due, now)
        following = plan.next(now)
        schedule.next_due = None if following is None else following.at
        if found.instants:
            schedule.last_due = found.instants[-1].at
        verdicts = _verdicts(session, schedule, plan, found, now, late)
        return _record(site, session, schedule, verdicts, now, memory)


def _verdicts(
    session: Session,
    schedule: Schedule,
    plan: Plan,
    found: DueInstants,
    now: datetime,
    late: timedelta,
) -> list[Verdict]:
    """Judge the instants that have not been settled before."""
    if not found.instants:
        return []
    known = {
        row.instant: row
        for row in session.scalars(
            select(Occurrence).where(
                Occurrence.schedule_id == schedule.id,
                Occurrence.instant >= (found.skipped or found.instants[0].at),
                Occurrence.instant <= now,
            )
        )
    }
    # What a clock that was ahead recorded as missed has not come then: it is judged now.
    settled = {
        at
        for at, row in known.items()
        if row.outcome not in {OccurrenceOutcome.MISSED, OccurrenceOutcome.EXCLUDED}
        or row.at <= now + late
    }
    verdicts = judge(plan, [each for each in found.instants if each.at not in settled], now, late)
    verdicts = [each for each in found.unlisted() if each.at not in settled] + verdicts
    for verdict in verdicts:
        if verdict.at in known:
            session.delete(known[verdict.at])
    session.flush()
    return verdicts


def _record(
    site: Site,
    session: Session,
    schedule: Schedule,
    verdicts: list[Verdict],
    now: datetime,
    memory: ChoiceMemory,
) -> Settled:
    runs: list[int] = []
    kept: list[Verdict] = []
    for verdict in verdicts:
        done = verdict
        if verdict.outcome in STARTED:
            done, runs = _start(site, session, schedule, verdict, memory)
        kept.append(done)
    session.add_all(
        Occurrence(
            schedule_id=schedule.id,
            instant=verdict.at,
            outcome=verdict.outcome,
            at=now,
            reason=verdict.reason,
        )
        for verdict in kept
    )
    messages = [
        report(
            site,
            session,
            INSTANT_MISSED,
            schedule.id,
            verdict.at.isoformat(),
            verdict.reason,
            schedule_id=schedule.id,
        )
        for verdict in kept
        if verdict.outcome is OccurrenceOutcome.MISSED
    ]
    if not runs and schedule.next_due is not None:
        schedule.sms_state = ScheduleState.SCHEDULED.value
    session.flush()
    return Settled(schedule.id, schedule.name, tuple(kept), tuple(runs), tuple(messages))


def _start(
    site: Site, session: Session, schedule: Schedule, verdict: Verdict, memory: ChoiceMemory
) -> tuple[Verdict, list[int]]:
    begin_before = Plan.of(schedule).begin_before(verdict.at, site.now())
    try:
        with session.begin_nested():
            runs = start_runs(session, site, schedule, verdict.at, memory, begin_before)
    except DatabaseUnavailable:
        raise
    except WimdockError as error:  # an update that it names was retired: told, and not tried again
        return Verdict(verdict.at, OccurrenceOutcome.MISSED, error.message), []
    if not runs:
        reason = "all its image packages were removed"
        return Verdict(verdict.at, OccurrenceOutcome.EXCLUDED, reason), []
    return verdict, runs


def _give_up(
    site: Site, session: Session, schedule: Schedule, error: WimdockError, now: datetime
) -> Settled:
    """Switch off a schedule that cannot be read any more, and say so, so that others go on."""
    instant = schedule.next_due
    schedule.enabled = False
    schedule.next_due = None
    schedule.sms_state = ScheduleState.FAILED.value
    change = f"it is switched off, for {error.message}"
    said = report(site, session, SCHEDULE_CHANGED, schedule.id, change, schedule_id=schedule.id)
    verdicts: list[Verdict] = []
    if instant is not None and session.get(Occurrence, (schedule.id, instant)) is None:
        verdicts = [Verdict(instant, OccurrenceOutcome.MISSED, error.message)]
    settled = _record(site, session, schedule, verdicts, now, ChoiceMemory())
    return replace(settled, messages=(said, *settled.messages))


def _go_back(site: Site, now: datetime) -> None:
    """Make schedules due at their next instants by a clock that was set back."""
    with site.reading() as session:
        query = select(Schedule).where(Schedule.enabled, Schedule.removed_at.is_(None))
        found = session.scalars(query.order_by(Schedule.id)).all()
    for schedule_id in [each.id for each in found if _earlier(each, now) is not None]:
        with site.writing() as session:
            schedule = session.get(Schedule, schedule_id, with_for_update=True)
            if schedule is not None and schedule.enabled:
                schedule.next_due = _earlier(schedule, now) or schedule.next_due


def _earlier(schedule: Schedule, now: datetime) -> datetime | None:
    """Give when a schedule is due by the new time, where that is earlier than is recorded."""
    try:
        following = Plan.of(schedule).next(now)
    except WimdockError:  # told when it is due
        return None
    if following is None or (schedule.next_due and following.at >= schedule.next_due):
        return None
    return following.at
