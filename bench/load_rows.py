"""Fills a site's database with as much as a large site has after some years.

The image packages are copies of the demo's image, each with packages of its own put into the rows
beside what was read of it; schedules and updates are made by the same code that keeps real ones.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, inspect, select, text, update

from tests.site.updates.made_updates import WINDOWS, document, package_id, update_row
from wimdock.servicing.demo_image import make_demo_image
from wimdock.site.images.adding import add_package
from wimdock.site.messages.table import RUN_FAILED, RUN_STARTED, RUN_SUCCEEDED, MessageKind
from wimdock.site.models import (
    Audit,
    Base,
    ContentState,
    DistributedContent,
    DistributionPoint,
    GenerationRow,
    History,
    Image,
    ImagePackage,
    Notification,
    NotificationState,
    Occurrence,
    OccurrenceOutcome,
    PointKind,
    Provider,
    Run,
    RunEvent,
    RunState,
    SiteRow,
    StatusMessageRow,
    Step,
    StepName,
    StepState,
    UpdateResultRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.opening import FIRST_NUMBER
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.records import add_schedule
from wimdock.site.schedules.request import ScheduleRequest, Target
from wimdock.site.site import Site
from wimdock.site.updates.selection import Selection

_AT_ONCE = 2_000
_IMAGES = 4
_INSTALLED = 40
_KINDS_OF_IMAGES = 25
_FAMILIES = 20
_GENERATIONS = 10
_RUNNING_WORKERS = 8
_ENDED = (RunState.SUCCEEDED,) * 17 + (RunState.FAILED, RunState.REFUSED, RunState.CANCELLED)
_ERROR = {
    "class": "CorruptPackage",
    "message": "a hash in the package does not match",
    "hint": "Download the update again.",
    "exit_code": 42,
    "hresult": 0x80070570,
    "win32": 1392,
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LoadScale:
    """How much there is."""

    packages: int = 1_000
    history: int = 100_000
    messages: int = 100_000
    runs: int = 20_000
    updates: int = 200
    schedules: int = 50
    points: int = 5


QUICK = LoadScale(packages=100, history=3_000, messages=3_000, runs=600, updates=40, schedules=10)
"""So little that a test can make it."""


def fill(site: Site, folder: Path, scale: LoadScale, say: Callable[[str], None]) -> None:
    """Fill an empty site; `folder` gets the image files, which are links to one."""
    now = site.now()
    say(f"{scale.packages:,} image packages")
    _add_packages(site, folder, scale)
    _put(site, GenerationRow, _generations(scale, now))
    say(f"{scale.updates} updates, {scale.schedules} schedules")
    _add_updates(site, scale)
    schedules = _add_schedules(site, scale)
    say(f"{scale.runs:,} runs with their steps, events and results")
    _put(site, Run, _runs(scale, now, schedules))
    _put(site, Step, _steps(scale, now))
    _put(site, RunEvent, _events(scale, now))
    _put(site, UpdateResultRow, _results(scale, now))
    _put(site, Occurrence, _occurrences(now, schedules))
    say(f"{scale.history:,} rows of history, {scale.messages:,} status messages")
    _put(site, History, _history(scale, now))
    _put(site, StatusMessageRow, _messages(site, scale, now))
    say("distribution, notifications, workers and the rest")
    _put(site, DistributionPoint, _points(scale, now))
    _put(site, DistributedContent, _contents(scale, now))
    _put(site, Notification, _notifications(scale, now))
    _put(site, WorkerRow, _workers(now))
    _put(site, Provider, _providers(now))
    _put(site, Audit, _audit(scale, now))
    _settle(site)


def package_ids(scale: LoadScale) -> list[str]:
    """Give the IDs of the image packages."""
    return [f"CAS{number:05X}" for number in range(1, scale.packages + 1)]


def _put(site: Site, model: type[Base], rows: Iterable[Row]) -> None:
    rest = iter(rows)
    while part := list(islice(rest, _AT_ONCE)):
        with site.writing() as session:
            session.execute(insert(model), part)


def _columns(row: Base) -> Row:
    return {each.key: getattr(row, each.key) for each in inspect(type(row)).mapper.column_attrs}


def _ago(now: datetime, place: int, count: int) -> datetime:
    """Give a time within two years; the later places are the later times."""
    return now - timedelta(days=730) * (1 - (place + 1) / (count + 1))


def _add_packages(site: Site, folder: Path, scale: LoadScale) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first = folder / "image-1.wim"
    make_demo_image(first, site.clock)
    add_package(site, first, name="Image 1")
    with site.reading() as session:
        package = _columns(session.scalars(select(ImagePackage)).one())
        image = _columns(session.scalars(select(Image)).first() or Image())
    packages, images = [], []
    for place, each in enumerate(package_ids(scale)):
        path = folder / f"image-{place + 1}.wim"
        if place:
            os.link(first, path)
            own = {"id": each, "path": str(path), "name": f"Image {place + 1}"}
            packages.append(package | own | {"generation": _GENERATIONS})
        installed = [
            package_id(f"Feature-{number}-Package", f"10.0.{place % _KINDS_OF_IMAGES}.{number}")
            for number in range(_INSTALLED)
        ]
        listed = [{"id": one, "state": "installed"} for one in (WINDOWS, *installed)]
        images += [
            image | {"package_id": each, "index": index, "packages": image["packages"] + listed}
            for index in range(1, _IMAGES + 1)
            if place or index > 1
        ]
    _put(site, ImagePackage, packages)
    _put(site, Image, images)
    with site.writing() as session:
        session.execute(update(SiteRow).values(next_package=scale.packages + 1))


def _generations(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for each in package_ids(scale)[1:]:
        for number in range(1, _GENERATIONS + 1):
            yield {
                "package_id": each,
                "number": number,
                "name": f"{number:012x}",
                "length": 5_000_000_000 + number,
                "added": 60_000_000,
                "at": _ago(now, number, _GENERATIONS),
                "note": "2 updates",
                "run_id": number,
            }


def _add_updates(site: Site, scale: LoadScale) -> None:
    with site.writing() as session:
        for place in range(scale.updates):
            family, version = place % _FAMILIES, place // _FAMILIES
            root = package_id(f"Package_for_Update{family}", f"10.0.{version}.1")
            child = package_id(f"Package_{family}_of_it", f"10.0.{version}.1")
            session.add(
                update_row(
                    FIRST_NUMBER + place,
                    document(root, children=(child,), components=0),
                    document(child, root=False),
                    kb=f"KB{5_000_000 + place}",
                    released_at=site.now() - timedelta(days=scale.updates - place),
                    retired_at=site.now() if place < scale.updates // 2 else None,
                )
            )
        session.execute(update(SiteRow).values(next_update=FIRST_NUMBER + scale.updates))


def _add_schedules(site: Site, scale: LoadScale) -> list[int]:
    ids = package_ids(scale)
    share = scale.packages // scale.schedules
    made = []
    for place in range(scale.schedules):
        targets = [Target(each) for each in ids[place * share : (place + 1) * share]]
        request = ScheduleRequest(
            targets,
            Cron.parse("0 22 * * TUE#2"),
            Selection(all_applicable=True, newest_per_family=True),
            name=f"Group {place + 1}",
            zone="Europe/Berlin",
        )
        made.append(add_schedule(site, request).id)
    return made


def _runs(scale: LoadScale, now: datetime, schedules: list[int]) -> Iterator[Row]:
    ids, dice = cycle(package_ids(scale)), random.Random(1)
    for place in range(scale.runs):
        state, at = dice.choice(_ENDED), _ago(now, place, scale.runs)
        yield {
            "id": place + 1,
            "schedule_id": dice.choice(schedules),
            "package_id": next(ids),
            "instant": at,
            "state": state,
            "queue": "default",
            "priority": 0,
            "indexes": [],
            "update_ids": [FIRST_NUMBER + number for number in range(3)],
            "options": {"continue_on_error": True},
            "storage": "",
            "architecture": "amd64",
            "memory": 512 << 20,
            "attempt": 1,
            "worker_id": f"worker-{place % _RUNNING_WORKERS}",
            "step": StepName.RECORD,
            "created_at": at,
            "created_by": "scheduler",
            "started_at": at,
            "ended_at": at + timedelta(seconds=dice.randrange(20, 3_000)),
            "error": _ERROR if state in (RunState.FAILED, RunState.REFUSED) else {},
            "generation": 1,
            "added": 60_000_000,
        }


def _steps(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for place in range(scale.runs):
        for name in StepName:
            yield {
                "run_id": place + 1,
                "name": name,
                "state": StepState.SUCCEEDED,
                "attempt": 1,
                "token": f"{place}",
                "started_at": _ago(now, place, scale.runs),
                "ended_at": _ago(now, place, scale.runs),
                "result": {"words": "as it should be"},
                "error": {},
            }


def _events(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for place in range(scale.runs):
        for number in range(8):
            yield {
                "run_id": place + 1,
                "at": _ago(now, place, scale.runs),
                "kind": "step_ended",
                "step": ["Apply"],
                "text": f"{number} files",
                "severity": "info",
                "seconds": 1.0,
            }


def _results(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for place in range(scale.runs):
        for number in range(3):
            yield {
                "run_id": place + 1,
                "index": 1,
                "update_id": FIRST_NUMBER + number,
                "package": package_id("Package_for_Update", f"10.0.{number}.1"),
                "status": 2,
                "outcome": "failed" if number == place % 30 else "installed",
                "reason": "",
                "added": 20_000_000,
                "at": _ago(now, place, scale.runs),
            }


def _occurrences(now: datetime, schedules: list[int]) -> Iterator[Row]:
    for schedule in schedules:
        for place in range(100):
            yield {
                "schedule_id": schedule,
                "instant": _ago(now, place, 100),
                "outcome": OccurrenceOutcome.STARTED,
                "at": _ago(now, place, 100),
                "reason": "",
            }


def _history(scale: LoadScale, now: datetime) -> Iterator[Row]:
    ids = cycle(package_ids(scale))
    for place in range(scale.history):
        yield {
            "package_id": next(ids),
            "at": _ago(now, place, scale.history),
            "action": "service",
            "result": "succeeded",
            "generation": 1,
            "run_id": place % scale.runs + 1,
            "operator": "scheduler",
            "seconds": 300.0,
            "updates": [
                {
                    "id": FIRST_NUMBER + number,
                    "index": 1,
                    "title": "An update",
                    "result": "installed",
                }
                for number in range(3)
            ],
            "detail": "",
        }


def _messages(site: Site, scale: LoadScale, now: datetime) -> Iterator[Row]:
    ids = cycle(package_ids(scale))
    kinds: tuple[MessageKind, ...] = (*(RUN_STARTED, RUN_SUCCEEDED) * 9, RUN_STARTED, RUN_FAILED)
    for place in range(scale.messages):
        kind, each = kinds[place % len(kinds)], next(ids)
        run = place % scale.runs + 1
        values = {"run": str(run), "package": each, "schedule": str(FIRST_NUMBER)}
        yield {
            "message_id": kind.id,
            "severity": kind.severity,
            "component": kind.component,
            "machine": "site.contoso.com",
            "site_code": site.code,
            "at": _ago(now, place, scale.messages),
            "pid": 1,
            "tid": 1,
            "strings": [values.get(name, "something") for name in kind.strings],
            "run_id": run,
            "schedule_id": None,
            "package_id": each,
        }


def _points(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for number in range(1, scale.points + 1):
        yield {
            "name": f"point-{number}",
            "kind": PointKind.FOLDER,
            "location": f"/mnt/point-{number}",
            "options": {},
            "enabled": True,
            "added_at": now,
            "down_since": now if number == 1 else None,
        }


def _contents(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for point in range(1, scale.points + 1):
        for each in package_ids(scale):
            yield {
                "point_id": point,
                "package_id": each,
                "state": ContentState.CURRENT,
                "content_version": 1,
                "wanted_version": 1,
                "transfer": {},
                "verified_at": now,
            }


def _notifications(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for place in range(scale.runs // 4):
        yield {
            "target": "ops",
            "event": "failed",
            "body": {"id": f"00000000-0000-4000-8000-{place:012d}", "event": "failed"},
            "run_id": place + 1,
            "attempt_of_run": 1,
            "created_at": _ago(now, place, scale.runs // 4),
            "state": NotificationState.SENT,
            "attempts": 1,
            "next_try_at": now,
            "sent_at": now,
        }


def _workers(now: datetime) -> Iterator[Row]:
    for number in range(100):
        yield {
            "id": f"worker-{number}",
            "host": f"host-{number}",
            "boot": "",
            "pid": 1,
            "version": "1",
            "queues": ["default"],
            "architectures": [],
            "storages": [],
            "memory": 8 << 30,
            "concurrency": 2,
            "state": WorkerState.RUNNING if number < _RUNNING_WORKERS else WorkerState.STOPPED,
            "started_at": now,
            "heartbeat_at": now,
            "lease_seconds": 30.0,
            "ended_at": None if number < _RUNNING_WORKERS else now,
        }


def _providers(now: datetime) -> Iterator[Row]:
    for number in range(20):
        yield {"name": f"CM{number}", "build": "10.0.17763", "source": "given", "added_at": now}


def _audit(scale: LoadScale, now: datetime) -> Iterator[Row]:
    for place in range(scale.runs):
        yield {
            "at": _ago(now, place, scale.runs),
            "operator": "somebody",
            "action": "schedule.run-now",
            "object": "16777217",
            "detail": {},
        }


def _settle(site: Site) -> None:
    """Let PostgreSQL look at what it has, as it does by itself in time, and count on from there."""
    if site.database.is_sqlite:
        return
    with site.writing() as session:
        for table in ("runs", "distribution_points"):
            session.execute(
                select(
                    func.setval(
                        func.pg_get_serial_sequence(table, "id"),
                        select(func.max(Base.metadata.tables[table].c.id)).scalar_subquery(),
                    )
                )
            )
        session.execute(text("ANALYZE"))
