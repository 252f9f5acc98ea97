"""Ending runs that no worker has begun, and closing the instants of schedules."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.errors import RunError
from wimdock.site.messages.history import remember
from wimdock.site.messages.report import report
from wimdock.site.messages.table import MessageKind
from wimdock.site.models import Run, RunState, Schedule, StatusMessageRow
from wimdock.site.notifications import enqueue, event_of
from wimdock.site.runs.failure import error_document, state_after
from wimdock.site.site import Site


def end_waiting(
    session: Session, site: Site, run: Run, error: RunError, kind: MessageKind, said: str
) -> StatusMessageRow:
    """End a run that has not begun as `error` says, and give the status message.

    `said` is the last insertion string of a message of `kind`; the others are run and package.
    """
    run.error = error_document(error)
    run.state = state_after(run.error)
    run.ended_at = site.now()
    close_schedule(session, run)
    remember(
        session,
        site,
        run.package_id,
        action="service",
        result=run.state.value,
        run_id=run.id,
        detail=error.message,
    )
    event = event_of(run.state)
    if event is not None:
        enqueue(session, site, event, run)
    return report(
        site,
        session,
        kind,
        run.id,
        run.package_id,
        said,
        run_id=run.id,
        schedule_id=run.schedule_id,
        package_id=run.package_id,
    )


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
