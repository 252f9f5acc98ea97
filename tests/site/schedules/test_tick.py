"""The tick: every due instant gets its runs, once, in time or late, or is recorded as missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update

from tests.site.schedules.conftest import FIRST_UPDATE, Yard
from wimdock.configmgr.image_servicing import ScheduleState
from wimdock.site.models import ImagePackage, RunState, Schedule, SiteRow, UpdateRow
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.schedules.records import disable_schedule, remove_schedule
from wimdock.site.schedules.recurrence import Now, Once
from wimdock.site.schedules.request import Target
from wimdock.site.schedules.tick import tick
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.window import Window
from wimdock.site.updates.selection import Selection

MISSED = 42006


def last_tick(yard: Yard) -> datetime | None:
    with yard.site.reading() as session:
        return session.scalar(select(SiteRow.last_tick))


def test_nothing_due_is_one_question(yard: Yard) -> None:
    yard.add()
    said: list[str] = []
    engine = yard.site.database.engine
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert tick(yard.site).settled == ()
    assert [text.split()[0] for text in said if "site" in text] == ["SELECT", "UPDATE"]
    assert last_tick(yard) == yard.clock.at


def test_a_due_instant_makes_one_run_for_each_image_package(
    yard: Yard, many: Callable[[int], list[Target]]
) -> None:
    first, second = yard.add_update(1), yard.add_update(2)
    targets = [Target("CAS00001", (1,)), *many(2)]
    options = ScheduleOptions(retries=2, max_run_minutes=30)
    added = yard.add(targets=targets, options=options, queue="large", priority=5)
    yard.at("2026-11-03T13:00:20Z")
    done = tick(yard.site)
    runs = yard.runs(added.id)
    assert done.started == [run.id for run in runs]
    assert [run.package_id for run in runs] == ["CAS00001", "CAS00002", "CAS00003"]
    assert [run.indexes for run in runs] == [[1], [], []]
    for run in runs:
        assert run.update_ids == [first, second]
        assert run.options == {"retries": 2, "max_run_minutes": 30}
        assert (run.state, run.queue, run.priority) == (RunState.QUEUED, "large", 5)
        assert run.instant == datetime(2026, 11, 3, 13, tzinfo=UTC)
    assert yard.occurrences(added.id) == [("11-03 13:00", "started")]
    schedule = yard.schedule(added.id)
    assert schedule.next_due == datetime(2026, 11, 4, 13, tzinfo=UTC)
    assert schedule.last_due == datetime(2026, 11, 3, 13, tzinfo=UTC)
    assert schedule.sms_state == ScheduleState.RUNNING
    assert tick(yard.site).started == []
    log = (yard.site.logs / "OfflineServicingMgr.log").read_text("utf-8")
    assert f"Schedule with ID {added.id} (nightly) is active" in log
    assert "1 Schedule(s) are scheduled to be run at this time" in log


def test_a_schedule_with_nothing_to_do_makes_its_run_all_the_same(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    assert [run.update_ids for run in yard.runs(added.id)] == [[]]


def test_once_is_once(yard: Yard) -> None:
    added = yard.add(recurrence=Once.parse("2026-11-03T14:00"), zone="Europe/Berlin")
    yard.at("2026-11-03T13:01Z")
    assert len(tick(yard.site).started) == 1
    yard.at("2026-11-05T13:01Z")
    assert tick(yard.site).settled == ()
    assert yard.schedule(added.id).next_due is None


@pytest.mark.parametrize("verb", [disable_schedule, remove_schedule])
def test_what_is_off_is_not_due(yard: Yard, verb: Callable[..., Schedule]) -> None:
    added = yard.add()
    verb(yard.site, added.id)
    yard.at("2026-11-03T13:00Z")
    assert tick(yard.site).settled == ()
    assert yard.runs(added.id) == []


def test_now_is_never_due(yard: Yard) -> None:
    yard.add(recurrence=Now())
    yard.at("2036-11-03T13:00Z")
    assert tick(yard.site).settled == ()


def test_after_down_time_the_newest_instant_runs_late(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-06T09:00Z")
    done = tick(yard.site)
    assert len(done.started) == 1
    assert [at.day for _, at in done.missed] == [3, 4]
    assert yard.occurrences(added.id) == [
        ("11-03 13:00", "missed"),
        ("11-04 13:00", "missed"),
        ("11-05 13:00", "started late"),
    ]
    assert [run.instant.day for run in yard.runs(added.id) if run.instant] == [5]
    messages = yard.messages(MISSED)
    assert [row.strings[1] for row in messages] == [
        "2026-11-03T13:00:00+00:00",
        "2026-11-04T13:00:00+00:00",
    ]
    assert {row.schedule_id for row in messages} == {added.id}
    assert "2026-11-05 13:00 UTC is run instead" in messages[0].strings[2]
    log = (yard.site.logs / "OfflineServicingMgr.log").read_text("utf-8")
    assert log.count(f"STATMSG: ID={MISSED}") == 2


@pytest.mark.parametrize(
    "now,outcome",
    [
        ("2026-11-03T13:04Z", "started"),
        ("2026-11-03T13:06Z", "started late"),
        ("2026-11-03T16:59Z", "started late"),
        ("2026-11-03T17:00Z", "missed"),
        ("2026-11-04T12:59Z", "started late"),  # its window is open again
    ],
)
def test_late_only_where_the_window_still_allows_it(yard: Yard, now: str, outcome: str) -> None:
    added = yard.add(window=Window.parse("12:00-17:00"))
    yard.at(now)
    tick(yard.site)
    assert yard.occurrences(added.id) == [("11-03 13:00", outcome)]
    assert len(yard.runs(added.id)) == (outcome != "missed")
    assert len(yard.messages(MISSED)) == (outcome == "missed")


def test_the_duration_of_a_token_is_how_late_it_may_run(yard: Yard) -> None:
    # 2009-05-01 22:00, for 7 hours, weekly on Monday
    tokens = Tokens.from_document({"tokens": "02C159C0381A2000"})
    added = yard.add(recurrence=tokens)
    yard.at("2026-11-10T04:59Z")
    tick(yard.site)
    yard.at("2026-11-17T05:00Z")
    tick(yard.site)
    assert yard.occurrences(added.id) == [
        ("11-09 22:00", "started late"),
        ("11-16 22:00", "missed"),
    ]


def test_what_lies_outside_the_window_is_excluded(yard: Yard) -> None:
    added = yard.add(
        recurrence=Cron.parse("0 * * * *"), window=Window.parse("14:00-16:00", ["2026-11-04"])
    )
    for hour in range(13, 18):
        yard.at(f"2026-11-03T{hour}:00:30Z")
        tick(yard.site)
    assert yard.occurrences(added.id) == [
        ("11-03 13:00", "excluded"),
        ("11-03 14:00", "started"),
        ("11-03 15:00", "started"),
        ("11-03 16:00", "excluded"),
        ("11-03 17:00", "excluded"),
    ]
    yard.at("2026-11-04T14:00Z")
    tick(yard.site)
    assert yard.occurrences(added.id)[-1] == ("11-04 14:00", "excluded")
    assert len(yard.runs(added.id)) == 2


def test_a_very_long_down_time_is_recorded_in_short(yard: Yard) -> None:
    added = yard.add(recurrence=Cron.parse("*/5 * * * *"))
    yard.at("2028-11-03T12:02:30Z")
    tick(yard.site)
    found = yard.occurrences(added.id)
    assert len(yard.runs(added.id)) == 1
    assert found[0] == ("11-03 12:05", "missed")
    assert found[-1] == ("11-03 12:00", "started")
    assert 2 < len(found) <= 101
    first = yard.messages(MISSED)[0]
    assert "the same holds of all instants until" in first.strings[2]
    assert yard.schedule(added.id).next_due == datetime(2028, 11, 3, 12, 5, tzinfo=UTC)


def test_a_clock_that_goes_back_runs_nothing_twice(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    yard.at("2026-11-03T12:30Z")
    assert tick(yard.site).went_back
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    yard.at("2026-11-04T13:00Z")
    tick(yard.site)
    assert [run.instant.day for run in yard.runs(added.id) if run.instant] == [3, 4]


def test_a_clock_that_was_years_ahead_loses_nothing(yard: Yard) -> None:
    added = yard.add()
    once = yard.add(recurrence=Once.parse("2026-11-05T13:00"), window=Window.parse("12:00-15:00"))
    yard.at("2030-01-01T20:00Z")
    tick(yard.site)
    assert yard.schedule(once.id).next_due is None
    yard.at("2026-11-03T12:10Z")
    assert tick(yard.site).went_back
    for day in (3, 4, 5, 6):
        yard.at(f"2026-11-0{day}T13:00:30Z")
        assert not tick(yard.site).went_back
    days = [run.instant.day for run in yard.runs(added.id) if run.instant]
    assert days == [1, 3, 4, 5, 6]
    assert [run.instant.day for run in yard.runs(once.id) if run.instant] == [5]
    assert yard.occurrences(once.id) == [("11-05 13:00", "started")]


def test_a_clock_that_is_a_little_behind_changes_nothing(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    yard.at("2026-11-03T12:58Z")
    assert not tick(yard.site).went_back
    assert len(yard.runs(added.id)) == 1


def test_an_update_that_was_retired_is_told_and_hinders_no_other(yard: Yard) -> None:
    update = yard.add_update()
    added = yard.add(selection=Selection(ids=(update,)))
    other = yard.add()
    with yard.site.writing() as session:
        session.get_one(UpdateRow, update).retired_at = yard.site.now()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    assert yard.occurrences(added.id) == [("11-03 13:00", "missed")]
    assert "retired" in yard.messages(MISSED)[0].strings[2]
    assert yard.runs(added.id) == []
    assert len(yard.runs(other.id)) == 1
    assert yard.schedule(added.id).next_due == datetime(2026, 11, 4, 13, tzinfo=UTC)


def test_image_packages_that_were_removed_are_left_out(yard: Yard) -> None:
    yard.add_packages(1)
    added = yard.add(targets=[Target("CAS00001"), Target("CAS00002")])
    only = yard.add()
    with yard.site.writing() as session:
        session.get_one(ImagePackage, "CAS00001").removed_at = yard.site.now()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    assert [run.package_id for run in yard.runs(added.id)] == ["CAS00002"]
    assert yard.occurrences(only.id) == [("11-03 13:00", "excluded")]


def test_a_schedule_that_cannot_be_read_is_switched_off_and_hinders_no_other(yard: Yard) -> None:
    broken, other = yard.add(), yard.add()
    with yard.site.writing() as session:
        session.get_one(Schedule, broken.id).zone = "Europe/Atlantis"
    yard.at("2026-11-03T13:00Z")
    done = tick(yard.site)
    assert [run.schedule_id for run in yard.runs(other.id)] == [other.id]
    assert (broken.id, yard.clock.at) in done.missed
    assert not yard.schedule(broken.id).enabled
    assert "Europe/Atlantis" in yard.messages(42071)[0].strings[1]
    assert tick(yard.site).settled == ()


@pytest.mark.parametrize("hours", [-1, 1])
def test_when_the_rules_of_a_zone_were_changed_nothing_is_lost(yard: Yard, hours: int) -> None:
    added = yard.add()
    stored = datetime(2026, 11, 3, 13, tzinfo=UTC) + timedelta(hours=hours)
    with yard.site.writing() as session:
        session.execute(update(Schedule).values(next_due=stored))
    for minute in range(0, 180, 10):
        yard.clock.at = datetime(2026, 11, 3, 12, tzinfo=UTC) + timedelta(minutes=minute)
        tick(yard.site)
    assert [run.instant for run in yard.runs(added.id)] == [datetime(2026, 11, 3, 13, tzinfo=UTC)]


def test_a_schedule_with_a_named_update_keeps_its_order(yard: Yard) -> None:
    for number in (1, 2, 3):
        yard.add_update(number)
    added = yard.add(selection=Selection(ids=(FIRST_UPDATE + 2, FIRST_UPDATE)))
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    assert [run.update_ids for run in yard.runs(added.id)] == [[FIRST_UPDATE, FIRST_UPDATE + 2]]
