"""Removing image packages: what forbids it, what stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.servicing.surroundings import everything_in
from wimdock.errors import AlreadyRecorded, NoSuchRecord
from wimdock.site.images.adding import add_package
from wimdock.site.images.details import details_of
from wimdock.site.images.listing import list_packages
from wimdock.site.images.records import file_of, package_of
from wimdock.site.images.removing import remove_package
from wimdock.site.messages import history_of
from wimdock.site.models import Run, RunState, Schedule, ScheduleTarget
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.site import Site


@pytest.fixture
def file(lab_image: Callable[[str], Path], site: Site) -> Path:
    """Give the file of CAS00001."""
    file = lab_image("lzx").resolve()
    add_package(site, file)
    return file


def add_schedule(site: Site, number: int, *package_ids: str) -> None:
    """Put a schedule into the database, as its own room would."""
    facts: dict[str, Any] = {"recurrence": {}, "window": {}, "selection": {}, "options": {}}
    with site.writing() as session:
        session.add(
            Schedule(
                id=number,
                name="monthly",
                enabled=True,
                zone="UTC",
                queue="default",
                priority=0,
                sms_action=1,
                sms_state=0,
                created_at=site.now(),
                created_by="tester",
                targets=[
                    ScheduleTarget(package_id=each, position=position, indexes=[])
                    for position, each in enumerate(package_ids)
                ],
                **facts,
            )
        )


def add_run(site: Site, state: RunState) -> None:
    """Make a run of CAS00001 in a state."""
    with site.writing() as session:
        run = create_run(session, site, RunRequest(package_of(session, "CAS00001"), []))
        assert run is not None
        run.state = state


def test_the_file_and_the_history_stay(site: Site, file: Path) -> None:
    before = everything_in(file.parent)
    removed = remove_package(site, "CAS00001")
    assert removed.removed_at == site.now()
    after = everything_in(file.parent)
    assert {name: after[name] for name in before if not name.startswith("site")} == {
        name: facts for name, facts in before.items() if not name.startswith("site")
    }
    assert list_packages(site) == []
    (listed,) = list_packages(site, removed=True)
    assert (listed.id, listed.path, len(listed.images)) == ("CAS00001", None, 1)
    assert [entry.action for entry in history_of(site, "CAS00001")] == ["remove", "add"]
    assert history_of(site, "CAS00001")[0].detail == str(file)
    assert details_of(site, "CAS00001").file is None
    with pytest.raises(NoSuchRecord, match="has no file"):
        file_of(site, removed)
    with pytest.raises(NoSuchRecord, match="was removed"):
        remove_package(site, "CAS00001")


def test_a_removed_file_can_be_added_again(site: Site, file: Path) -> None:
    remove_package(site, "CAS00001")
    assert add_package(site, file).id == "CAS00002"
    remove_package(site, "CAS00002")
    assert [each.id for each in list_packages(site, removed=True)] == ["CAS00001", "CAS00002"]


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    "state, words", [(RunState.QUEUED, "run 1 waits"), (RunState.RUNNING, "run 1 works on it")]
)
def test_a_run_forbids_it(site: Site, state: RunState, words: str) -> None:
    add_run(site, state)
    with pytest.raises(AlreadyRecorded, match=words) as caught:
        remove_package(site, "CAS00001", from_schedules=True)
    assert "wimdock run cancel 1" in caught.value.hint
    assert [each.id for each in list_packages(site)] == ["CAS00001"]


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize("state", [state for state in RunState if state.ended])
def test_a_run_that_has_ended_forbids_nothing(site: Site, state: RunState) -> None:
    add_run(site, state)
    remove_package(site, "CAS00001")
    with site.reading() as session:
        assert session.scalars(select(Run.package_id)).all() == ["CAS00001"]


@pytest.mark.usefixtures("file")
def test_schedules_forbid_it_unless_they_go_on_without(
    site: Site, lab_image: Callable[[str], Path]
) -> None:
    add_package(site, lab_image("xpress"))
    add_schedule(site, 0x01000001, "CAS00001", "CAS00002")
    add_schedule(site, 0x01000002, "CAS00002")
    with pytest.raises(AlreadyRecorded, match="the schedule 16777217 ") as caught:
        remove_package(site, "CAS00001")
    assert "--from-schedules" in caught.value.hint
    assert [each.id for each in list_packages(site)] == ["CAS00001", "CAS00002"]
    remove_package(site, "CAS00001", from_schedules=True)
    with site.reading() as session:
        left = session.execute(select(ScheduleTarget.schedule_id, ScheduleTarget.package_id)).all()
    assert sorted(tuple(row) for row in left) == [
        (0x01000001, "CAS00002"),
        (0x01000002, "CAS00002"),
    ]


@pytest.mark.usefixtures("file")
def test_a_removed_schedule_forbids_nothing(site: Site) -> None:
    add_schedule(site, 0x01000001, "CAS00001")
    with site.writing() as session:
        session.get_one(Schedule, 0x01000001).removed_at = site.now()
    remove_package(site, "CAS00001")
    assert list_packages(site) == []


@pytest.mark.usefixtures("file")
def test_a_package_whose_storage_location_is_gone_can_be_removed(site: Site) -> None:
    with site.writing() as session:
        package = package_of(session, "CAS00001")
        package.storage, package.path = "nas", "golden.wim"
    remove_package(site, "CAS00001")
    assert history_of(site, "CAS00001")[0].detail == "nas/golden.wim"
    assert list_packages(site) == []
