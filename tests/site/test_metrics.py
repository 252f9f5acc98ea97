"""Metrics: true to the database, all documented, and few."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import REPOSITORY
from tests.site.conftest import SetClock
from wimdock import __version__
from wimdock.site.metrics import CATALOGUE, metrics_text
from wimdock.site.metrics.catalogue import MOST_QUEUES, PROCESS, MetricKind
from wimdock.site.models import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    GenerationRow,
    ImagePackage,
    Notification,
    NotificationState,
    Occurrence,
    OccurrenceOutcome,
    PointKind,
    Run,
    RunState,
    Schedule,
    SiteRow,
    StepName,
    UpdateResultRow,
    UpdateRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.site import Site

GUIDE = REPOSITORY / "docs" / "guide" / "monitoring.md"


def families(site: Site) -> dict[str, Metric]:
    return {each.name: each for each in text_string_to_metric_families(metrics_text(site).decode())}


def values(site: Site) -> dict[str, float]:
    """Give every sample by its name and its labels' values."""
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in families(site).values()
        for sample in family.samples
    }


def add_package(site: Site, number: int = 1, **members: Any) -> str:
    package_id = f"CAS{number:05X}"
    with site.writing() as session:
        session.add(
            ImagePackage(
                **{
                    "id": package_id,
                    "type": 257,
                    "name": "Golden",
                    "path": f"/srv/{number}.wim",
                    "header": "00",
                    "length": 1000,
                    "preflight": {},
                    "added_at": site.now(),
                    "read_at": site.now(),
                }
                | members
            )
        )
    return package_id


def add_run(site: Site, **members: Any) -> int:
    with site.writing() as session:
        run = Run(
            **{
                "package_id": "CAS00001",
                "state": RunState.QUEUED,
                "queue": "default",
                "priority": 0,
                "indexes": [],
                "update_ids": [],
                "options": {},
                "storage": "",
                "architecture": "",
                "memory": 0,
                "created_at": site.now(),
                "created_by": "tester",
            }
            | members
        )
        session.add(run)
        session.flush()
        return run.id


def test_an_empty_site(site: Site) -> None:
    found = values(site)
    kind = "sqlite" if site.database.is_sqlite else "postgresql"
    assert found[f"wimdock_site_info CAS {kind} {__version__}"] == 1
    assert found["wimdock_database_up"] == 1
    assert found["wimdock_queue_runs default"] == 0
    assert found["wimdock_runs_ended_total failed"] == 0
    assert found["wimdock_workers dead"] == 0
    assert "wimdock_tick_age_seconds" not in found
    assert found["process_resident_memory_bytes"] > 1 << 20


