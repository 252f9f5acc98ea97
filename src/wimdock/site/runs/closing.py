"""Closing a schedule's instant, when the last of its runs has ended."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.site.models import Run, RunState, Schedule


def close_schedule(session: Session, run: Run) -> None:
    """Say how the instant of a run that has ended did, if no other run of it goes on."""
    if run.schedule_id is None:
        return
    schedule = session.get(Schedule, run.schedule_id, with_for_update=True)
    if schedule is None:
        return
    others = session.scalars(
        select(Run.state)
        .where(Run.schedule_id == schedule.id, Run.instant == run.instant, Run.id != run.id)
        .distinct()
    ).all()
    states = {run.state, *others}
    if all(each.ended for each in states):
        good = states == {RunState.SUCCEEDED}
        schedule.sms_state = (ScheduleState.SUCCEEDED if good else ScheduleState.FAILED).value
