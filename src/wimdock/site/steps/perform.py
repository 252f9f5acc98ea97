"""One step of a run, from its row in the database to its result there.

Every write asks whether the run still has its lease. What ends a step ends it in the database: the
process that does the step may be stopped at any moment, and the step is then simply begun again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import DatabaseUnavailable, LeaseLost, RunCancelled
from wimdock.events import Reporter
from wimdock.site.messages import phases
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.report import report
from wimdock.site.messages.table import RUN_STARTED
from wimdock.site.models import Run, Schedule, StatusMessageRow, Step, StepName, StepState
from wimdock.site.runs.failure import error_document
from wimdock.site.runs.lease import fenced
from wimdock.site.site import Site
from wimdock.site.steps import apply, distribute, export, fetch, plan, preflight, verify
from wimdock.site.steps.context import RunContext, StepFailedError, load_context
from wimdock.site.steps.ending import end_run
from wimdock.site.steps.events import EventRecorder
from wimdock.site.stored_text import storable

_STEPS: Mapping[StepName, Callable[[RunContext], dict[str, Any]]] = {
    StepName.PREFLIGHT: preflight.do,
    StepName.FETCH: fetch.do,
    StepName.PLAN: plan.do,
    StepName.APPLY: apply.do,
    StepName.VERIFY: verify.do,
    StepName.EXPORT: export.do,
    StepName.DISTRIBUTE: distribute.do,
}
_DONE = {StepState.SUCCEEDED, StepState.SKIPPED}


def perform(site: Site, run_id: int, token: int, step: StepName) -> None:
    """Do a step, unless it is done or an earlier one failed; its row tells how it ended.

    RECORD ends the run whatever happened. LeaseLost where another worker has the run now,
    DatabaseUnavailable where the step must be begun again later; what fails otherwise is kept in
    the row and not raised.
    """
    failed = _failed_step(site, run_id)
    if failed is not None and step is not StepName.RECORD:
        return
    with SiteLog(site, run_id=run_id) as log, EventRecorder(site, run_id) as recorder:
        row = _begin(site, run_id, token, step, log)
        if row is None:
            return
        reporter = Reporter(recorder)
        context = load_context(site, run_id, token, reporter, log, attempt=row.attempt)
        if step is StepName.RECORD:
            end_run(context, failed)
            return
        try:
            if context.run.cancel_requested_at is not None:
                message = f"run {run_id} was cancelled"
                raise RunCancelled(message)  # noqa: TRY301 - ends as any failing step does
            with reporter.step(step.value) as handle:
                result = _STEPS[step](context)
                handle.result = str(result.get("skipped", ""))
        except (LeaseLost, DatabaseUnavailable):
            raise  # nothing can or may be recorded: the step is begun again
        except StepFailedError as error:
            fail_step(site, run_id, token, step, error.error, error.result)
        except Exception as error:  # noqa: BLE001 - whatever it is ends the run and is kept
            fail_step(site, run_id, token, step, error)
        else:
            _finish(site, run_id, token, step, result)
        _tell(site, log, run_id, step)


def fail_step(
    site: Site,
    run_id: int,
    token: int,
    step: StepName,
    error: BaseException,
    result: Mapping[str, Any] | None = None,
) -> None:
    """Say that a step failed; for whoever stopped it too. LeaseLost where another has the run."""
    with fenced(site, run_id, token) as session:
        row = session.get(Step, (run_id, step)) or _new_row(site, run_id, token, step)
        row.state = StepState.FAILED
        row.ended_at = site.now()
        row.error = error_document(error)
        row.result = storable(dict(result or {}))
        session.add(row)


def step_state(site: Site, run_id: int, step: StepName) -> StepState | None:
    """Tell where a step is; None where it was never begun."""
    with site.reading() as session:
        return session.scalar(select(Step.state).where(Step.run_id == run_id, Step.name == step))


def _failed_step(site: Site, run_id: int) -> Step | None:
    query = select(Step).where(Step.run_id == run_id, Step.state == StepState.FAILED)
    with site.reading() as session:
        return session.scalars(query.order_by(Step.started_at)).first()


def _new_row(site: Site, run_id: int, token: int, step: StepName) -> Step:
    return Step(
        run_id=run_id,
        name=step,
        state=StepState.RUNNING,
        attempt=0,
        token=str(token),
        started_at=site.now(),
        result={},
        error={},
    )


def _begin(site: Site, run_id: int, token: int, step: StepName, log: SiteLog) -> Step | None:
    """Say that a step runs; None where it is done."""
    message: StatusMessageRow | None = None
    name = ""
    with fenced(site, run_id, token) as session:
        run = session.get_one(Run, run_id)
        row = session.get(Step, (run_id, step))
        if row is not None and row.state in _DONE:
            return None
        is_first = row is None and step is StepName.PREFLIGHT
        row = row or _new_row(site, run_id, token, step)
        row.state = StepState.RUNNING
        row.token = str(token)
        row.attempt += 1
        session.add(row)
        if step is not StepName.RECORD:
            run.step = step
        if is_first and run.schedule_id is not None:
            message = _started(site, session, run)
            schedule = session.get(Schedule, run.schedule_id)
            name = "" if schedule is None else schedule.name
    if is_first:
        phases.processing_started(log, run.schedule_id, name, attempt=run.attempt)
        if message is not None:
            log.status(message)
        phases.initialized(log)
    return row


def _started(site: Site, session: Session, run: Run) -> StatusMessageRow:
    return report(
        site,
        session,
        RUN_STARTED,
        run.schedule_id,
        run_id=run.id,
        schedule_id=run.schedule_id,
        package_id=run.package_id,
    )


def _finish(site: Site, run_id: int, token: int, step: StepName, result: Mapping[str, Any]) -> None:
    with fenced(site, run_id, token) as session:
        row = session.get_one(Step, (run_id, step))
        row.state = StepState.SKIPPED if "skipped" in result else StepState.SUCCEEDED
        row.ended_at = site.now()
        row.result = storable(dict(result))
        row.error = {}


def _tell(site: Site, log: SiteLog, run_id: int, step: StepName) -> None:
    with site.reading() as session:
        row = session.get_one(Step, (run_id, step))
    if row.ended_at is not None:
        seconds = max((row.ended_at - row.started_at).total_seconds(), 0.0)
        phases.step_ended(log, step.value, row.state.value, seconds)
