"""The course of a run: how often a step is tried, who ends what, and by which clock it is late.

The children are stood in for: each does its step in this process, then ends as the test says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.site.conftest import SetClock
from tests.site.steps.conftest import UNSIGNED, Dock, dock
from wimdock.engine import course
from wimdock.engine.child import Children, Ending, Failure
from wimdock.engine.course import RunCourse
from wimdock.engine.port import Relinquished, RunKey
from wimdock.errors import LeaseLost
from wimdock.site.messages.history import history_of
from wimdock.site.messages.listing import MessageFilter, list_messages
from wimdock.site.messages.table import LEASE_LOST, RUN_FAILED, MessageKind
from wimdock.site.models import RunState, StepName, StepState
from wimdock.site.runs.queue import bury, claim, requeue
from wimdock.site.runs.watching import held_runs
from wimdock.site.steps.perform import perform

__all__ = ["dock"]

Make = Callable[[], Dock]

SUCCEEDED = Ending(0)
KILLED = Ending(-9)
REFUSED = Ending(LeaseLost.exit_code, Failure("LeaseLost", "it has another"))
FAULT = Ending(70, Failure("ValueError", "internal error: ValueError: a slip"))


class StandIn(Children):
    """Children that end as they are told: `does` says whether their step is done before."""

    def __init__(self, it: Dock, ending: Ending, *, does: bool = True) -> None:
        """Take how they end."""
        super().__init__()
        self._it = it
        self._end = ending
        self._does = does
        self.calls = 0

    async def call(self, _function: Callable[..., object], *arguments: Any) -> Ending:
        """Be a child."""
        self.calls += 1
        assert self.calls < 50, "it is tried without end"
        _, run_id, token, step = arguments
        if self._does:
            try:
                await asyncio.to_thread(perform, self._it.site, run_id, token, step)
            except LeaseLost:
                return REFUSED
        return self._end


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course, "_FIRST_PAUSE", 0.0)


def course_of(
    it: Dock, children: Children, monotonic: Callable[[], float] = lambda: 0.0
) -> RunCourse:
    return RunCourse(it.site, it.worker, children, lambda _key: True, lambda: None, monotonic)


def told(it: Dock, kind: MessageKind, run_id: int) -> int:
    return len(list_messages(it.site, MessageFilter(ids=(kind.id,), run_id=run_id)))


def test_an_end_that_cannot_be_recorded_ends_the_run_as_failed_and_frees_its_image(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slip(*_arguments: object) -> None:
        message = "a slip"
        raise ValueError(message)

    it = dock()
    run_id, second = it.new_run(), it.new_run()
    token = it.token(run_id)
    perform(it.site, run_id, token, StepName.PREFLIGHT)
    monkeypatch.setattr("wimdock.site.steps.abandoning.enqueue", slip)
    children = StandIn(it, FAULT, does=False)
    step = course_of(it, children).step(RunKey(run_id, 1), token, "record")
    assert asyncio.run(step) is False
    assert children.calls == 10
    run = it.run(run_id)
    assert (run.state, run.error["class"], run.step) == (
        RunState.FAILED,
        "RunError",
        StepName.RECORD,
    )
    assert "could not be recorded: internal error: ValueError: a slip" in run.error["message"]
    assert f"wimdock image reload {it.package_id}" in run.error["hint"]
    assert run.ended_at is not None
    assert told(it, RUN_FAILED, run_id) == 1
    assert "could not be recorded" in it.log
    assert history_of(it.site, it.package_id)[0].result == "failed"
    assert [each.run_id for each in claim(it.site, it.worker, 5)] == [second]


def test_what_a_step_failed_by_stays_the_error_of_its_run(dock: Make) -> None:
    it = dock()
    it.file.unlink()
    run_id = it.new_run()
    token = it.token(run_id)
    perform(it.site, run_id, token, StepName.PREFLIGHT)
    failed = it.steps(run_id)[StepName.PREFLIGHT].error
    step = course_of(it, StandIn(it, KILLED, does=False))
    asyncio.run(step.step(RunKey(run_id, 1), token, "record"))
    error = it.run(run_id).error
    assert error["class"] == failed["class"] != "RunError"
    assert error["message"].startswith(failed["message"])
    assert "its process was ended by SIGKILL" in error["message"]


def test_a_child_that_dies_after_it_put_its_run_back_was_not_too_late(dock: Make) -> None:
    it = dock()
    it.file.unlink()
    run_id = it.new_run(options=UNSIGNED | {"retries": 1})
    token = it.token(run_id)
    perform(it.site, run_id, token, StepName.PREFLIGHT)
    children = StandIn(it, KILLED)
    step = course_of(it, children).step(RunKey(run_id, 1), token, "record")
    assert asyncio.run(step) is True
    assert children.calls == 1
    assert (it.run(run_id).state, it.run(run_id).attempt) == (RunState.QUEUED, 2)
    assert told(it, LEASE_LOST, run_id) == 0


@pytest.mark.parametrize("is_dead", [True, False])
def test_only_a_worker_taken_for_dead_came_too_late(dock: Make, *, is_dead: bool) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    if is_dead:
        bury(it.site, it.worker)
    else:
        assert requeue(it.site, run_id, 1, it.worker)
    with pytest.raises(Relinquished):
        asyncio.run(
            course_of(it, StandIn(it, SUCCEEDED)).step(RunKey(run_id, 1), token, "preflight")
        )
    assert told(it, LEASE_LOST, run_id) == is_dead


def test_a_run_is_late_by_a_clock_that_never_jumps(dock: Make, clock: SetClock) -> None:
    it = dock()
    run_id = it.new_run(options=UNSIGNED | {"max_run_minutes": 90})
    key = RunKey(run_id, 1)
    steady = 1000.0
    one = course_of(it, StandIn(it, SUCCEEDED), lambda: steady)
    claim(it.site, it.worker, 1)
    assert one.seconds(key) == 0.0

    async def work() -> None:
        nonlocal steady
        token = await one.begin(key)
        assert token is not None
        await one.step(key, token, "preflight")
        [held] = held_runs(it.site, it.worker)
        clock.advance(days=400)
        steady += 90 * 60
        assert not held.must_end(one.seconds(key))
        await one.halted(key, token)
        assert it.run(run_id).state is RunState.RUNNING
        clock.advance(days=-800)
        steady += 1
        assert held.must_end(one.seconds(key))
        await one.halted(key, token)
        one.ended(key)

    asyncio.run(work())
    assert it.run(run_id).state is RunState.TIMED_OUT
    assert it.steps(run_id)[StepName.FETCH].state is StepState.FAILED
    assert one.seconds(key) == 0.0
