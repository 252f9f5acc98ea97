"""Real runs and what the doctor finds of them in the site's log."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

import pytest

from tests.site.conftest import SetClock
from tests.site.steps.conftest import UNSIGNED, Dock
from wimdock.doctor.examination import Examination, examine
from wimdock.doctor.finding import Finding
from wimdock.doctor.rules import load_rules
from wimdock.errors import RunTimedOut
from wimdock.site.models import RunState, StepName
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.steps.perform import fail_step, perform

Make = Callable[[], Dock]
RULES = load_rules()


@pytest.fixture
def database_url() -> None:
    """Give SQLite: the log is the same on all."""


def examined(it: Dock) -> Examination:
    return examine([it.site.logs], RULES)


def finding(it: Dock) -> Finding:
    (only,) = examined(it).findings
    assert only.by_wimdock
    assert only.rule is None
    assert only.incident.package == it.package_id
    return only


def test_nothing_is_found_of_one_that_succeeded(dock: Make) -> None:
    it = dock()
    assert it.execute(it.new_run()).state is RunState.SUCCEEDED
    found = examined(it)
    assert found.findings == ()
    assert found.gathered.counts["images success"] == 1


def test_a_failure_is_found_with_what_wimdock_advises(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run(options={}))
    found = finding(it)
    assert found.title == "A run of wimdock failed"
    assert found.codes == (0x800B0100,)
    assert run.error["message"] in found.what_happened
    assert [each.text for each in found.advice] == [run.error["hint"]]
    assert found.incident.image == str(it.file)
    assert found.since_succeeded is None
    it.execute(it.new_run())
    assert finding(it).since_succeeded is not None


def test_a_lock_a_cancel_and_a_time_out_are_found_as_such(dock: Make) -> None:
    it = dock()
    fd = os.open(it.file, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        locked = it.execute(it.new_run())
    finally:
        os.close(fd)
    cancelled, late = it.new_run(), 0
    token = it.token(cancelled)
    perform(it.site, cancelled, token, StepName.PREFLIGHT)
    request_cancel(it.site, cancelled)
    for step in list(StepName)[1:]:
        perform(it.site, cancelled, token, step)
    late = it.new_run(options=UNSIGNED | {"max_run_minutes": 90})
    token = it.token(late)
    perform(it.site, late, token, StepName.PREFLIGHT)
    fail_step(it.site, late, token, StepName.FETCH, RunTimedOut("too long"))
    perform(it.site, late, token, StepName.RECORD)
    states = [it.run(each).state for each in (locked.id, cancelled, late)]
    assert states == [RunState.LOCKED, RunState.CANCELLED, RunState.TIMED_OUT]
    found = examined(it).findings
    assert [each.title for each in found] == [
        "A run of wimdock found its image in use",
        "A run of wimdock was cancelled",
        "A run of wimdock took longer than its schedule allows",
    ]
    assert {each.rule for each in found} == {None}
    assert it.site.operator in found[1].what_happened
    assert "90 minutes" in found[2].what_happened


def test_tries_that_failed_before_are_told(dock: Make, clock: SetClock) -> None:
    it = dock()
    it.file.unlink()
    run_id = it.new_run(options=UNSIGNED | {"retries": 1, "backoff": 60})
    it.execute(run_id)
    clock.advance(seconds=61)
    it.execute(run_id, attempt=2)
    failed, lost = examined(it).findings
    assert lost.what_happened.startswith(f"The file of image package {it.package_id} cannot be")
    assert failed.title == "A run of wimdock failed"
    assert [("is tried again" in note) for note in failed.notes] == [True]
