"""The tick when something fails in it, or something else happens at the same instant."""

from __future__ import annotations

import pytest

from tests.site.schedules.conftest import Yard
from wimdock.site.models import Schedule
from wimdock.site.schedules.by_hand import run_now
from wimdock.site.schedules.start import start_runs
from wimdock.site.schedules.tick import tick


def test_one_that_cannot_be_read_is_switched_off_also_at_an_instant_that_is_over(
    yard: Yard,
) -> None:
    broken = yard.add()
    yard.at("2026-11-03T13:00Z")
    tick(yard.site)
    with yard.site.writing() as session:
        schedule = session.get_one(Schedule, broken.id)
        schedule.zone, schedule.next_due = "Europe/Atlantis", yard.clock.at
    tick(yard.site)
    assert not yard.schedule(broken.id).enabled
    assert yard.occurrences(broken.id) == [("11-03 13:00", "started")]


def test_a_schedule_that_fails_hinders_no_other(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = yard.add(priority=7), yard.add()

    def fail(_: object, __: object, schedule: Schedule, *___: object) -> list[int]:
        if schedule.id == broken.id:
            raise OverflowError
        return start_runs(_, __, schedule, *___)  # type: ignore[arg-type]

    yard.at("2026-11-03T13:00Z")
    with monkeypatch.context() as patch:
        patch.setattr("wimdock.site.schedules.tick.start_runs", fail)
        with pytest.raises(OverflowError):
            tick(yard.site)
        assert yard.occurrences(broken.id) == []
        assert yard.occurrences(other.id) == [("11-03 13:00", "started")]
    yard.clock.advance(minutes=1)
    tick(yard.site)
    assert yard.occurrences(broken.id) == [("11-03 13:00", "started")]
    assert len(yard.runs(other.id)) == 1


def test_what_is_run_by_hand_at_the_very_instant_takes_nothing_from_it(yard: Yard) -> None:
    added = yard.add()
    yard.at("2026-11-03T13:00Z")
    assert len(run_now(yard.site, added.id)) == 1
    assert len(run_now(yard.site, added.id)) == 1
    assert len(tick(yard.site).started) == 1
    assert len({run.instant for run in yard.runs(added.id)}) == 3
    outcomes = [outcome for _, outcome in yard.occurrences(added.id)]
    assert outcomes == ["started", "by hand", "by hand"]
