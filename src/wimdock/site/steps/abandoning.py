"""A run whose end cannot be recorded as it was: it ends as failed, so that its image is free again.

Only the database is asked, and nothing that the end of a run depends on: whatever stands in the way
of the record, a file or a fault of wimdock, is not met again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import DatabaseUnavailable, RunError
from wimdock.site.messages.history import remember
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.report import report
from wimdock.site.messages.table import RUN_FAILED
from wimdock.site.models import Lease, Run, RunState, Step, StepName, StepState
from wimdock.site.notifications import enqueue, event_of
from wimdock.site.runs.closing import close_schedule
from wimdock.site.runs.failure import code_in_words, error_document
from wimdock.site.runs.lease import fenced, release
from wimdock.site.site import Site


def abandon_run(site: Site, run_id: int, token: int, why: str) -> None:
    """End a run as failed and free its lease; LeaseLost where another worker has it.

    What a step of it failed by stays its error, with `why` behind it. Its schedule, history and
    notifications hear of it as far as they can.
    """
    with fenced(site, run_id, token) as session:
        run = session.get_one(Run, run_id)
        run.error = _error(session, run, why)
        run.state = RunState.FAILED
        run.step = StepName.RECORD
        run.ended_at = site.now()
        release(session, Lease.run_id == run_id)
        row = session.get(Step, (run_id, StepName.RECORD))
        if row is not None:
            row.state = StepState.FAILED
            row.ended_at = run.ended_at
            row.error = run.error
        _if_possible(session, lambda: close_schedule(session, run))
        _if_possible(session, lambda: _remember(session, site, run))
        _if_possible(session, lambda: _notify(session, site, run))
        message = report(
            site,
            session,
            RUN_FAILED,
            run_id,
            run.package_id,
            run.error["message"],
            code_in_words(run.error["hresult"]),
            run_id=run_id,
            schedule_id=run.schedule_id,
            package_id=run.package_id,
        )
    with SiteLog(site, run_id=run_id) as log:
        log.status(message)


def _error(session: Session, run: Run, why: str) -> dict[str, Any]:
    hint = (
        f"Whether it has committed is not known: `wimdock image reload {run.package_id}` reads the "
        f"file anew, then `wimdock image show {run.package_id}` tells what it holds."
    )
    error = error_document(RunError(f"its end could not be recorded: {why}", hint=hint))
    failed = select(Step).where(Step.run_id == run.id, Step.state == StepState.FAILED)
    first = session.scalars(failed.order_by(Step.started_at)).first()
    if first is None:
        return error
    message = f"{first.error['message']}; {error['message']}"
    return first.error | {"message": message, "hint": f"{first.error['hint']} {hint}".strip()}


def _if_possible(session: Session, work: Callable[[], object]) -> None:
    """Do what may have been in the way of the record itself; undo it where it fails again."""
    try:
        with session.begin_nested():
            work()
    except DatabaseUnavailable:
        raise
    except Exception:  # noqa: BLE001, S110 - the run ends all the same, and says why
        pass


def _remember(session: Session, site: Site, run: Run) -> None:
    began = run.started_at or run.created_at
    remember(
        session,
        site,
        run.package_id,
        action="service",
        result=run.state.value,
        run_id=run.id,
        seconds=max((site.now() - began).total_seconds(), 0.0),
        detail=run.error["message"],
        operator=run.created_by,
    )


def _notify(session: Session, site: Site, run: Run) -> None:
    event = event_of(run.state)
    if event is not None:
        enqueue(session, site, event, run)
