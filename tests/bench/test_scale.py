"""The simulation of a large site, small: a week, and what its check must find."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from bench.scale.__main__ import SMALL
from bench.scale.check import SimulationError, check
from bench.scale.report import report
from bench.scale.timeline import Timeline
from bench.scale.world import Size, World
from wimdock.site.database import SQLITE_NAME
from wimdock.site.models import History, Occurrence, OccurrenceOutcome, Run, RunState

QUIET = Size(packages=20, workers=4, days=4, group=2, troubles=1, outage=44, minutes=60)


def played(folder: Path, size: Size) -> World:
    world = World(folder / "site", size)
    try:
        world.play()
    except BaseException:
        world.close()
        raise
    return world


@pytest.mark.timeout(900)
def test_a_week_of_a_small_site_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    world = played(tmp_path, SMALL)
    try:
        checked = check(world)
        assert (len(world.schedules), world.size.workers) == (20, 20)
        assert checked.runs > 150
        assert checked.succeeded + checked.failed == checked.runs
        assert checked.missed == 1
        assert checked.attempts > checked.runs
        crowd = world.crowd
        assert min(crowd.deaths, crowd.pauses, crowd.burials, crowd.ledger.taken_over) > 10
        page = report(world, checked, seconds=1, machine="a machine")
        assert f"| runs | {checked.runs:,} |" in page
    finally:
        world.close()


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a small world that was played, for all tests that tamper with it."""
    world = played(tmp_path_factory.mktemp("quiet"), QUIET)
    yield world
    world.close()


@pytest.fixture
def world(quiet: World) -> Iterator[World]:
    """Give the world as it was played, whatever was done to it before."""
    kept, commits = sqlite3.connect(":memory:"), copy.deepcopy(quiet.crowd.files.commits)
    with closing(sqlite3.connect(quiet.site.folder / SQLITE_NAME)) as database:
        database.backup(kept)
    yield quiet
    quiet.crowd.files.commits = commits
    with closing(sqlite3.connect(quiet.site.folder / SQLITE_NAME)) as database, closing(kept):
        kept.backup(database)


def _lose_a_run(world: World) -> None:
    with world.site.writing() as session:
        run_id = session.scalar(select(Run.id).limit(1))
        session.execute(delete(Run).where(Run.id == run_id))


def _move_a_run(world: World) -> None:
    with world.site.writing() as session:
        run = session.scalars(select(Run).where(Run.instant.is_not(None)).limit(1)).one()
        assert run.instant is not None
        run.instant += timedelta(hours=1)


def _leave_a_run(world: World) -> None:
    with world.site.writing() as session:
        run_id = session.scalar(select(Run.id).limit(1))
        session.execute(update(Run).where(Run.id == run_id).values(state=RunState.RUNNING))


def _forget_history(world: World) -> None:
    with world.site.writing() as session:
        session.execute(delete(History))


def _forget_what_was_missed(world: World) -> None:
    with world.site.writing() as session:
        missed = Occurrence.outcome == OccurrenceOutcome.MISSED
        session.execute(delete(Occurrence).where(missed))


def _write_twice(world: World) -> None:
    each = next(iter(world.crowd.files.commits.values()))
    each.append(each[-1])


def _write_late(world: World) -> None:
    files = world.crowd.files.commits
    each = next(each for each in files.values() if len(each) > 1)
    each.reverse()


def _write_nothing(world: World) -> None:
    world.crowd.files.commits.popitem()


@pytest.mark.parametrize(
    "tamper,said",
    [
        (_lose_a_run, "lost"),
        (_move_a_run, "lost"),
        (_leave_a_run, "not ended"),
        (_forget_history, "in the history"),
        (_forget_what_was_missed, "missed and not recorded"),
        (_write_twice, "written twice"),
        (_write_late, "older token"),
        (_write_nothing, "succeeded and not written"),
    ],
)
def test_the_check_finds_what_must_never_be(
    world: World, tamper: Callable[[World], None], said: str
) -> None:
    check(world)
    tamper(world)
    with pytest.raises(SimulationError, match=said):
        check(world)


def test_time_passes_in_order() -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    timeline = Timeline(start)
    seen: list[Any] = []
    timeline.after(5, lambda: seen.append(("late", timeline.now())))
    timeline.after(1, lambda: timeline.after(1, lambda: seen.append(("soon", timeline.now()))))
    timeline.at(start - timedelta(days=1), lambda: seen.append(("past", timeline.now())))
    timeline.run(start + timedelta(seconds=5))
    assert seen == [("past", start), ("soon", start + timedelta(seconds=2))]
    assert timeline.monotonic() == 5
