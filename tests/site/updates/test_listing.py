"""Listing, showing and retiring updates of the library."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.site.updates.library_state import files_of, messages_of, rows_of, small_update
from tests.site.updates.made_updates import MADE_AT, WINDOWS, document, package_id, update_row
from wimdock.errors import AlreadyRecorded, NoSuchRecord
from wimdock.site.models import (
    Audit,
    ImagePackage,
    Run,
    RunState,
    Schedule,
    ScheduleUpdate,
    UpdateRow,
)
from wimdock.site.site import Site
from wimdock.site.updates.details import details_of
from wimdock.site.updates.importing import ImportOptions, ImportState, import_updates
from wimdock.site.updates.listing import UpdateFilter, list_updates
from wimdock.site.updates.retiring import retire

ROLLUP = "Package_for_RollupFix"


def add(site: Site, *rows: Any) -> None:
    with site.writing() as session:
        session.add_all(rows)


def listed(site: Site, wanted: UpdateFilter | None = None) -> list[int]:
    with site.reading() as session:
        return [each.id for each in list_updates(session, wanted)]


def schedule(number: int, **values: Any) -> Schedule:
    columns = {
        "id": number,
        "name": "",
        "enabled": True,
        "recurrence": {},
        "zone": "UTC",
        "window": {},
        "selection": {},
        "options": {},
        "queue": "default",
        "priority": 0,
        "next_due": datetime(2027, 1, 1, tzinfo=UTC),
        "sms_action": 1,
        "sms_state": 1,
        "created_at": MADE_AT,
        "created_by": "somebody",
    }
    return Schedule(**columns | values)


def run_with(site: Site, update_ids: Sequence[int], state: RunState) -> None:
    package = ImagePackage(
        id="CAS00001",
        type=257,
        name="",
        path="/x.wim",
        header="",
        length=1,
        preflight={},
        added_at=MADE_AT,
        read_at=MADE_AT,
    )
    run = Run(
        package_id="CAS00001",
        state=state,
        queue="default",
        priority=0,
        indexes=[],
        update_ids=list(update_ids),
        options={},
        storage="",
        architecture="amd64",
        memory=1,
        created_at=MADE_AT,
        created_by="somebody",
    )
    add(site, package)
    add(site, run)


def test_filters(site: Site) -> None:
    add(
        site,
        update_row(1, document(package_id("OpenSSH-Client-Package", "10.0.19041.1"))),
        update_row(2, document(package_id(ROLLUP, "19041.1.1.1", arch="x86")), kb="KB5000802"),
        update_row(3, document(package_id(ROLLUP, "19041.2.1.1")), retired_at=MADE_AT),
        update_row(4, document(package_id("100%_sure", "1.0")), unsupported=["a", "b"]),
    )
    assert listed(site) == [1, 2, 4]
    assert listed(site, UpdateFilter(retired=True)) == [3]
    assert listed(site, UpdateFilter(retired=None)) == [1, 2, 3, 4]
    assert listed(site, UpdateFilter(unsupported=True)) == [4]
    assert listed(site, UpdateFilter(unsupported=False)) == [1, 2]
    assert listed(site, UpdateFilter(kb="KB5000802")) == [2]
    assert listed(site, UpdateFilter(architecture="X86")) == [2]
    assert listed(site, UpdateFilter(family="openssh-")) == [1]
    assert listed(site, UpdateFilter(family="%")) == []
    assert listed(site, UpdateFilter(family="100%_")) == [4]


def test_superseded_ones_are_known_within_one_windows(site: Site) -> None:
    other = WINDOWS.replace("19041.1", "22000.1")
    add(
        site,
        update_row(1, document(package_id(ROLLUP, "19041.1.1.1"))),
        update_row(2, document(package_id(ROLLUP, "19041.2.1.1"))),
        update_row(3, document(package_id(ROLLUP, "19041.3.1.1"), parents=(WINDOWS, other))),
        update_row(4, document(package_id(ROLLUP, "22000.1.1.1"), parents=(other,))),
        update_row(5, document(package_id(ROLLUP, "19041.9.1.1")), retired_at=MADE_AT),
        update_row(6, document(package_id(ROLLUP, "19041.9.1.1", arch="x86"))),
    )
    with site.reading() as session:
        found = {each.id: each.superseded_by for each in list_updates(session)}
    assert found == {1: 3, 2: 3, 3: None, 4: None, 6: None}
    details = details_of(site, 3)
    assert (details.superseded_by, details.supersedes) == (None, (1, 2))
    assert "is not in the library" in details.file


def test_thousands_are_listed_in_half_a_second(site: Site) -> None:
    packages = [document(package_id(f"Child-{n}", "1.0"), root=False) for n in range(20)]
    add(
        site,
        *(
            update_row(n, document(package_id(f"F{n % 800}", f"19041.{n}.1.1")), *packages)
            for n in range(1, 4001)
        ),
    )
    began = time.process_time()
    found = listed(site)
    spent = time.process_time() - began
    assert len(found) == 4000
    assert spent < 0.5


def test_retiring(site: Site, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    import_updates(site, cabinet)
    (row,) = rows_of(site)
    (done,) = retire(site, [row.id, row.id])
    assert (done.was_retired, done.freed) == (False, 0)
    assert listed(site) == []
    assert files_of(site)
    (again,) = retire(site, [row.id], delete_file=True)
    assert (again.was_retired, again.freed) == (True, row.size)
    assert files_of(site) == {}
    assert list(site.library.glob("??/*")) == []
    assert retire(site, [row.id], delete_file=True)[0].freed == 0
    assert [number for number, _text in messages_of(site)] == [42030, 42031]
    with site.reading() as session:
        actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["update.import", "update.retire"]
    (kept,) = import_updates(site, cabinet, ImportOptions(revive=False))
    assert (kept.state, kept.notes) == (ImportState.KNOWN, ("it is retired",))
    assert files_of(site) == {}
    (back,) = import_updates(site, cabinet)
    assert back.state is ImportState.BROUGHT_BACK
    assert listed(site) == [row.id]
    assert details_of(site, row.id).file == ""


def test_all_are_retired_or_none(site: Site) -> None:
    add(site, update_row(1, document(package_id("A", "1.0"))))
    with pytest.raises(NoSuchRecord):
        retire(site, [1, 2])
    with pytest.raises(NoSuchRecord):
        retire(site, [1 << 40])
    assert listed(site) == [1]


@pytest.mark.parametrize(
    "values, refused",
    [
        ({}, True),
        ({"next_due": None, "enabled": False}, True),
        ({"next_due": None}, False),
        ({"removed_at": MADE_AT}, False),
    ],
)
def test_a_schedule_that_names_it(values: dict[str, Any], *, refused: bool, site: Site) -> None:
    add(site, update_row(1, document(package_id("A", "1.0"))), schedule(7, **values))
    add(site, ScheduleUpdate(schedule_id=7, update_id=1, position=0))
    assert details_of(site, 1).schedules == ((7,) if refused else ())
    if refused:
        with pytest.raises(AlreadyRecorded, match="schedule 7"):
            retire(site, [1])
    else:
        retire(site, [1])
    assert listed(site) == ([1] if refused else [])


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.FAILED])
def test_a_run_that_takes_it_keeps_its_file(state: RunState, site: Site, tmp_path: Path) -> None:
    import_updates(site, small_update(tmp_path / "a.cab"))
    (row,) = rows_of(site)
    run_with(site, [row.id], state)
    if state.ended:
        assert retire(site, [row.id], delete_file=True)[0].freed == row.size
        return
    with pytest.raises(AlreadyRecorded, match="run 1 takes it"):
        retire(site, [row.id], delete_file=True)
    with site.reading() as session:
        assert session.get_one(UpdateRow, row.id).retired_at is None
    retire(site, [row.id])
    assert files_of(site)
