"""Record: how the run ended, in one transaction with the release of its lease.

Idempotent by the lease: once the transaction is done the token is void, and a second recording is
refused by the fence.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from wimdock.errors import DatabaseUnavailable, WimdockError
from wimdock.files import Disk
from wimdock.servicing.replacement import serviced_copy
from wimdock.site.images.reading import record_commit
from wimdock.site.messages import phases
from wimdock.site.messages import table as messages
from wimdock.site.messages.history import remember
from wimdock.site.messages.report import report
from wimdock.site.models import (
    Lease,
    Run,
    RunState,
    StatusMessageRow,
    Step,
    StepName,
    StepState,
)
from wimdock.site.notifications import enqueue, event_of
from wimdock.site.runs.closing import close_schedule
from wimdock.site.runs.failure import code_in_words, may_pass
from wimdock.site.runs.lease import fenced, release
from wimdock.site.steps.context import RunContext
from wimdock.site.steps.results import report_failures, store_results
from wimdock.site.steps.verdict import Ending, has_written, judge
from wimdock.wim.tail import cut_tail

_LONGEST_BACKOFF = timedelta(days=1)


def end_run(context: RunContext, failed: Step | None) -> None:
    """Record the end of the attempt, or put the run back to be tried again."""
    ending = judge(context, failed)
    trouble = _tidy(context, ending)
    trouble = ending.unknown or trouble
    if trouble:
        ending = replace(ending, detail=f"{ending.detail}; {trouble}")
    with fenced(context.site, context.run.id, context.token) as session:
        run = session.get_one(Run, context.run.id, populate_existing=True)
        store_results(session, context.site, run.id, ending.results)
        not_before = _next_try(context, run, ending)
        if not_before is not None and run.begin_before and not_before >= run.begin_before:
            closed = "its window closes before it could be tried again"
            ending = replace(ending, detail=f"{ending.detail}; {closed}")
            not_before = None
        release(session, Lease.run_id == run.id)
        if not_before is not None:
            message = _retry(session, context, run, ending, not_before)
        else:
            failures = report_failures(session, context.site, run, ending.results)
            message = _end(session, context, run, ending)
    if not_before is not None:
        context.log.status(message)
        return
    for failure in failures:
        context.log.status(failure)
    if ending.made is not None:
        phases.committed(context.log, ending.made.number, ending.made.added)
    elif not ending.unknown:
        phases.left_as_it_was(context.log)
    phases.run_ended(
        context.log,
        message,
        context.package.id,
        succeeded=ending.state is RunState.SUCCEEDED,
        schedule=context.run.schedule_id is not None,
        remedy=str(ending.error.get("hint", "")),
    )


def _tidy(context: RunContext, ending: Ending) -> str:
    """Read the file anew, or cut off what a stopped writer left; tell what is in the way."""
    try:
        if ending.made is None and has_written(context):
            with serviced_copy(context.file, Disk()):
                pass  # a copy that was not kept is taken away
            cut_tail(context.file)
        if context.results.get(StepName.APPLY, {}).get("generation") is not None or ending.made:
            record_commit(context.site, context.package.id)
    except DatabaseUnavailable:
        raise  # the record is made when it is back
    except WimdockError as error:
        return str(error)
    return ""


def _next_try(context: RunContext, run: Run, ending: Ending) -> datetime | None:
    """Say when the run may be tried again; None where it may not."""
    if not _may_retry(run, ending):
        return None
    pause = timedelta(seconds=float(run.options.get("backoff", 60)) * 2**run.failures)
    return context.site.now() + min(pause, _LONGEST_BACKOFF)


def _may_retry(run: Run, ending: Ending) -> bool:
    return (
        ending.state in {RunState.FAILED, RunState.LOCKED}
        and ending.made is None
        and may_pass(ending.error)
        and run.failures < int(run.options.get("retries", 0))
        and run.cancel_requested_at is None
    )


def _retry(
    session: Session, context: RunContext, run: Run, ending: Ending, not_before: datetime
) -> StatusMessageRow:
    run.state = RunState.QUEUED
    run.attempt += 1
    run.failures += 1
    run.not_before = not_before
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
        not_before.isoformat(),
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
    if ending.made is not None:
        run.generation = ending.made.number
        run.added = ending.made.added
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
    close_schedule(session, run)
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
            code = code_in_words(ending.error.get("hresult"))
            return messages.RUN_FAILED, (run.id, run.package_id, ending.detail, code)
