"""Workers that are paused, cut off from the database, told twice to end; runs among several."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.engine.conftest import database_url, postgres
from tests.engine.dockyard import descendants
from tests.engine.yard import MakeDockyard, has_ended, is_in_first_step, make_dockyard
from tests.site.postgres import PostgresServer
from wimdock.errors import LeaseLost
from wimdock.site.models import RunState, StepName, WorkerState
from wimdock.site.runs.cancel import request_cancel

__all__ = ["database_url", "make_dockyard", "postgres"]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


def test_on_postgresql_a_cancelled_run_ends_within_five_seconds(
    make_dockyard: MakeDockyard, postgres: PostgresServer
) -> None:
    yard = make_dockyard(postgres.new_database(), size=100_000_000)
    yard.start_worker()
    before = yard.file(yard.packages[0]).read_bytes()
    run_id = yard.add_run(yard.packages[0], yard.update_ids)
    yard.until(lambda: yard.run(run_id).step is StepName.APPLY)
    asked = time.monotonic()
    request_cancel(yard.site, run_id)
    yard.until(has_ended(yard, run_id), 10)
    assert time.monotonic() - asked < 5
    assert yard.run(run_id).state is RunState.CANCELLED
    assert yard.file(yard.packages[0]).read_bytes() == before


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
