"""How long runs took: a histogram that the database counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, case, cast, extract, func, select
from sqlalchemy.orm import Session

from wimdock.site.metrics.catalogue import SECONDS_OF_RUNS
from wimdock.site.models import Run, RunState
from wimdock.site.site import Site

_SECONDS_OF_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Durations:
    """Runs that ended alike: how many took at most each of the bounds, all, and their sum."""

    state: str
    at_most: tuple[int, ...]
    count: int
    seconds: float


def run_durations(session: Session, site: Site) -> list[Durations]:
    """Give the durations by how runs ended; a way in which none did has none."""
    took = _took(site)
    buckets = [func.sum(case((took <= bound, 1), else_=0)) for bound in SECONDS_OF_RUNS]
    asked = (
        select(Run.state, func.count(), func.sum(took), *buckets)
        .where(
            Run.state.in_([state for state in RunState if state.ended]),
            Run.started_at.is_not(None),
            Run.ended_at.is_not(None),
        )
        .group_by(Run.state)
        .order_by(Run.state)
    )
    return [
        Durations(state.value, tuple(map(int, at_most)), count, max(float(seconds), 0.0))
        for state, count, seconds, *at_most in session.execute(asked)
    ]


def _took(site: Site) -> ColumnElement[Any]:
    if site.database.is_sqlite:
        days = func.julianday(Run.ended_at) - func.julianday(Run.started_at)
        return cast(days * _SECONDS_OF_DAY, Float)
    return cast(extract("epoch", Run.ended_at - Run.started_at), Float)
