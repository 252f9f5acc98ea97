"""A run by its number."""

from __future__ import annotations

from sqlalchemy.orm import Session

from wimdock.errors import NoSuchRecord
from wimdock.site.models import Run


def run_of(session: Session, run_id: int, *, lock: bool = False) -> Run:
    """Give a run, or raise NoSuchRecord."""
    run = session.get(Run, run_id, with_for_update=lock or None)
    if run is None:
        message = f"there is no run {run_id}"
        raise NoSuchRecord(message, hint="`wimdock run list` shows the runs.")
    return run
