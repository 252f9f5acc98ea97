"""Cancelling runs and making them anew, as people ask."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, RunCancelled
from wimdock.site.images.records import package_of
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.table import RUN_CANCELLED
from wimdock.site.models import Run, RunState, Schedule, Step, StepName
from wimdock.site.runs.closing import end_waiting
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.runs.record import run_of
from wimdock.site.site import Site


def request_cancel(site: Site, run_id: int) -> Run:
    """Cancel a run: at once where it waits, else its worker stops it within seconds.

    One that waits after a worker has begun to write the file is ended by the next worker, which
    looks whether it has committed. AlreadyRecorded where the run has ended. Cancelling twice is
    cancelling once.
    """
    message = None
    with site.writing() as session:
        run = run_of(session, run_id, lock=True)
        _check_goes_on(run)
        if run.cancel_requested_at is None:
            run.cancel_requested_at = site.now()
            run.cancelled_by = site.operator
            site.note(session, "run.cancel", str(run_id))
        if run.state is RunState.QUEUED and _has_written(session, run):
            run.not_before = None
        elif run.state is RunState.QUEUED:
            error = RunCancelled(f"run {run_id} was cancelled while it waited")
            message = end_waiting(session, site, run, error, RUN_CANCELLED, site.operator)
    if message is not None:
        with SiteLog(site, run_id=run_id) as log:
            log.status(message)
    return run


def cancel_runs(site: Site, run_ids: Iterable[int]) -> list[Run]:
    """Cancel several runs; where one is not there or has ended, none is."""
    wanted = list(dict.fromkeys(run_ids))
    with site.reading() as session:
        for run_id in wanted:
            _check_goes_on(run_of(session, run_id))
    return [request_cancel(site, run_id) for run_id in wanted]


def _check_goes_on(run: Run) -> None:
    if run.state.ended:
        text = f"run {run.id} has ended: {run.state.value}"
        raise AlreadyRecorded(text, hint="There is nothing to cancel.")


def _has_written(session: Session, run: Run) -> bool:
    """Tell whether a worker may have changed the file for this run."""
    return session.get(Step, (run.id, StepName.APPLY)) is not None


def retry_run(site: Site, run_id: int) -> Run:
    """Make a run that does again what an ended one was to do; AlreadyRecorded where it goes on.

    It may begin at once, whatever the window of its schedule says.
    """
    with site.writing() as session:
        old = run_of(session, run_id, lock=True)
        if not old.state.ended:
            text = f"run {run_id} has not ended: {old.state.value}"
            raise AlreadyRecorded(text, hint="Cancel it first: wimdock run cancel.")
        package = package_of(session, old.package_id, lock=True)
        schedule = None if old.schedule_id is None else session.get(Schedule, old.schedule_id)
        request = RunRequest(
            package=package,
            update_ids=old.update_ids,
            schedule=schedule,
            instant=site.now(),
            indexes=old.indexes,
            options=old.options,
            queue=old.queue,
            priority=old.priority,
            retry_of=old.id,
        )
        run = create_run(session, site, request)
        if run is None:
            text = f"run {run_id} was tried again just now"
            raise AlreadyRecorded(text, hint="`wimdock run list` shows the new run.")
        site.note(session, "run.retry", str(run_id), run=run.id)
    return run
