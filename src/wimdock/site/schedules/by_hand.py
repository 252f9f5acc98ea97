"""Schedules as people ask for them: run now, and cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from wimdock.configmgr.image_servicing import ScheduleAction
from wimdock.errors import AlreadyRecorded, ScheduleError
from wimdock.site.messages import phases
from wimdock.site.messages.log import SiteLog
from wimdock.site.models import Occurrence, OccurrenceOutcome, Run, RunState
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.schedules.records import schedule_of
from wimdock.site.schedules.start import start_runs
from wimdock.site.site import Site

_TICK = timedelta(microseconds=1)


def run_now(site: Site, schedule_id: int) -> list[int]:
    """Make the runs of a schedule at once and give their IDs, whatever its window says.

    When it is due next stays as it is. ScheduleError where no image package is left.
    """
    with site.writing() as session:
        schedule = schedule_of(session, schedule_id, lock=True)
        instant = site.now()
        # A whole second may be an instant at which it is due, which must have its own runs.
        while (
            instant.microsecond == 0 or session.get(Occurrence, (schedule_id, instant)) is not None
        ):
            instant += _TICK
        runs = start_runs(session, site, schedule, instant)
        if not runs:
            message = f"the image packages of schedule {schedule_id} were all removed"
            raise ScheduleError(message, hint="Add another schedule, and remove this one.")
        session.add(
            Occurrence(
                schedule_id=schedule_id,
                instant=instant,
                outcome=OccurrenceOutcome.BY_HAND,
                at=site.now(),
                reason=f"asked for by {site.operator}",
            )
        )
        site.note(session, "schedule.run-now", str(schedule_id), runs=runs)
    with SiteLog(site) as log:
        phases.schedule_run_now(log, schedule_id, schedule.name)
        phases.schedules_marked(log, 1)
    return runs


def cancel_schedule(site: Site, schedule_id: int) -> list[int]:
    """Cancel the runs of a schedule that wait or are under way, and give their IDs.

    The schedule itself stays as it is: `disable_schedule` ends what is still to come.
    """
    with site.writing() as session:
        schedule = schedule_of(session, schedule_id, lock=True)
        schedule.sms_action = ScheduleAction.CANCEL.value
        site.note(session, "schedule.cancel", str(schedule_id))
        active = select(Run.id).where(
            Run.schedule_id == schedule_id, Run.state.in_((RunState.QUEUED, RunState.RUNNING))
        )
        runs = session.scalars(active.order_by(Run.id)).all()
    cancelled = []
    for run_id in runs:
        try:
            request_cancel(site, run_id)
        except AlreadyRecorded:  # it ended in this very moment
            continue
        cancelled.append(run_id)
    return cancelled


def runs_of(site: Site, run_ids: Sequence[int]) -> list[Run]:
    """Give runs by their IDs, as they are now."""
    with site.reading() as session:
        query = select(Run).where(Run.id.in_(run_ids)).order_by(Run.id)
        return list(session.scalars(query))