def test_runs_and_queues(site: Site, clock: SetClock) -> None:
    add_package(site)
    add_run(site)
    clock.advance(seconds=40)
    add_run(site, queue="slow")
    add_run(site, queue="slow", not_before=clock.now() + timedelta(hours=1))
    add_run(site, state=RunState.RUNNING, step=StepName.APPLY)
    add_run(site, state=RunState.RUNNING, step=StepName.APPLY, orphaned_at=clock.now())
    for seconds in (5, 10, 11, 50_000):
        begun = clock.now() - timedelta(seconds=seconds)
        add_run(
            site,
            state=RunState.SUCCEEDED,
            step=StepName.RECORD,
            started_at=begun,
            ended_at=clock.now(),
            added=100,
        )
    add_run(site, state=RunState.CANCELLED, ended_at=clock.now())
    clock.advance(seconds=2)
    found = values(site)
    assert (found["wimdock_runs queued"], found["wimdock_runs running"]) == (3, 2)
    assert found["wimdock_runs_at_step apply"] == 2
    assert found["wimdock_runs_at_step record"] == 0
    assert found["wimdock_runs_orphaned"] == 1
    assert found["wimdock_runs_ended_total succeeded"] == 4
    assert found["wimdock_runs_ended_total cancelled"] == 1
    assert found["wimdock_added_bytes_total"] == 400
    assert (found["wimdock_queue_runs default"], found["wimdock_queue_runs slow"]) == (1, 2)
    assert found["wimdock_queue_oldest_seconds default"] == 42
    assert found["wimdock_queue_oldest_seconds slow"] == 2
    buckets = {
        sample.labels["le"]: sample.value
        for sample in families(site)["wimdock_run_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert (buckets["10.0"], buckets["30.0"], buckets["28800.0"], buckets["+Inf"]) == (2, 3, 3, 4)
    assert found["wimdock_run_seconds_count succeeded"] == 4
    assert found["wimdock_run_seconds_sum succeeded"] == pytest.approx(50_026, abs=0.01)
    assert "wimdock_run_seconds_count cancelled" not in found


def test_packages_updates_and_results(site: Site) -> None:
    add_package(site)
    add_package(site, 2, length=5)
    add_package(site, 3, removed_at=site.now(), path=None)
    run_id = add_run(site)
    with site.writing() as session:
        for number in (1, 2):
            session.add(
                GenerationRow(
                    package_id="CAS00001",
                    number=number,
                    name=f"g{number}",
                    length=1,
                    added=1,
                    at=site.now(),
                    note="",
                )
            )
        for number, (unsupported, retired) in enumerate(
            (([], None), (["it is of a kind"], None), ([], site.now()))
        ):
            session.add(
                UpdateRow(
                    id=number,
                    sha256=str(number),
                    file_name="a.cab",
                    size=1,
                    title="",
                    identity="",
                    family="",
                    kb="",
                    architecture="",
                    version="",
                    language="",
                    classification="",
                    stack=False,
                    targets=[],
                    roots=[],
                    packages=[],
                    catalogued=True,
                    verified=1,
                    signer="",
                    unsupported=unsupported,
                    imported_at=site.now(),
                    imported_by="",
                    source="",
                    retired_at=retired,
                )
            )
            session.add(
                UpdateResultRow(
                    run_id=run_id,
                    index=1,
                    update_id=number,
                    package="",
                    status=2,
                    outcome="failed" if number else "installed",
                    reason="",
                    at=site.now(),
                )
            )
    found = values(site)
    assert found["wimdock_image_packages as recorded"] == 2
    assert found["wimdock_image_packages missing"] == 0
    assert found["wimdock_image_bytes"] == 1005
    assert found["wimdock_generations"] == 2
    for state in ("offered", "unsupported", "retired"):
        assert found[f"wimdock_updates {state}"] == 1
    assert found["wimdock_update_results_total installed"] == 1
    assert found["wimdock_update_results_total failed"] == 2


def test_schedules_workers_points_and_notifications(site: Site, clock: SetClock) -> None:
    add_package(site)
    now = clock.now()
    with site.writing() as session:
        session.get_one(SiteRow, 1).last_tick = now
        for number, (enabled, due) in enumerate(
            ((True, now), (True, now + timedelta(days=1)), (False, now))
        ):
            session.add(
                Schedule(
                    id=number,
                    name="",
                    enabled=enabled,
                    recurrence={},
                    zone="UTC",
                    window={},
                    selection={},
                    options={},
                    queue="default",
                    priority=0,
                    next_due=due,
                    sms_action=0,
                    sms_state=0,
                    created_at=now,
                    created_by="",
                )
            )
        session.flush()
        session.add(
            Occurrence(
                schedule_id=0, instant=now, outcome=OccurrenceOutcome.MISSED, at=now, reason=""
            )
        )
        for number, (state, age) in enumerate(
            (
                (WorkerState.RUNNING, 0),
                (WorkerState.RUNNING, 60),
                (WorkerState.STOPPING, 0),
                (WorkerState.DEAD, 600),
            )
        ):
            session.add(
                WorkerRow(
                    id=str(number),
                    host="",
                    boot="",
                    pid=1,
                    version="",
                    queues=[],
                    architectures=[],
                    storages=[],
                    memory=0,
                    concurrency=3,
                    state=state,
                    started_at=now,
                    heartbeat_at=now - timedelta(seconds=age),
                    lease_seconds=30,
                )
            )
        for number, (enabled, down) in enumerate(((True, None), (True, now), (False, None))):
            session.add(
                DistributionPoint(
                    id=number + 1,
                    name=str(number),
                    kind=PointKind.FOLDER,
                    location=f"/{number}",
                    options={},
                    enabled=enabled,
                    added_at=now,
                    down_since=down,
                    sent=10,
                )
            )
        session.flush()
        session.add(
            DistributedContent(
                point_id=1,
                package_id="CAS00001",
                state=ContentState.FAILED,
                wanted_version=1,
                transfer={},
            )
        )
        for told in (NotificationState.WAITING, NotificationState.SENT):
            session.add(
                Notification(
                    target="ops",
                    event="failed",
                    body={},
                    created_at=now - timedelta(minutes=2),
                    state=told,
                    next_try_at=now,
                )
            )
    clock.advance(seconds=9)
    found = values(site)
    assert found["wimdock_tick_age_seconds"] == 9
    assert (found["wimdock_schedules enabled"], found["wimdock_schedules disabled"]) == (2, 1)
    assert found["wimdock_schedules_due"] == 1
    assert found["wimdock_schedule_instants_total missed"] == 1
    assert found["wimdock_schedule_instants_total started"] == 0
    assert (found["wimdock_workers running"], found["wimdock_workers dead"]) == (2, 1)
    assert found["wimdock_workers_silent"] == 1
    assert found["wimdock_worker_slots"] == 6
    for word in ("up", "down", "disabled"):
        assert found[f"wimdock_distribution_points {word}"] == 1
    assert found["wimdock_distribution_contents failed"] == 1
    assert found["wimdock_sent_bytes_total"] == 30
    assert found["wimdock_notifications waiting"] == 1
    assert found["wimdock_notifications given up"] == 0
    assert found["wimdock_notifications_oldest_seconds"] == 129


def test_a_queue_called_other_is_counted_with_the_others(site: Site) -> None:
    add_package(site)
    for queue in ("other", *(f"queue {number:02}" for number in range(MOST_QUEUES + 5))):
        add_run(site, queue=queue)
    text = metrics_text(site).decode()
    assert text.count('wimdock_queue_runs{queue="other"}') == 1
    found = values(site)
    queues = [name for name in found if name.startswith("wimdock_queue_runs ")]
    assert sum(found[name] for name in queues) == MOST_QUEUES + 6


def test_the_number_of_series_does_not_grow_with_the_site(site: Site) -> None:
    add_package(site)
    for number in range(MOST_QUEUES + 5):
        add_run(site, queue=f'queue {number}\n"quoted" \\')
    found = values(site)
    queues = [name for name in found if name.startswith("wimdock_queue_runs ")]
    assert len(queues) == MOST_QUEUES + 1
    assert sum(found[name] for name in queues) == MOST_QUEUES + 5
    before = len(found)
    for number in range(2, 12):
        package = add_package(site, number)
        add_run(site, package_id=package, state=RunState.FAILED)
    assert len(values(site)) == before
    assert before < 250


def test_what_bytes_were_sent_is_counted_for_good(
    site: Site, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    from tests.site.distribution.distributing import means, register
    from wimdock.site.distribution import add_point, send_to

    served = register(site, lab_image("xpress"), tmp_path / "point")
    add_point(site, "here", str(served.point))
    sent = [sum(each.sent for each in send_to(site, [served.id], ["here"], means=means()))]
    served.service()
    sent.append(sum(each.sent for each in send_to(site, [served.id], ["here"], means=means())))
    assert 0 < sent[1] < sent[0]
    assert values(site)["wimdock_sent_bytes_total"] == sum(sent)


def rows_of(guide: str) -> list[str]:
    return [line for line in guide.splitlines() if re.match(r"\| `(wimdock|process)_", line)]


def row(kind: MetricKind) -> str:
    labels = ", ".join(f"`{label}`" for label in kind.labels)
    return f"| `{kind.name}` | {kind.type} | {labels} | {kind.words} |"


def test_every_metric_is_documented(site: Site) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert rows_of(guide) == [row(kind) for kind in (*CATALOGUE, *PROCESS)]
    with site.writing() as session:
        session.get_one(SiteRow, 1).last_tick = site.now()
    add_package(site)
    ended = site.now()
    run_id = add_run(site, state=RunState.FAILED, started_at=ended, ended_at=ended)
    with site.writing() as session:
        session.add(
            UpdateResultRow(
                run_id=run_id,
                index=1,
                update_id=1,
                package="",
                status=2,
                outcome="installed",
                reason="",
                at=ended,
            )
        )
    known = {kind.name.removesuffix("_total"): kind for kind in (*CATALOGUE, *PROCESS)}
    found = families(site)
    assert set(found) == set(known)
    for name, family in found.items():
        assert family.type == known[name].type
        assert family.documentation
        for sample in family.samples:
            assert tuple(sorted(set(sample.labels) - {"le"})) == tuple(sorted(known[name].labels))
    for name, kind in known.items():
        if not name.startswith("process_"):
            assert found[name].documentation == kind.words
    alerts = re.findall(r"\bwimdock_[a-z_]+", guide.split("## What to be woken for")[1])
    assert set(alerts) <= {kind.name for kind in CATALOGUE}
