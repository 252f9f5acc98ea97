"""Workers in processes of their own: killed, cancelled, told to end; waiting and serving."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.engine.dockyard import descendants
from tests.engine.yard import MakeDockyard, has_ended, is_in_first_step, make_dockyard
from wimdock.engine.waiting import wait_for_runs
from wimdock.events import Event, Kind, Reporter
from wimdock.site.models import RunState, WorkerState
from wimdock.site.runs.cancel import request_cancel

__all__ = ["make_dockyard"]


def test_two_workers_on_one_file_share_the_runs_and_take_over_from_each_other(
    make_dockyard: MakeDockyard,
) -> None:
    yard = make_dockyard(images=3, updates=2)
    runs = yard.add_all_runs()
    first, _ = yard.start_worker(), yard.start_worker()
    yard.until(lambda: yard.open_runs() < len(runs))
    below = descendants(first.pid)
    first.kill()
    yard.until(lambda: yard.open_runs() == 0, 60)
    yard.check_all(runs)
    assert yard.states() == {WorkerState.DEAD: 1, WorkerState.RUNNING: 1}
    yard.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below), 5)


def test_runs_that_are_cancelled_or_late_end_within_seconds_and_the_worker_goes_on(
    make_dockyard: MakeDockyard,
) -> None:
    yard = make_dockyard()
    worker = yard.start_worker()
    with yard.locked():
        cancelled = yard.add_patient_run()
        yard.until(is_in_first_step(yard, cancelled))
        asked = time.monotonic()
        request_cancel(yard.site, cancelled)
        yard.until(has_ended(yard, cancelled), 10)
        assert time.monotonic() - asked < 5
        late = yard.add_patient_run(max_run_minutes=1 / 60)
        yard.until(has_ended(yard, late))
    assert yard.run(cancelled).state is RunState.CANCELLED
    assert yard.run(late).state is RunState.TIMED_OUT
    assert yard.run(late).error["class"] == "RunTimedOut"
    after = yard.add_run(yard.packages[0], yard.update_ids)
    yard.until(has_ended(yard, after))
    assert yard.run(after).state is RunState.SUCCEEDED
    assert worker.end() == 0


def test_a_worker_that_is_told_to_end_hands_back_after_the_grace(
    make_dockyard: MakeDockyard,
) -> None:
    yard = make_dockyard()
    worker = yard.start_worker("--grace", "0")
    with yard.locked():
        run_id = yard.add_patient_run()
        yard.until(is_in_first_step(yard, run_id))
        assert worker.end() == 0
        run = yard.run(run_id)
        assert (run.state, run.attempt, run.worker_id) == (RunState.QUEUED, 3, None)
    assert yard.states() == {WorkerState.STOPPED: 1}
    yard.start_worker()
    yard.until(has_ended(yard, run_id))
    yard.check_all([run_id])


def test_who_waits_for_runs_executes_them_where_nobody_else_does(
    make_dockyard: MakeDockyard,
) -> None:
    yard = make_dockyard(updates=2)
    heard: list[Event] = []
    mine = yard.add_run(yard.packages[0], yard.update_ids[:1])
    others = yard.add_run(yard.packages[0], yard.update_ids[1:])
    [ended] = wait_for_runs(yard.site, [mine], Reporter(heard.append))
    assert ended.state is RunState.SUCCEEDED
    assert ("apply",) in {event.step for event in heard if event.kind is Kind.STEP_STARTED}
    assert yard.run(others).state is RunState.QUEUED
    assert yard.states() == {WorkerState.STOPPED: 1}
    yard.start_worker()
    yard.until(lambda: yard.states()[WorkerState.RUNNING] == 1)
    [ended] = wait_for_runs(yard.site, [others], Reporter())
    yard.check_all([mine, others])
    assert ended.worker_id in {worker.log.read_text().split()[3] for worker in yard.workers}


def test_a_service_executes_runs_and_ends_when_it_is_told(make_dockyard: MakeDockyard) -> None:
    yard = make_dockyard()
    run_id = yard.add_run(yard.packages[0], yard.update_ids)
    service = yard.start_worker(command="serve")
    yard.until(has_ended(yard, run_id))
    yard.check_all([run_id])
    listed = subprocess.run(
        [
            sys.executable,
            "-m",
            "wimdock",
            "worker",
            "list",
            "--site",
            str(yard.site.folder),
            "--json",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    [worker] = json.loads(listed.stdout)["workers"]
    assert (worker["process"], worker["state"], worker["queues"]) == (
        service.pid,
        "running",
        ["default"],
    )
    assert service.end() == 0
    assert yard.states() == {WorkerState.STOPPED: 1}
