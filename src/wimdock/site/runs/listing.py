"""What is known of runs, read for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from wimdock.site.models import (
    Run,
    RunEvent,
    RunState,
    Step,
    StepName,
    UpdateResultRow,
    UpdateRow,
)
from wimdock.site.runs.record import run_of
from wimdock.site.site import Site

_ORDER = {name: number for number, name in enumerate(StepName)}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list: those that fit all that is given; the newest `last` of them."""

    states: tuple[RunState, ...] = ()
    package_id: str | None = None
    schedule_id: int | None = None
    last: int | None = 50


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with its steps in their order, the results of its updates, and their titles."""

    run: Run
    steps: Sequence[Step]
    results: Sequence[UpdateResultRow]
    titles: dict[int, str]


def list_runs(site: Site, wanted: RunFilter) -> Sequence[Run]:
    """Give runs, the newest first."""
    query = select(Run).order_by(Run.id.desc())
    if wanted.states:
        query = query.where(Run.state.in_(wanted.states))
    if wanted.package_id is not None:
        query = query.where(Run.package_id == wanted.package_id.upper())
    if wanted.schedule_id is not None:
        query = query.where(Run.schedule_id == wanted.schedule_id)
    if wanted.last is not None:
        query = query.limit(wanted.last)
    with site.reading() as session:
        return session.scalars(query).all()


def run_details(site: Site, run_id: int) -> RunDetails:
    """Give all of a run; NoSuchRecord where there is none."""
    with site.reading() as session:
        run = run_of(session, run_id)
        steps = session.scalars(select(Step).where(Step.run_id == run_id)).all()
        results = session.scalars(
            select(UpdateResultRow)
            .where(UpdateResultRow.run_id == run_id)
            .order_by(UpdateResultRow.index, UpdateResultRow.update_id)
        ).all()
        wanted = {*run.update_ids, *(each.update_id for each in results)}
        named = select(UpdateRow.id, UpdateRow.title).where(UpdateRow.id.in_(wanted))
        titles = {row.id: row.title for row in session.execute(named)}
    return RunDetails(run, sorted(steps, key=lambda each: _ORDER[each.name]), results, titles)


def run_events(site: Site, run_id: int) -> Sequence[RunEvent]:
    """Give the events of a run in order."""
    with site.reading() as session:
        run_of(session, run_id)
        return session.scalars(
            select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.id)
        ).all()
