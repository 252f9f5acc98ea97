"""Workers in processes of their own: killed, paused, told to end; runs cancelled and late."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.engine.dockyard import Dockyard, descendants
from tests.site.postgres import PostgresServer
from wimdock.engine.waiting import wait_for_runs
from wimdock.errors import LeaseLost
from wimdock.events import Event, Kind, Reporter
from wimdock.site.models import RunState, StepName, WorkerState
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.runs.listing import run_details

MakeDockyard = Callable[..., Dockyard]


@pytest.fixture
def make_dockyard(tmp_path: Path) -> Iterator[MakeDockyard]:
    made: list[Dockyard] = []

    def make(url: str | None = None, *, images: int = 1, updates: int = 1) -> Dockyard:
        made.append(Dockyard(tmp_path, url, images=images, updates=updates))
        return made[-1]

    yield make
    for dockyard in made:
        dockyard.end()


def is_in_first_step(yard: Dockyard, run_id: int) -> Callable[[], bool]:
    return lambda: any(
        step.name is StepName.PREFLIGHT and step.attempt
        for step in run_details(yard.site, run_id).steps
    )


def has_ended(yard: Dockyard, run_id: int) -> Callable[[], bool]:
    return lambda: yard.run(run_id).state.ended


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


def test_a_cancelled_run_ends_within_five_seconds_and_the_worker_goes_on(
    make_dockyard: MakeDockyard, database_url: str | None
) -> None:
    yard = make_dockyard(database_url)
    worker = yard.start_worker()
    with yard.locked():
        run_id = yard.add_patient_run()
        yard.until(is_in_first_step(yard, run_id))
        asked = time.monotonic()
        request_cancel(yard.site, run_id)
        yard.until(has_ended(yard, run_id), 10)
        assert time.monotonic() - asked < 5
    assert yard.run(run_id).state is RunState.CANCELLED
    after = yard.add_run(yard.packages[0], yard.update_ids)
    yard.until(has_ended(yard, after))
    assert yard.run(after).state is RunState.SUCCEEDED
    assert worker.end() == 0


def test_a_run_that_takes_too_long_is_timed_out(make_dockyard: MakeDockyard) -> None:
    yard = make_dockyard()
    yard.start_worker()
    with yard.locked():
        run_id = yard.add_patient_run(max_run_minutes=1 / 60)
        yard.until(has_ended(yard, run_id))
    run = yard.run(run_id)
    assert run.state is RunState.TIMED_OUT
    assert run.error["class"] == "RunTimedOut"


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


def test_within_the_grace_a_run_may_end_unless_it_is_told_twice(
    make_dockyard: MakeDockyard,
) -> None:
    yard = make_dockyard()
    worker = yard.start_worker("--grace", "60")
    with yard.locked():
        run_id = yard.add_patient_run()
        yard.until(is_in_first_step(yard, run_id))
        worker.send(signal.SIGTERM)
        yard.until(lambda: yard.states() == {WorkerState.STOPPING: 1})
    assert worker.process.wait(30) == 0
    yard.check_all([run_id])
    other = yard.start_worker("--grace", "60")
    with yard.locked():
        second = yard.add_patient_run()
        yard.until(is_in_first_step(yard, second))
        other.send(signal.SIGINT)
        yard.until(lambda: yard.states()[WorkerState.STOPPING] == 1)
        other.send(signal.SIGINT)
        assert other.process.wait(15) == 0
    assert yard.run(second).state is RunState.QUEUED


def test_a_worker_that_was_paused_too_long_ends_and_has_written_nothing(
    make_dockyard: MakeDockyard, database_url: str | None
) -> None:
    yard = make_dockyard(database_url)
    paused = yard.start_worker()
    with yard.locked():
        run_id = yard.add_patient_run()
        yard.until(is_in_first_step(yard, run_id))
        everything = [paused.pid, *descendants(paused.pid)]
        for pid in everything:
            os.kill(pid, signal.SIGSTOP)
        before = yard.run(run_id).worker_id
        yard.start_worker()
        yard.until(lambda: yard.run(run_id).worker_id not in {before, None})
    yard.until(has_ended(yard, run_id))
    for pid in everything:
        os.kill(pid, signal.SIGCONT)
    assert paused.process.wait(20) == LeaseLost.exit_code
    assert "was taken for dead" in paused.log.read_text()
    yard.check_all([run_id])


def test_a_database_that_goes_away_is_waited_for(
    make_dockyard: MakeDockyard, postgres: PostgresServer
) -> None:
    yard = make_dockyard(postgres.new_database(), images=2, updates=2)
    worker = yard.start_worker()
    runs = yard.add_all_runs()
    yard.until(lambda: yard.open_runs() < len(runs))
    postgres.stop("immediate")
    time.sleep(4)
    postgres.start()
    yard.until(lambda: yard.open_runs() == 0, 60)
    yard.check_all(runs)
    assert worker.end() == 0
    assert "waiting for it" in worker.log.read_text()
    assert "the database is back" in worker.log.read_text()


def test_runs_go_only_to_workers_that_offer_what_they_need(make_dockyard: MakeDockyard) -> None:
    yard = make_dockyard(images=2)
    of_night = yard.add_run(yard.packages[0], yard.update_ids, queue="night")
    of_day = yard.add_run(yard.packages[1], yard.update_ids)
    yard.start_worker("--architecture", "arm64", "--queue", "night", "--queue", "default")
    yard.start_worker("--memory", "100", "--queue", "night", "--queue", "default")
    yard.start_worker()
    yard.until(has_ended(yard, of_day))
    assert yard.run(of_night).state is RunState.QUEUED
    yard.start_worker("--queue", "night", "--architecture", "amd64")
    yard.until(has_ended(yard, of_night))
    yard.check_all([of_night, of_day])


def test_runs_survive_the_loss_of_what_the_engine_knows(make_dockyard: MakeDockyard) -> None:
    yard = make_dockyard()
    worker = yard.start_worker()
    with yard.locked():
        run_id = yard.add_patient_run()
        yard.until(is_in_first_step(yard, run_id))
        worker.kill()
    for path in yard.site.folder.glob("engine.sqlite*"):
        path.unlink()
    yard.start_worker()
    yard.until(has_ended(yard, run_id), 60)
    assert yard.run(run_id).attempt > 2
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
