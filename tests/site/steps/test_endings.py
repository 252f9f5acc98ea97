"""How runs end that were stopped, taken back, handed back or told nonsense: as the file is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.site.steps.conftest import UNSIGNED, Dock
from wimdock.errors import (
    DatabaseUnavailable,
    ImageBusy,
    RunCancelled,
    RunTimedOut,
    StorageError,
    UnsupportedPackage,
)
from wimdock.events import Event, Kind, Reporter
from wimdock.site.images.going_back import rollback_package
from wimdock.site.messages.history import history_of
from wimdock.site.models import ImagePackage, RunEvent, RunState, StepName
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.runs.listing import run_events
from wimdock.site.runs.queue import claim, requeue
from wimdock.site.steps.events import EventRecorder
from wimdock.site.steps.perform import fail_step, perform
from wimdock.wim import Archive
from wimdock.wim.rollback import rollback
from wimdock.wim.verification import Verification, verify

Make = Callable[[], Dock]
HEADER = 208
HOSTILE = "a NUL \0, half a pair \ud800 and a\nline" + " and more" * 20_000


def until(it: Dock, run_id: int, last: StepName, attempt: int = 1) -> int:
    """Do the steps of a run up to one of them."""
    token = it.token(run_id, attempt)
    for step in list(StepName)[: list(StepName).index(last) + 1]:
        perform(it.site, run_id, token, step)
    return token


def spoil(file: Path, length: int) -> None:
    """Damage what lies behind the first `length` bytes."""
    with file.open("r+b") as opened:
        opened.seek(length + 50)
        opened.write(b"\xff" * 64)


@pytest.mark.parametrize("error", [RunCancelled("stopped"), RunTimedOut("stopped")])
def test_a_run_that_was_stopped_after_its_commit_is_verified_all_the_same(
    dock: Make, error: Exception
) -> None:
    it = dock()
    before = it.file.read_bytes()
    run_id = it.new_run()
    token = until(it, run_id, StepName.APPLY)
    spoil(it.file, len(before))
    fail_step(it.site, run_id, token, StepName.VERIFY, error)
    perform(it.site, run_id, token, StepName.RECORD)
    run = it.run(run_id)
    assert (run.state, run.error["class"]) == (RunState.FAILED, "CorruptImage")
    assert run.generation is None
    assert it.file.read_bytes()[:HEADER] == before[:HEADER]
    assert [each.outcome for each in it.results(run_id)] == ["would be installed"]


def test_a_cancel_during_verify_lets_no_unsound_file_stay(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = dock()
    before = it.file.read_bytes()
    run_id = it.new_run()

    def spoilt(archive: Archive, reporter: Reporter) -> Verification:
        spoil(it.file, len(before))
        request_cancel(it.site, run_id)
        return verify(archive, reporter)

    monkeypatch.setattr("wimdock.site.steps.verify.verify", spoilt)
    assert it.execute(run_id).state is RunState.FAILED
    assert it.file.read_bytes()[:HEADER] == before[:HEADER]


def test_an_unsound_file_that_cannot_be_taken_back_is_said_to_be_unsound(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    it = dock()
    run_id = it.new_run()
    length = it.file.stat().st_size
    token = until(it, run_id, StepName.APPLY)
    spoil(it.file, length)

    busy_error = ImageBusy("somebody has it")

    def busy(*_arguments: object) -> None:
        raise busy_error

    monkeypatch.setattr("wimdock.site.steps.verify.rollback", busy)
    for step in list(StepName)[4:]:
        perform(it.site, run_id, token, step)
    run = it.run(run_id)
    assert (run.state, run.error["class"], run.generation) == (RunState.FAILED, "CorruptImage", 3)
    assert "somebody has it" in run.error["message"]
    assert f"wimdock image rollback {it.package_id}" in run.error["hint"]
    assert "the image file is as it was" not in it.log


def test_a_run_handed_back_after_its_commit_is_not_cancelled_in_its_queue(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    until(it, run_id, StepName.APPLY)
    assert requeue(it.site, run_id, 1, it.worker)
    assert request_cancel(it.site, run_id).state is RunState.QUEUED
    run = it.execute(run_id, attempt=2)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)


def test_a_run_cancelled_in_its_queue_has_an_error_like_any_other(dock: Make) -> None:
    it = dock()
    run = request_cancel(it.site, it.new_run())
    assert (run.state, run.error["exit_code"]) == (RunState.CANCELLED, RunCancelled.exit_code)


def test_a_file_rolled_back_while_its_run_waits_again_is_planned_anew(dock: Make) -> None:
    it = dock()
    it.execute(it.new_run())
    run_id = it.new_run()
    until(it, run_id, StepName.PLAN)  # nothing to do
    assert requeue(it.site, run_id, 1, it.worker)
    rollback_package(it.site, it.package_id)
    run = it.execute(run_id, attempt=2)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)
    assert [each.outcome for each in it.results(run_id)] == ["installed"]


def test_a_file_replaced_after_the_plan_ends_as_it_is_then(dock: Make) -> None:
    it = dock()
    before = it.file.read_bytes()
    it.execute(it.new_run())
    serviced = it.file.read_bytes()
    it.file.write_bytes(before)
    run_id = it.new_run()
    token = until(it, run_id, StepName.PLAN)
    it.file.write_bytes(serviced)
    for step in list(StepName)[3:]:
        perform(it.site, run_id, token, step)
    run = it.run(run_id)
    assert (run.state, run.generation) == (RunState.SUCCEEDED, None)
    assert [each.outcome for each in it.results(run_id)] == ["installed already"]


def test_what_was_taken_back_before_the_record_is_no_success(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = until(it, run_id, StepName.DISTRIBUTE)
    rollback(it.file)
    perform(it.site, run_id, token, StepName.RECORD)
    run = it.run(run_id)
    assert (run.state, run.generation) == (RunState.FAILED, None)
    assert run.error["class"] == "GenerationError"
    assert [each.outcome for each in it.results(run_id)] == ["would be installed"]


def test_a_file_that_is_away_at_the_end_keeps_its_generation_known(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = until(it, run_id, StepName.APPLY)
    it.file.rename(it.file.with_suffix(".away"))
    for step in list(StepName)[4:]:
        perform(it.site, run_id, token, step)
    run = it.run(run_id)
    assert (run.state, run.generation) == (RunState.FAILED, 3)
    assert run.added > 0


def test_nobody_says_that_a_file_is_as_it_was_who_cannot_look(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = until(it, run_id, StepName.APPLY)
    fail_step(it.site, run_id, token, StepName.APPLY, RunCancelled("killed right after"))
    it.file.rename(it.file.with_suffix(".away"))
    perform(it.site, run_id, token, StepName.RECORD)
    assert it.run(run_id).state is RunState.CANCELLED
    assert "whether it has committed is not known" in history_of(it.site, it.package_id)[0].detail
    assert "Nothing was committed" not in it.log


def test_a_run_of_a_removed_image_package_ends(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    with it.site.writing() as session:  # as a schedule may that saw it before it was removed
        package = session.get_one(ImagePackage, it.package_id)
        package.path, package.storage, package.removed_at = None, "", it.site.now()
    run = it.execute(run_id)
    assert (run.state, run.error["class"]) == (RunState.FAILED, "NoSuchRecord")


def test_a_copy_that_a_killed_writer_left_is_taken_away(dock: Make) -> None:
    it = dock()
    run_id = it.new_run(options=UNSIGNED | {"on_copy": True})
    token = until(it, run_id, StepName.PLAN)
    left = it.file.with_name(f".{it.file.name}.servicing")
    fail_step(it.site, run_id, token, StepName.APPLY, RunCancelled("killed"))
    with it.site.writing() as session:
        session.get_one(type(it.run(run_id)), run_id).step = StepName.APPLY
    left.write_bytes(b"half a copy")
    perform(it.site, run_id, token, StepName.RECORD)
    assert it.run(run_id).state is RunState.CANCELLED
    assert not left.exists()


def test_a_run_on_a_copy_is_known_again_and_verified(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run(options=UNSIGNED | {"on_copy": True}))
    assert (run.state, run.generation) == (RunState.SUCCEEDED, 3)
    assert it.file.with_name(f"{it.file.name}.backup").exists()


@pytest.mark.parametrize(
    "error", [StorageError(HOSTILE), ExceptionGroup(HOSTILE, [ValueError(HOSTILE)])]
)
def test_an_error_of_any_words_ends_a_run(
    dock: Make, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    it = dock()

    def fail(context: object) -> None:
        context.reporter.message(HOSTILE)  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr("wimdock.site.steps.perform._STEPS", _steps_with(fail))
    run = it.execute(it.new_run())
    assert run.state is RunState.FAILED
    assert r"a NUL \x00, half a pair \ud800" in run.error["message"]
    assert any(r"half a pair \ud800" in each.text for each in run_events(it.site, run.id))
    assert it.execute(it.new_run(), attempt=1).state is RunState.FAILED


def _steps_with(fetch: Callable[..., object]) -> dict[StepName, Callable[..., object]]:
    from wimdock.site.steps import perform as performing

    return {**performing._STEPS, StepName.FETCH: fetch}


def test_the_reasons_of_an_unsupported_update_are_kept(dock: Make) -> None:
    it = dock()
    run_id = it.new_run()
    token = until(it, run_id, StepName.FETCH)
    error = UnsupportedPackage("not this one", reasons=("a driver", "half \ud800"))
    fail_step(it.site, run_id, token, StepName.PLAN, error)
    perform(it.site, run_id, token, StepName.RECORD)
    assert it.run(run_id).error["reasons"] == ["a driver", r"half \ud800"]


def test_events_that_could_not_be_kept_at_first_are_kept_later(
    dock: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In spite of others that were kept meanwhile under the keys that these would have had."""
    it = dock()
    run_id = it.new_run()
    with EventRecorder(it.site, run_id) as recorder, monkeypatch.context() as patch:
        patch.setattr("sqlalchemy.orm.Session.commit", _away)
        patch.setattr("sqlalchemy.orm.SessionTransaction.commit", _away)
        recorder(Event(Kind.MESSAGE, (), "first"))
        patch.undo()
        with it.site.writing() as session:
            said = {"kind": "message", "step": [], "text": "other", "severity": "info"}
            session.add(RunEvent(run_id=run_id, at=it.site.now(), **said))
        recorder(Event(Kind.MESSAGE, (), "second"))
    assert {each.text for each in run_events(it.site, run_id)} == {"first", "other", "second"}


def _away(*_arguments: object, **_named: object) -> None:
    message = "away"
    raise DatabaseUnavailable(message)


def test_a_run_of_no_updates_writes_nothing(dock: Make) -> None:
    it = dock()
    run = it.execute(it.new_run(update_ids=[]))
    assert (run.state, run.generation) == (RunState.SUCCEEDED, None)
    assert claim(it.site, it.worker, 1) == []
    assert json.dumps(run.error) == "{}"
