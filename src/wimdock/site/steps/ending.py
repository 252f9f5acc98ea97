"""Record: how the run ended, in one transaction with the release of its lease.

What the file holds decides, not what the worker knew: a run that has committed has succeeded,
though it was cancelled, timed out or lost its worker right after. Idempotent by the lease: once the
transaction is done the token is void, and a second recording is refused by the fence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.errors import DatabaseUnavailable, WimdockError
from wimdock.servicing.outcome import Outcome
from wimdock.site.images import record_commit
from wimdock.site.messages import phases
from wimdock.site.messages import table as messages
from wimdock.site.messages.history import remember
from wimdock.site.messages.report import report
from wimdock.site.models import (
    Lease,
    Run,
    RunState,
    Schedule,
    StatusMessageRow,
    Step,
    StepName,
    StepState,
)
from wimdock.site.notifications import enqueue, event_of
from wimdock.site.runs.lease import fenced, release
from wimdock.site.steps.apply import committed_generation
from wimdock.site.steps.context import RunContext
from wimdock.site.steps.failure import error_document, error_in, may_pass, state_after
from wimdock.site.steps.results import store_results
from wimdock.wim.generations import Generation
from wimdock.wim.tail import cut_tail

_STOPPED = {RunState.CANCELLED, RunState.TIMED_OUT}
_LONGEST_BACKOFF = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `error` is empty where nothing failed."""

    state: RunState
    error: dict[str, Any]
    results: list[dict[str, Any]]
    generation: Generation | None
    detail: str


def end_run(context: RunContext, failed: Step | None) -> None:
    """Record the end of the attempt, or put the run back to be tried again."""
    made = _made(context)
    ending = _ending(context, failed, made)
    trouble = _tidy(context, made)
    if trouble:
        ending = Ending(
            ending.state, ending.error, ending.results, made, f"{ending.detail}; {trouble}"
        )
    with fenced(context.site, context.run.id, context.token) as session:
        run = session.get_one(Run, context.run.id, populate_existing=True)
        store_results(session, context.site, run.id, ending.results)
        again = _may_retry(run, ending)
        release(session, Lease.run_id == run.id)
        if again:
            message = _retry(session, context, run, ending)
        else:
            message = _end(session, context, run, ending)
    if again:
        context.log.status(message)
        return
    if ending.generation is None:
        phases.left_as_it_was(context.log)
    else:
        phases.committed(context.log, ending.generation.number, ending.generation.added)
    phases.run_ended(
        context.log,
        message,
        context.package.id,
        succeeded=ending.state is RunState.SUCCEEDED,
        schedule=context.run.schedule_id is not None,
        remedy=str(ending.error.get("hint", "")),
    )


def _made(context: RunContext) -> Generation | None:
    try:
        return committed_generation(context)
    except WimdockError:  # the file is away or broken: then the failed step says so
        return None


def _ending(context: RunContext, failed: Step | None, made: Generation | None) -> Ending:
    planned = context.results.get(StepName.PLAN, {}).get("results", [])
    applied = context.results.get(StepName.APPLY, {}).get("results", [])
    results = planned
    if made is not None:
        results = applied or [_installed(each) for each in planned]
    elif failed is None:
        results = applied or planned
    if failed is not None:
        state = state_after(failed.error)
        if made is None or state not in _STOPPED:
            return Ending(state, failed.error, results, made, str(failed.error.get("message", "")))
        detail = f"it had committed when it was {state.value}"
        return Ending(RunState.SUCCEEDED, {}, results, made, detail)
    broken = [each for each in results if each["outcome"] == Outcome.FAILED.value]
    if broken:
        error = _left_out(broken, len(results))
        return Ending(RunState.FAILED, error, results, made, str(error["message"]))
    installed = sum(each["outcome"] == Outcome.INSTALLED.value for each in results)
    detail = f"{installed} installed" if installed else "nothing to do"
    return Ending(RunState.SUCCEEDED, {}, results, made, detail)


def _installed(planned: dict[str, Any]) -> dict[str, Any]:
    if planned["outcome"] != Outcome.PLANNED.value:
        return planned
    return planned | {"outcome": Outcome.INSTALLED.value}


def _left_out(broken: list[dict[str, Any]], count: int) -> dict[str, Any]:
    """Give the error of a run that went on without some updates: it is no success."""
    first = broken[0]
    return error_document(
        error_in(
            {
                "class": "PackageError",
                "message": f"{len(broken)} of {count} failed, first: {first['reason']}",
                "hint": "`wimdock run show RUN` lists what became of each update.",
                "hresult": first["hresult"],
            }
        )
    )


