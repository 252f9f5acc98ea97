"""Schedules: added, refused, switched on and off, removed."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.site.schedules.conftest import FIRST_UPDATE, Yard
from wimdock.configmgr.image_servicing import ScheduleAction, ScheduleState
from wimdock.errors import NoSuchRecord, NotOffered, ScheduleError
from wimdock.site.messages.table import text_of
from wimdock.site.models import Audit, Schedule, ScheduleUpdate, SiteRow, UpdateRow
from wimdock.site.opening import FIRST_NUMBER
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.explain import details_of
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.schedules.records import (
    disable_schedule,
    enable_schedule,
    list_schedules,
    remove_schedule,
)
from wimdock.site.schedules.recurrence import Now, Once
from wimdock.site.schedules.request import Target
from wimdock.site.schedules.telling import tell
from wimdock.site.schedules.window import Window
from wimdock.site.updates.selection import Selection


def test_a_schedule_is_kept_as_it_was_asked_for(yard: Yard) -> None:
    update = yard.add_update()
    yard.add_packages(1, images=3)
    added = yard.add(
        targets=[Target("CAS00002", (1, 3)), Target("CAS00001")],
        recurrence=Cron.parse("0 22 * * TUE#2"),
        selection=Selection(ids=(update,)),
        zone="Europe/Berlin",
        window=Window.parse("22:00-04:00", ["2026-12-24"]),
        options=ScheduleOptions(retries=2, backoff=300, max_run_minutes=90, update_points=True),
        queue="large",
        priority=7,
    )
    assert added.id == FIRST_NUMBER
    found = details_of(yard.site, added.id)
    schedule = found.schedule
    assert [(each.package_id, each.indexes) for each in schedule.targets] == [
        ("CAS00002", [1, 3]),
        ("CAS00001", []),
    ]
    assert schedule.next_due is not None
    assert f"{schedule.next_due:%Y-%m-%d %H:%M}" == "2026-11-10 21:00"
    assert (schedule.queue, schedule.priority, schedule.enabled) == ("large", 7, True)
    assert (found.options.retries, found.options.backoff) == (2, 300)
    assert tell(schedule).window == "22:00-04:00, but not on 2026-12-24"
    assert found.token == "02CABE0000231400"  # noqa: S105 - a schedule token, no secret
    assert (schedule.sms_action, schedule.sms_state) == (
        ScheduleAction.INSTALL,
        ScheduleState.SCHEDULED,
    )
    with yard.site.reading() as session:
        assert session.scalars(select(ScheduleUpdate.update_id)).all() == [update]
        audit = session.scalars(select(Audit).where(Audit.action == "schedule.add")).one()
    assert audit.object == str(added.id)
    assert [row.strings for row in yard.messages(42070)] == [[str(added.id), "nightly"]]
    log = (yard.site.logs / "OfflineServicingMgr.log").read_text("utf-8")
    assert "STATMSG: ID=42070" in log


@pytest.mark.parametrize(
    "values,error",
    [
        ({"options": ScheduleOptions(remove_superseded=True)}, NotOffered),
        ({"options": ScheduleOptions(export_after=True)}, NotOffered),
        ({"options": ScheduleOptions(retries=99)}, ScheduleError),
        ({"targets": []}, ScheduleError),
        ({"targets": [Target("CAS00001"), Target("CAS00001", (1,))]}, ScheduleError),
        ({"targets": [Target("CAS0FFFF")]}, NoSuchRecord),
        ({"targets": [Target("CAS00001", (2,))]}, NoSuchRecord),
        ({"selection": Selection()}, ScheduleError),
        ({"selection": Selection(ids=(FIRST_UPDATE,))}, NoSuchRecord),
        ({"zone": "Europe/Atlantis"}, ScheduleError),
        ({"name": "x" * 201}, ScheduleError),
        ({"name": "a\nb"}, ScheduleError),
        ({"queue": "two words"}, ScheduleError),
        ({"priority": 1001}, ScheduleError),
        ({"recurrence": Once.parse("2026-11-03T11:59")}, ScheduleError),
        ({"recurrence": Cron.parse(f"{'0,' * 300}0 1 * * *")}, ScheduleError),
        ({"recurrence": Once.parse("2199-12-31T23:00-12:00")}, ScheduleError),
        ({"window": Window.parse("22:00-04:00")}, ScheduleError),
        (
            {
                "recurrence": Once.parse("2026-11-04T11:59"),
                "window": Window.parse("", ["2026-11-04"]),
            },
            ScheduleError,
        ),
    ],
)
def test_what_is_refused_leaves_nothing(
    yard: Yard, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as refused:
        yard.add(**values)
    assert type(refused.value) is error
    with yard.site.reading() as session:
        assert session.scalar(select(func.count()).select_from(Schedule)) == 0
        assert session.scalar(select(SiteRow.next_schedule)) == FIRST_NUMBER
    assert yard.messages(42070) == []


def test_what_is_not_offered_yet_says_what_to_do(yard: Yard) -> None:
    with pytest.raises(NotOffered) as refused:
        yard.add(options=ScheduleOptions(remove_superseded=True))
    assert refused.value.exit_code == 88
    assert "--remove-superseded" in refused.value.hint


def test_a_retired_update_cannot_be_named(yard: Yard) -> None:
    update = yard.add_update()
    with yard.site.writing() as session:
        session.get_one(UpdateRow, update).retired_at = yard.site.now()
    with pytest.raises(ScheduleError, match="retired"):
        yard.add(selection=Selection(ids=(update,)))


def test_switched_off_and_on(yard: Yard) -> None:
    added = yard.add()
    assert disable_schedule(yard.site, added.id).next_due is None
    assert not disable_schedule(yard.site, added.id).enabled
    yard.at("2026-11-20T12:00Z")
    enabled = enable_schedule(yard.site, added.id)
    assert enable_schedule(yard.site, added.id).enabled
    assert enabled.next_due is not None
    assert f"{enabled.next_due:%m-%d %H:%M}" == "11-20 13:00"
    assert [row.strings[1] for row in yard.messages(42071)] == [
        "it is switched off",
        "it is switched on",
    ]


def test_what_is_over_cannot_be_switched_on(yard: Yard) -> None:
    added = yard.add(recurrence=Once.parse("2026-11-04T12:00"))
    disable_schedule(yard.site, added.id)
    yard.at("2026-11-04T12:00Z")
    with pytest.raises(ScheduleError, match="never due"):
        enable_schedule(yard.site, added.id)


def test_removed(yard: Yard) -> None:
    update = yard.add_update()
    added = yard.add(selection=Selection(ids=(update,)))
    other = yard.add(recurrence=Now())
    remove_schedule(yard.site, added.id)
    assert [each.id for each in list_schedules(yard.site)] == [other.id]
    assert yard.schedule(added.id).next_due is None
    for verb in (remove_schedule, enable_schedule, disable_schedule, details_of):
        with pytest.raises(NoSuchRecord, match="removed"):
            verb(yard.site, added.id)
    with yard.site.reading() as session:
        assert session.scalars(select(ScheduleUpdate)).all() == []
    assert [row.strings for row in yard.messages(42072)] == [[str(added.id), "nightly"]]


def test_a_schedule_without_a_name_is_told_of_without_one(yard: Yard) -> None:
    added = yard.add(name="")
    remove_schedule(yard.site, added.id)
    said = [*yard.messages(42070), *yard.messages(42072)]
    assert [text_of(row) for row in said] == [
        f"The schedule with ID {added.id} was added: it has no name.",
        f"The schedule with ID {added.id} was removed: it has no name.",
    ]


def test_those_of_one_image_package(yard: Yard) -> None:
    yard.add_packages(1)
    first = yard.add()
    second = yard.add(targets=[Target("CAS00001"), Target("CAS00002")])
    found = list_schedules(yard.site, package_id="cas00002")
    assert [each.id for each in found] == [second.id]
    assert [each.id for each in list_schedules(yard.site)] == [first.id, second.id]


@pytest.mark.parametrize("number", [0, FIRST_NUMBER, 1 << 40])
def test_what_is_not_there(yard: Yard, number: int) -> None:
    with pytest.raises(NoSuchRecord):
        details_of(yard.site, number)
