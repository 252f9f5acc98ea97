"""What a notification says: one JSON document, made when the run ends and never changed.

It is the body of a webhook, and a mail is written from it. It holds what a person needs to know
where to look, and nothing of the settings.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wimdock.clock import iso_utc
from wimdock.site.models import (
    ImagePackage,
    Run,
    Schedule,
    Step,
    StepName,
    StepState,
    UpdateResultRow,
)
from wimdock.site.notifications.event import NotificationEvent
from wimdock.site.site import Site
from wimdock.site.stored_text import storable

VERSION = 1
"""The version of the document; it grows when a member changes its meaning or goes."""

MOST_UPDATES = 20
"""So many updates that failed are named; the others are counted."""

_LONGEST_TEXT = 2000


def notice_of(
    session: Session, site: Site, event: NotificationEvent, run: Run | None
) -> dict[str, Any]:
    """Give the document; without a run it is a trial.

    Its `id` is the same in every try and belongs to no other: by it a receiver knows what it was
    told already.
    """
    notice: dict[str, Any] = {
        "wimdock": {"document": "notification", "version": VERSION},
        "id": str(uuid.uuid4()),
        "event": event.value,
        "time": _moment(site.now()),
        "site": {"code": site.code, "id": site.uuid},
        "image_package": None,
        "schedule": None,
        "run": None,
        "error": None,
        "updates": None,
        "commands": ["wimdock notification list"],
    }
    if run is not None:
        notice |= {
            "image_package": _package(session, run),
            "schedule": _schedule(session, run),
            "run": _run(run, _step(session, run)),
            "error": _error(run.error),
            "updates": _updates(session, run),
            "commands": [f"wimdock run show {run.id}", f"wimdock run log {run.id}"],
        }
    made: dict[str, Any] = storable(notice)
    return made


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso_utc(at)


def _package(session: Session, run: Run) -> dict[str, Any]:
    package = session.get(ImagePackage, run.package_id)
    return {"id": run.package_id, "name": "" if package is None else package.name}


def _schedule(session: Session, run: Run) -> dict[str, Any] | None:
    if run.schedule_id is None:
        return None
    schedule = session.get(Schedule, run.schedule_id)
    return {"id": run.schedule_id, "name": "" if schedule is None else schedule.name}


def _step(session: Session, run: Run) -> StepName | None:
    """Give the step that failed, else the one that the run is at."""
    failed = select(Step.name).where(Step.run_id == run.id, Step.state == StepState.FAILED)
    return session.scalars(failed.order_by(Step.started_at)).first() or run.step


def _run(run: Run, step: StepName | None) -> dict[str, Any]:
    return {
        "id": run.id,
        "attempt": run.attempt,
        "state": run.state.value,
        "step": None if step is None else step.value,
        "created": _moment(run.created_at),
        "created_by": run.created_by,
        "started": _moment(run.started_at),
        "ended": _moment(run.ended_at),
        "generation": run.generation,
        "added_bytes": run.added or 0,
        "retry_of": run.retry_of,
    }


def _error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    if not error:
        return None
    return {
        "type": str(error.get("class", "")),
        "message": str(error.get("message", ""))[:_LONGEST_TEXT],
        "what_to_do": str(error.get("hint") or "")[:_LONGEST_TEXT],
        "hresult": _code(error.get("hresult")),
        "win32": error.get("win32"),
        "exit_code": error.get("exit_code"),
    }


def _code(value: object) -> str | None:
    """Give an HRESULT as text, however it was kept."""
    if isinstance(value, int):
        return f"0x{value & 0xFFFFFFFF:08X}"
    return str(value) if value else None


def _updates(session: Session, run: Run) -> dict[str, Any]:
    outcomes = (
        select(UpdateResultRow.outcome, func.count())
        .where(UpdateResultRow.run_id == run.id)
        .group_by(UpdateResultRow.outcome)
    )
    failed = (
        select(UpdateResultRow)
        .where(UpdateResultRow.run_id == run.id, UpdateResultRow.outcome == "failed")
        .order_by(UpdateResultRow.index, UpdateResultRow.update_id)
        .limit(MOST_UPDATES)
    )
    return {
        "outcomes": {row[0]: row[1] for row in session.execute(outcomes)},
        "failed": [
            {
                "index": row.index,
                "package": row.package,
                "reason": row.reason[:_LONGEST_TEXT],
                "hresult": _code(row.hresult),
                "win32": row.win32,
            }
            for row in session.scalars(failed)
        ],
    }