def _tidy(context: RunContext, made: Generation | None) -> str:
    """Read the file anew, or cut off what a stopped writer left; tell what is in the way."""
    try:
        if made is not None:
            record_commit(context.site, context.package.id, context.run.id)
        elif context.run.step not in {None, StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN}:
            cut_tail(context.file)
    except DatabaseUnavailable:
        raise  # the record is made when it is back
    except WimdockError as error:
        return str(error)
    return ""


def _may_retry(run: Run, ending: Ending) -> bool:
    return (
        ending.state in {RunState.FAILED, RunState.LOCKED}
        and ending.generation is None
        and may_pass(ending.error)
        and run.failures < int(run.options.get("retries", 0))
        and run.cancel_requested_at is None
    )


def _retry(session: Session, context: RunContext, run: Run, ending: Ending) -> StatusMessageRow:
    pause = timedelta(seconds=float(run.options.get("backoff", 60)) * 2**run.failures)
    run.state = RunState.QUEUED
    run.attempt += 1
    run.failures += 1
    run.not_before = context.site.now() + min(pause, _LONGEST_BACKOFF)
    run.worker_id = None
    run.step = None
    run.error = ending.error
    session.execute(delete(Step).where(Step.run_id == run.id))
    return report(
        context.site,
        session,
        messages.RUN_RETRIED,
        run.id,
        run.package_id,
        run.not_before.isoformat(),
        ending.detail,
        run_id=run.id,
        schedule_id=run.schedule_id,
        package_id=run.package_id,
    )


def _end(session: Session, context: RunContext, run: Run, ending: Ending) -> StatusMessageRow:
    now = context.site.now()
    run.state = ending.state
    run.ended_at = now
    run.error = ending.error
    run.step = StepName.RECORD
    if ending.generation is not None:
        run.generation = ending.generation.number
        run.added = ending.generation.added
    session.merge(
        Step(
            run_id=run.id,
            name=StepName.RECORD,
            state=StepState.SUCCEEDED,
            attempt=context.attempt,
            token=str(context.token),
            started_at=now,
            ended_at=now,
            result={"state": ending.state.value},
            error={},
        )
    )
    _remember(session, context, run, ending)
    _close_schedule(session, run, ending.state)
    event = event_of(ending.state)
    if event is not None:
        enqueue(session, context.site, event, run)
    kind, strings = _message(run, ending)
    return report(
        context.site,
        session,
        kind,
        *strings,
        run_id=run.id,
        schedule_id=run.schedule_id,
        package_id=run.package_id,
    )


def _remember(session: Session, context: RunContext, run: Run, ending: Ending) -> None:
    titles = {update.id: update.title for update in context.updates}
    began = run.started_at or run.created_at
    remember(
        session,
        context.site,
        run.package_id,
        action="service",
        result=ending.state.value,
        generation=run.generation,
        run_id=run.id,
        seconds=max((context.site.now() - began).total_seconds(), 0.0),
        updates=[
            {
                "id": each["update"],
                "index": each["index"],
                "title": titles.get(each["update"], each["package"]),
                "result": each["outcome"],
            }
            for each in ending.results
        ],
        detail=ending.detail,
        operator=run.created_by,
    )


def _close_schedule(session: Session, run: Run, state: RunState) -> None:
    """Say how a schedule's instant ended, when the last of its runs has."""
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
    states = {state, *others}
    if all(each.ended for each in states):
        good = states == {RunState.SUCCEEDED}
        schedule.sms_state = (ScheduleState.SUCCEEDED if good else ScheduleState.FAILED).value


def _message(run: Run, ending: Ending) -> tuple[messages.MessageKind, tuple[object, ...]]:
    match ending.state:
        case RunState.SUCCEEDED:
            return messages.RUN_SUCCEEDED, (run.id, run.package_id, ending.detail)
        case RunState.CANCELLED:
            return messages.RUN_CANCELLED, (run.id, run.package_id, run.cancelled_by or "?")
        case RunState.TIMED_OUT:
            minutes = run.options.get("max_run_minutes", "?")
            return messages.RUN_TIMED_OUT, (run.id, run.package_id, minutes)
        case RunState.LOCKED:
            return messages.IMAGE_LOCKED, (run.id, run.package_id, ending.detail)
        case RunState.REFUSED:
            return messages.RUN_REFUSED, (run.id, run.package_id, ending.detail)
        case _:
            hresult = ending.error.get("hresult")
            code = "no code" if hresult is None else f"0x{hresult:08X}"
            return messages.RUN_FAILED, (run.id, run.package_id, ending.detail, code)
