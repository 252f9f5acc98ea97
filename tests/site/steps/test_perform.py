"""Runs step by step: each durable, idempotent, fenced, and ended exactly once."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.site.conftest import SetClock
from tests.site.steps.conftest import Dock
from wimdock.errors import LeaseLost, RunCancelled, RunTimedOut
from wimdock.events import Reporter
from wimdock.site.images.going_back import rollback_package
from wimdock.site.messages import LOG_NAME, table
from wimdock.site.messages.history import history_of
from wimdock.site.messages.listing import MessageFilter, list_messages
from wimdock.site.models import Run, RunState, StepName, StepState
from wimdock.site.runs.cancel import request_cancel, retry_run
from wimdock.site.runs.queue import WorkerOffer, begin, bury, register_worker
from wimdock.site.steps.perform import fail_step, perform
from wimdock.wim import Archive
from wimdock.wim.generations import read_generations
from wimdock.wim.verification import Verification, verify

Make = Callable[[], Dock]

MISSING = "Not all selected software updates are currently available on current site"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_run_puts_its_update_in_and_says_so(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run())
    assert (run.state, run.error) == (RunState.SUCCEEDED, {})
    assert run.generation == 3
    assert run.added > 0
    states = {name: step.state for name, step in it.steps(run.id).items()}
    assert states == {
        StepName.PREFLIGHT: StepState.SUCCEEDED,
        StepName.FETCH: StepState.SUCCEEDED,
        StepName.PLAN: StepState.SUCCEEDED,
        StepName.APPLY: StepState.SUCCEEDED,
        StepName.VERIFY: StepState.SUCCEEDED,
        StepName.EXPORT: StepState.SKIPPED,
        StepName.DISTRIBUTE: StepState.SKIPPED,
        StepName.RECORD: StepState.SUCCEEDED,
    }
    [result] = it.results(run.id)
    assert (result.status, result.win32, result.outcome) == (2, 0, "installed")
    entry = history_of(it.site, it.package_id)[0]
    assert (entry.result, entry.generation, entry.run_id) == ("succeeded", 3, run.id)
    assert f"Completed processing image package {it.package_id}. Status = Success" in it.log


def test_a_second_run_finds_nothing_to_do(dock: Make) -> None:
    it = dock()
    it.execute(it.new_run())
    before = digest(it.file)
    run = it.execute(it.new_run())
    assert (run.state, run.generation) == (RunState.SUCCEEDED, None)
    assert [each.outcome for each in it.results(run.id)] == ["installed already"]
    assert digest(it.file) == before


def test_steps_are_done_once(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    for step in list(StepName)[:-1]:
        perform(it.site, run_id, token, step)
        perform(it.site, run_id, token, step)
    assert {step.attempt for step in it.steps(run_id).values()} == {1}
    perform(it.site, run_id, token, StepName.RECORD)
    with pytest.raises(LeaseLost):
        perform(it.site, run_id, token, StepName.RECORD)
    assert len(history_of(it.site, it.package_id)) == 2  # added, serviced


def test_a_run_that_lost_its_worker_after_the_commit_has_committed_once(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    for step in (StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN):
        perform(it.site, run_id, token, step)
    with monkeypatch.context() as patch:
        # Stopped between the header's write and the row that would say so.
        patch.setattr("wimdock.site.steps.perform._finish", _die)
        with pytest.raises(KeyboardInterrupt):
            perform(it.site, run_id, token, StepName.APPLY)
    assert bury(it.site, it.worker)
    other = register_worker(it.site, WorkerOffer("host", "boot", 2))
    taken = begin(it.site, run_id, 1, other)
    assert taken is not None
    for step in StepName:
        perform(it.site, run_id, taken, step)
    run = it.run(run_id)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)
    assert [each.outcome for each in it.results(run_id)] == ["installed"]
    assert len(read_generations(it.file)) == 3


def _die(*_arguments: object) -> None:
    raise KeyboardInterrupt


def test_a_late_worker_commits_nothing(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    for step in (StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN):
        perform(it.site, run_id, token, step)
    bury(it.site, it.worker)
    before = digest(it.file)
    with pytest.raises(LeaseLost):
        perform(it.site, run_id, token, StepName.APPLY)
    assert digest(it.file) == before


def test_a_worker_that_turns_late_while_it_writes_commits_nothing(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    for step in (StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN):
        perform(it.site, run_id, token, step)
    before = digest(it.file)
    monkeypatch.setattr(
        "wimdock.site.steps.apply.committed_generation", lambda _: bury(it.site, it.worker) and None
    )
    with pytest.raises(LeaseLost):
        perform(it.site, run_id, token, StepName.APPLY)
    assert digest(it.file) == before


def test_a_cancelled_run_leaves_the_image_as_it_was(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    before = digest(it.file)
    perform(it.site, run_id, token, StepName.PREFLIGHT)
    request_cancel(it.site, run_id)
    for step in list(StepName)[1:]:
        perform(it.site, run_id, token, step)
    assert it.run(run_id).state is RunState.CANCELLED
    assert digest(it.file) == before
    assert it.execute(it.new_run()).state is RunState.SUCCEEDED


@pytest.mark.parametrize(
    "error, state",
    [
        (RunCancelled("cancelled"), RunState.CANCELLED),
        (RunTimedOut("too long"), RunState.TIMED_OUT),
    ],
)
def test_what_a_stopped_writer_left_is_cut_off(
    dock: Make, error: Exception, state: RunState
) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    before = digest(it.file)
    for step in (StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN):
        perform(it.site, run_id, token, step)
    fail_step(it.site, run_id, token, StepName.APPLY, error)
    with it.site.writing() as session:
        session.get_one(type(it.run(run_id)), run_id).step = StepName.APPLY
    with it.file.open("ab") as file:
        file.write(b"left by a writer that was killed")
    perform(it.site, run_id, token, StepName.RECORD)
    assert it.run(run_id).state is state
    assert digest(it.file) == before


def test_a_cancel_that_comes_after_the_commit_is_too_late(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = it.token(run_id)
    for step in (StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN, StepName.APPLY):
        perform(it.site, run_id, token, step)
    request_cancel(it.site, run_id)
    for step in (StepName.VERIFY, StepName.EXPORT, StepName.DISTRIBUTE, StepName.RECORD):
        perform(it.site, run_id, token, step)
    run = it.run(run_id)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)
    assert "it had committed when it was cancelled" in history_of(it.site, it.package_id)[0].detail


def test_a_locked_image_ends_a_run_with_a_result_of_its_own(dock: Make) -> None:
    it = dock()
    fd = os.open(it.file, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        run = it.execute(it.new_run())
    finally:
        os.close(fd)
    assert run.state is RunState.LOCKED
    assert run.error["hresult"] == 0x80070020
    assert run.error["win32"] == 32
    assert it.execute(it.new_run()).state is RunState.SUCCEEDED


def test_an_unsigned_update_fails_the_run_in_its_plan(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run(options={}))
    assert run.state is RunState.FAILED
    assert run.error["class"] == "UnsignedPackage"
    [result] = it.results(run.id)
    assert (result.status, result.outcome, result.hresult) == (0, "failed", 0x800B0100)
    assert "Schedule processing failed" not in it.log  # it is of no schedule
    assert f"Completed processing image package {it.package_id}. Status = Failed" in it.log
    assert (
        f'STATMSG: ID=42007 SEV=E LEV=M SOURCE="wimdock" COMP="WIMDOCK" SYS={it.site.host}'
        in it.log
    )
    assert it.execute(it.new_run()).state is RunState.SUCCEEDED


def test_a_run_that_goes_on_despite_a_failure_is_no_success(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run(options={"continue_on_error": True}))
    assert run.state is RunState.FAILED
    assert run.error["message"].startswith("1 of 1 failed")


def test_a_missing_update_file_fails_the_run(dock: Make) -> None:
    it = dock()
    for file in it.site.library.rglob("*.cab"):
        file.unlink()
    run = it.execute(it.new_run())
    assert (run.state, run.error["class"]) == (RunState.FAILED, "StorageError")
    assert MISSING in (it.site.logs / LOG_NAME).read_text()
    assert list_messages(it.site, MessageFilter(ids=(table.UPDATE_DAMAGED.id,))) == []


def test_a_damaged_update_file_is_told_by_a_message_of_its_own(dock: Make) -> None:
    it = dock()
    (file,) = it.site.library.rglob("*.cab")
    file.chmod(0o644)
    with file.open("r+b") as opened:
        opened.write(b"no cabinet")
    run = it.execute(it.new_run())
    assert (run.state, run.error["class"]) == (RunState.FAILED, "CorruptPackage")
    (told,) = list_messages(it.site, MessageFilter(ids=(table.UPDATE_DAMAGED.id,)))
    assert told.strings == [str(it.update_id), run.error["message"]]
    assert (told.run_id, told.package_id) == (run.id, it.package_id)
    log = (it.site.logs / LOG_NAME).read_text()
    assert MISSING in log
    assert f"STATMSG: ID={table.UPDATE_DAMAGED.id} SEV=E" in log


def test_a_missing_image_is_tried_again_and_later_found(dock: Make, clock: SetClock) -> None:
    it = dock()
    away = it.file.with_suffix(".away")
    it.file.rename(away)
    run_id = it.new_run(options={"allow_unsigned": True, "retries": 2, "backoff": 60})
    run = it.execute(run_id)
    assert (run.state, run.attempt, run.failures) == (RunState.QUEUED, 2, 1)
    assert run.not_before is not None
    clock.advance(seconds=61)
    run = it.execute(run_id, attempt=2)
    assert (run.state, run.failures) == (RunState.QUEUED, 2)
    clock.advance(seconds=121)
    away.rename(it.file)
    run = it.execute(run_id, attempt=3)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)


def test_a_run_is_tried_no_more_often_than_its_schedule_says(dock: Make) -> None:
    it = dock()
    it.file.unlink()
    assert it.execute(it.new_run()).state is RunState.FAILED


@pytest.mark.parametrize(
    "minutes,state", [(3, RunState.QUEUED), (1, RunState.FAILED)], ids=["open", "closed"]
)
def test_a_run_is_tried_again_only_in_its_window(
    dock: Make, clock: SetClock, minutes: int, state: RunState
) -> None:
    it = dock()
    it.file.unlink()
    run_id = it.new_run(options={"allow_unsigned": True, "retries": 2, "backoff": 120})
    with it.site.writing() as session:
        session.get_one(Run, run_id).begin_before = clock.at + timedelta(minutes=minutes)
    run = it.execute(run_id)
    assert run.state is state
    entry = next((each for each in history_of(it.site, it.package_id) if each.run_id), None)
    if state is RunState.QUEUED:
        assert entry is None
    else:
        assert entry is not None
        assert "its window closes before it could be tried again" in entry.detail


def test_an_unsound_image_is_taken_back(dock: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    it = dock()
    length = it.file.stat().st_size
    header = it.file.read_bytes()[:208]

    def spoilt(archive: Archive, reporter: Reporter) -> Verification:
        with it.file.open("r+b") as file:
            file.seek(length + 50)
            file.write(b"\xff" * 64)
        return verify(archive, reporter)

    monkeypatch.setattr("wimdock.site.steps.verify.verify", spoilt)
    run = it.execute(it.new_run())
    assert (run.state, run.error["class"], run.generation) == (
        RunState.FAILED,
        "CorruptImage",
        None,
    )
    assert it.file.read_bytes()[:208] == header
    assert [each.outcome for each in it.results(run.id)] == ["would be installed"]


def test_a_run_can_be_made_anew_when_it_has_ended(dock: Make) -> None:
    it = dock()
    first = it.execute(it.new_run())
    rollback_package(it.site, it.package_id)
    again = retry_run(it.site, first.id)
    assert again.retry_of == first.id
    assert it.execute(again.id).generation == 3
