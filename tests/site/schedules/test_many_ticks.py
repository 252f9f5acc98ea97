"""Many processes and threads that tick at once: each instant still makes its runs once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.site.conftest import SetClock
from tests.site.schedules.conftest import Yard
from wimdock.site.models import Run
from wimdock.site.opening import Place, open_site
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.request import Target
from wimdock.site.schedules.tick import tick

ROOT = Path(__file__).parents[3]
HOURS = 12


def runs_by_key(yard: Yard) -> Counter[tuple[int | None, str, datetime | None]]:
    with yard.site.reading() as session:
        rows = session.execute(select(Run.schedule_id, Run.package_id, Run.instant)).all()
    return Counter((row.schedule_id, row.package_id, row.instant) for row in rows)


def test_threads(yard: Yard, many: Callable[[int], list[Target]]) -> None:
    targets = many(3)
    schedules = [yard.add(recurrence=Cron.parse("0 * * * *"), targets=targets) for _ in range(4)]
    times = [yard.clock.at + timedelta(minutes=10 * step) for step in range(1, 6 * 4 + 1)]
    made: list[int] = []
    troubles: list[BaseException] = []
    gate = threading.Barrier(6)

    def work() -> None:
        clock = SetClock(times[0])
        site = open_site(Place(yard.site.folder), clock)
        try:
            for at in times:
                clock.at = at
                gate.wait(60)
                made.extend(tick(site).started)
        except BaseException as error:  # noqa: BLE001 - told below
            troubles.append(error)
            gate.abort()
        finally:
            site.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    found = runs_by_key(yard)
    assert set(found.values()) == {1}
    assert len(found) == len(schedules) * len(targets) * 4
    assert sorted(made) == sorted(set(made))
    assert len(made) == len(found)


@pytest.mark.timeout(300)
def test_processes(yard: Yard, many: Callable[[int], list[Target]], tmp_path: Path) -> None:
    targets = many(5)
    schedules = [yard.add(recurrence=Cron.parse("0 * * * *"), targets=targets) for _ in range(3)]
    start = datetime(2026, 11, 3, 13, 0, 10, tzinfo=UTC)
    times = [(start + timedelta(hours=hour)).isoformat() for hour in range(HOURS)]
    go = tmp_path / "go"
    command = [sys.executable, "-m", "tests.site.schedules.ticker", str(yard.site.folder), str(go)]
    tickers = [
        subprocess.Popen([*command, *times], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for ticker in tickers:
        assert ticker.stdout is not None
        assert ticker.stdout.readline() == "ready\n"
    go.touch()
    made: list[int] = []
    for ticker in tickers:
        out, _ = ticker.communicate(timeout=200)
        assert ticker.returncode == 0
        made += json.loads(out)
    found = runs_by_key(yard)
    assert set(found.values()) == {1}
    assert len(found) == len(schedules) * len(targets) * HOURS
    assert len(made) == len(set(made)) == len(found)


@pytest.mark.faults
def test_a_ticker_that_is_killed_leaves_an_instant_due_or_settled(
    yard: Yard, many: Callable[[int], list[Target]], tmp_path: Path
) -> None:
    targets = many(20)
    schedules = [yard.add(recurrence=Cron.parse("0 * * * *"), targets=targets) for _ in range(3)]
    start = datetime(2026, 11, 3, 13, 0, 10, tzinfo=UTC)
    times = [(start + timedelta(hours=hour)).isoformat() for hour in range(HOURS)]
    go = tmp_path / "go"
    go.touch()
    command = [sys.executable, "-m", "tests.site.schedules.ticker", str(yard.site.folder), str(go)]
    for hour, at in enumerate(times):
        ticker = subprocess.Popen([*command, at], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert ticker.stdout is not None
        assert ticker.stdout.readline() == "ready\n"
        time.sleep(0.02 * hour)
        ticker.kill()
        ticker.communicate()
        for key, count in Counter(
            (schedule, instant) for (schedule, _, instant) in runs_by_key(yard)
        ).items():
            assert count == len(targets), key
        yard.at(at)
        tick(yard.site)
    found = runs_by_key(yard)
    assert set(found.values()) == {1}
    assert len(found) == len(schedules) * len(targets) * HOURS
