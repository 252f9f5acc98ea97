"""The status of a site, on both kinds of database."""

from __future__ import annotations

import shutil
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select

from tests.site.conftest import SetClock
from tests.site.filled import fill, row_of
from tests.site.timing import quickest
from wimdock.site.audit import AuditFilter, list_audit
from wimdock.site.models import Audit, Base, History, Run, RunState, SiteRow
from wimdock.site.site import Site
from wimdock.site.status import status_of

MANY = 100_000
SOON = 0.5


def test_a_site_with_something_in_every_table(site: Site) -> None:
    fill(site)
    found = status_of(site)
    assert found.counts["history"] == found.counts["status_messages"] == 3
    assert found.counts["runs"] == 3
    assert found.sizes.database > 100_000
    assert found.sizes.free > 0
    assert {worker.state for worker in found.workers} <= {"running", "stopping"}
    assert found.schema == "0001"


def test_schedules_that_nobody_looks_at(site: Site, clock: SetClock) -> None:
    assert status_of(site).problems == ()
    values = row_of(Base.metadata.tables["schedules"], 2)
    values |= {"enabled": True, "removed_at": None, "next_due": clock.now()}
    with site.writing() as session:
        session.execute(insert(Base.metadata.tables["schedules"]), values)
    assert "nothing has looked at them yet" in status_of(site).problems[0]
    with site.writing() as session:
        session.get_one(SiteRow, 1).last_tick = clock.now()
    clock.advance(minutes=2)
    assert status_of(site).problems == ()
    clock.advance(seconds=1)
    assert "for 2 minutes" in status_of(site).problems[0]
    with site.writing() as session:
        session.execute(Base.metadata.tables["schedules"].update().values(enabled=False))
    assert status_of(site).problems == ()


def test_a_run_that_is_held_back_is_no_problem(site: Site, clock: SetClock) -> None:
    tables = Base.metadata.tables
    package = row_of(tables["image_packages"], 1) | {"state": "as recorded"}
    later = {"not_before": clock.now() + timedelta(minutes=1), "state": RunState.QUEUED}
    with site.writing() as session:
        session.execute(insert(tables["image_packages"]), package)
        values = row_of(tables["runs"], 1) | {"package_id": package["id"]}
        session.execute(insert(Run), values | later)
    assert status_of(site).problems == ()
    clock.advance(minutes=1)
    assert status_of(site).problems == (
        "1 run waits, but no worker lives: start `wimdock serve` or `wimdock worker`",
    )


def test_a_disk_that_is_nearly_full(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=500 << 20))
    assert status_of(site).problems == (f"the disk of {site.folder} has 500 MiB left",)


def test_it_is_told_soon_of_a_large_site(site: Site, clock: SetClock) -> None:
    history = row_of(Base.metadata.tables["history"], 1)
    note = {"at": clock.now(), "operator": "x", "object": "x", "detail": {}}
    with site.writing() as session:
        for start in range(0, MANY, 10_000):
            session.execute(insert(History), [history] * 10_000)
            notes = [note | {"action": f"test.{start + number}"} for number in range(1000)]
            session.execute(insert(Audit), notes)
        assert session.scalar(select(func.count(History.id))) == MANY

    def ask() -> None:
        assert status_of(site).counts["history"] == MANY
        assert len(list_audit(site, AuditFilter(action="test"), 50)) == 50

    assert quickest(ask) < SOON
