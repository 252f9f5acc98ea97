"""What the simulation must show: every due instant made each of its runs once, and each ended once.

When schedules are due is taken from the arithmetic of `bench.scale.fleet`, not from the scheduler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select

from bench.scale.fleet import Planned
from bench.scale.world import START, World
from wimdock.site.models import History, Occurrence, OccurrenceOutcome, Run, RunState

_SETTLED = {OccurrenceOutcome.STARTED, OccurrenceOutcome.STARTED_LATE}
_SHOWN = 5


class SimulationError(Exception):
    """The simulation showed what must never be."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must have become of a schedule's instants."""

    run: frozenset[datetime]
    missed: frozenset[datetime]


@dataclass(frozen=True, slots=True)
class Checked:
    """How it went."""

    runs: int
    succeeded: int
    failed: int
    missed: int
    attempts: int
    longest_wait: timedelta


def expected(world: World, schedule: Planned) -> Expected:
    """Say which instants must be run, and which missed for no scheduler ran."""
    first, last = world.outage
    due = set(schedule.instants(START, world.end))
    dark = {at for at in due if first <= at < last}
    # The newest is made up for at the end of the outage, unless that lies beyond the simulation.
    late = {max(dark)} if dark and last <= world.end else set()
    return Expected(frozenset(due - dark | late), frozenset(dark - late))


def check(world: World) -> Checked:
    """Compare; SimulationError where anything was done twice or lost."""
    with world.site.reading() as session:
        query = select(
            Run.id,
            Run.schedule_id,
            Run.package_id,
            Run.instant,
            Run.state,
            Run.attempt,
            Run.created_at,
            Run.ended_at,
        )
        runs = session.execute(query).all()
        rows = session.execute(
            select(Occurrence.schedule_id, Occurrence.instant, Occurrence.outcome)
        ).all()
        history = Counter(session.scalars(select(History.run_id)))
        count = session.scalar(select(func.count()).select_from(Run))
    made = Counter((run.schedule_id, run.package_id, run.instant) for run in runs)
    wanted = {
        (each.id, package, at)
        for each in world.schedules
        for at in expected(world, each).run
        for package in each.packages
    }
    missed = {(each.id, at) for each in world.schedules for at in expected(world, each).missed}
    _none("made twice", [key for key, times in made.items() if times > 1])
    _none("lost", wanted - made.keys())
    _none("made though nothing was due", made.keys() - wanted)
    told = {(row.schedule_id, row.instant) for row in rows if row.outcome not in _SETTLED}
    _none("missed and not recorded", missed - told)
    _none("recorded as missed and due", told - missed)
    _none("not ended", [run.id for run in runs if not run.state.ended])
    _none("not once in the history", [run.id for run in runs if history[run.id] != 1])
    if count != world.runs_made:
        message = f"{world.runs_made} runs were told of, {count} were made"
        raise SimulationError(message)
    _check_files(world, {run.id: run.state for run in runs})
    ended = Counter(run.state for run in runs)
    return Checked(
        runs=len(runs),
        succeeded=ended[RunState.SUCCEEDED],
        failed=ended[RunState.FAILED],
        missed=len(missed),
        attempts=sum(run.attempt for run in runs),
        longest_wait=max((run.ended_at - run.created_at for run in runs), default=timedelta()),
    )


def _check_files(world: World, states: dict[int, RunState]) -> None:
    """Every run that succeeded wrote its file once, no other wrote it, and tokens only grew."""
    commits = world.crowd.files.commits
    written = Counter(run_id for each in commits.values() for run_id, _ in each)
    good = {run_id for run_id, state in states.items() if state is RunState.SUCCEEDED}
    _none("written twice", [run_id for run_id, times in written.items() if times > 1])
    _none("succeeded and not written", good - written.keys())
    _none("written and not succeeded", written.keys() - good)
    for package_id, each in commits.items():
        tokens = [token for _, token in each]
        if any(late <= early for early, late in pairwise(tokens)):
            message = f"{package_id} was written by an older token after a newer one: {tokens}"
            raise SimulationError(message)


def _none(what: str, found: Iterable[object]) -> None:
    wrong = list(found)
    if wrong:
        message = f"{len(wrong)} {what}, such as {wrong[:_SHOWN]}"
        raise SimulationError(message)
