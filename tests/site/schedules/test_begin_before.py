"""Runs begin in their window, or not at all: what waited for a worker for too long is missed."""

from __future__ import annotations

import pytest

from tests.site.schedules.conftest import Yard
from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.errors import RunMissed
from wimdock.site.messages.history import history_of
from wimdock.site.models import RunState, Step, StepName, StepState
from wimdock.site.runs.cancel import retry_run
from wimdock.site.runs.missed import end_missed
from wimdock.site.runs.queue import WorkerOffer, claim, register_worker, requeue
from wimdock.site.schedules.by_hand import run_now
from wimdock.site.schedules.explain import explain
from wimdock.site.schedules.tick import tick
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.window import Window

RUN_MISSED = 42011
NIGHT = Window.parse("12:00-17:00")


def claimed(yard: Yard) -> list[int]:
    worker = register_worker(yard.site, WorkerOffer("host", "boot", 1))
    return [each.run_id for each in claim(yard.site, worker, 9)]


@pytest.mark.parametrize("now,is_begun", [("16:59:59", True), ("17:00:00", False)])
def test_a_run_is_begun_until_its_window_closes(yard: Yard, now: str, is_begun: bool) -> None:  # noqa: FBT001
    added = yard.add(window=NIGHT)
    yard.at("2026-11-03T13:00Z")
    [run_id] = tick(yard.site).started
    yard.at(f"2026-11-03T{now}Z")
    assert claimed(yard) == ([run_id] if is_begun else [])
    assert end_missed(yard.site) == ([] if is_begun else [run_id])
    assert yard.runs(added.id)[0].state is (RunState.RUNNING if is_begun else RunState.MISSED)


def test_the_tick_records_what_was_missed_and_tells_it(yard: Yard) -> None:
    added = yard.add(window=NIGHT)
    yard.at("2026-11-03T13:00Z")
    [run_id] = tick(yard.site).started
    yard.at("2026-11-03T17:00Z")
    tick(yard.site)
    tick(yard.site)
    [run] = yard.runs(added.id)
    assert (run.state, run.started_at, run.ended_at) == (RunState.MISSED, None, yard.clock.at)
    assert (run.error["class"], run.error["exit_code"]) == ("RunMissed", RunMissed.exit_code)
    [message] = yard.messages(RUN_MISSED)
    assert message.strings[:2] == [str(run_id), "CAS00001"]
    assert "before 2026-11-03 17:00 UTC" in message.strings[2]
    assert [each.result for each in history_of(yard.site, "CAS00001") if each.run_id] == ["missed"]
    assert yard.schedule(added.id).sms_state == ScheduleState.FAILED
    log = (yard.site.logs / "OfflineServicingMgr.log").read_text("utf-8")
    assert log.count(f"STATMSG: ID={RUN_MISSED}") == 1


def test_what_a_person_asks_for_has_no_window(yard: Yard) -> None:
    added = yard.add(window=NIGHT)
    yard.at("2026-11-03T13:00Z")
    [run_id] = tick(yard.site).started
    yard.at("2026-11-03T20:00Z")
    by_hand = run_now(yard.site, added.id)
    tick(yard.site)
    again = retry_run(yard.site, run_id)
    assert [each.begin_before for each in yard.runs(added.id)][1:] == [None, None]
    assert claimed(yard) == by_hand
    assert again.state is RunState.QUEUED


def test_a_run_without_window_waits_for_as_long_as_it_takes(yard: Yard) -> None:
    yard.add()
    yard.at("2026-11-03T13:00Z")
    [run_id] = tick(yard.site).started
    yard.at("2026-12-03T12:00Z")
    assert end_missed(yard.site) == []
    assert claimed(yard) == [run_id]


def test_a_late_run_has_until_the_window_closes_that_it_came_into(yard: Yard) -> None:
    added = yard.add(window=NIGHT)
    yard.at("2026-11-04T12:30Z")
    tick(yard.site)
    assert [f"{each.begin_before:%d %H:%M}" for each in yard.runs(added.id)] == ["04 17:00"]


def test_a_token_lasts_as_long_as_it_says(yard: Yard) -> None:
    # 2009-05-01 22:00, for 7 hours, weekly on Monday
    added = yard.add(recurrence=Tokens.from_document({"tokens": "02C159C0381A2000"}))
    yard.at("2026-11-10T04:59Z")
    tick(yard.site)
    yard.at("2026-11-10T05:00Z")
    assert claimed(yard) == []
    tick(yard.site)
    assert [each.state for each in yard.runs(added.id)] == [RunState.MISSED]


@pytest.mark.parametrize("has_written", [False, True])
def test_what_a_worker_handed_back_is_carried_through_once_it_has_written(
    yard: Yard,
    has_written: bool,  # noqa: FBT001
) -> None:
    yard.add(window=NIGHT)
    yard.at("2026-11-03T13:00Z")
    [run_id] = tick(yard.site).started
    worker = register_worker(yard.site, WorkerOffer("host", "boot", 1))
    assert len(claim(yard.site, worker, 1)) == 1
    with yard.site.writing() as session:
        for name in (StepName.PLAN, *([StepName.APPLY] if has_written else [])):
            session.add(
                Step(
                    run_id=run_id,
                    name=name,
                    state=StepState.RUNNING,
                    attempt=1,
                    token="1",  # noqa: S106 - no password
                    started_at=yard.clock.at,
                    result={},
                    error={},
                )
            )
    assert requeue(yard.site, run_id, 1, worker)
    yard.at("2026-11-03T17:00Z")
    assert end_missed(yard.site) == ([] if has_written else [run_id])
    assert claimed(yard) == ([run_id] if has_written else [])


def test_explain_names_what_is_overdue(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-05T13:01Z")
    told = [(f"{each.at:%d}", each.outcome.value) for each in explain(yard.site, added.id).overdue]
    assert told == [("03", "missed"), ("04", "missed"), ("05", "started")]
    tick(yard.site)
    assert yard.occurrences(added.id) == [(f"11-{day} 13:00", what) for day, what in told]
    assert explain(yard.site, added.id).overdue == ()
