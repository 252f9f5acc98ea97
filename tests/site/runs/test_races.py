"""Workers and people at once: no deadlock, and no run that nobody has."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, DatabaseUnavailable, ImageBusy
from wimdock.site import database as database_module
from wimdock.site.models import Lease, Run, RunState, WorkerRow
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.runs.lease import hold
from wimdock.site.runs.queue import (
    begin,
    bury,
    claim,
    requeue,
    requeue_orphans,
    stop_worker,
)
from wimdock.site.runs.watching import list_workers
from wimdock.site.site import Site

Add = Callable[..., str]
AddRun = Callable[..., int]
Read = Callable[[int], Run]


def test_claims_of_the_same_packages_in_another_order_wait_in_no_circle(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add_package(), add_package()
    mine = [add_run(first, priority=9), add_run(second, priority=8)]
    others = [add_run(second, priority=9), add_run(first, priority=8)]
    workers = [add_worker(), add_worker()]
    real = Session.execute
    asked = threading.local()

    def slowly(session: object, statement: object, *given: object, **named: object) -> object:
        found = real(session, statement, *given, **named)  # type: ignore[call-overload]
        if "UPDATE leases" in str(statement) and not getattr(asked, "once", False):
            asked.once = True
            time.sleep(0.5)  # the other one has its first lease meanwhile
        return found

    monkeypatch.setattr(Session, "execute", slowly)
    with ThreadPoolExecutor(2) as pool:
        found = list(
            pool.map(
                lambda each: claim(site, each[0], 2, only=each[1]),
                [(workers[0], mine), (workers[1], others)],
            )
        )
    claimed = [one.package_id for each in found for one in each]
    assert sorted(claimed) == [first, second]


def test_a_worker_that_is_buried_while_it_takes_a_run_on_loses_it_too(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    dead, late = add_worker(), add_worker()
    claim(site, dead, 1)
    bury(site, dead)
    read, burying = threading.Event(), threading.Event()

    def pause(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
        if threading.current_thread() is taker and "INSERT INTO leases" in statement:
            read.set()
            burying.wait(1)

    taker = threading.Thread(target=begin, args=(site, run_id, 1, late))
    event.listen(site.database.engine, "before_cursor_execute", pause)
    taker.start()
    assert read.wait(10)
    bury(site, late)
    burying.set()
    taker.join()
    run = run_now(run_id)
    assert run.worker_id is None
    assert run.state is RunState.QUEUED or run.orphaned_at is not None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_process_that_stands_still_keeps_nobody_waiting(
    site: Site, add_worker: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_IDLE_SECONDS", 1)
    worker = add_worker()

    def stand_still() -> None:
        with site.writing() as session:
            session.get(WorkerRow, worker, with_for_update=True)
            locked.set()
            buried.wait(20)

    locked, buried = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        still = pool.submit(stand_still)
        assert locked.wait(10)
        assert bury(site, worker) == []
        buried.set()
        with pytest.raises(DatabaseUnavailable):
            still.result()


class Turmoil:
    """Workers that come, take, hand back and are buried, and people who disturb them."""

    def __init__(self, site: Site, add_worker: Add, runs: list[int], packages: list[str]) -> None:
        """Take what there is; it lasts some seconds."""
        self.site, self.add_worker, self.runs, self.packages = site, add_worker, runs, packages
        self.until = time.monotonic() + 6
        self.failed: list[BaseException] = []

    def take_part(self, seed: int) -> None:
        """Work, or disturb; what fails is kept."""
        chance = random.Random(seed)
        act = self.disturb if seed % 3 == 2 else self.work
        try:
            while time.monotonic() < self.until:
                act(chance)
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed.append(error)

    def work(self, chance: random.Random) -> None:
        """Live as a worker for a moment."""
        worker = self.add_worker()
        for one in claim(self.site, worker, 2):
            begin(self.site, one.run_id, one.attempt, worker)
            if chance.random() < 0.7:
                requeue(self.site, one.run_id, one.attempt, worker)
        if chance.random() < 0.3:
            stop_worker(self.site, worker)
        for other in list_workers(self.site):
            for left in (chance.random() < 0.2 and bury(self.site, other.id)) or ():
                begin(self.site, left.run_id, left.attempt, worker)

    def disturb(self, chance: random.Random) -> None:
        """Put back, cancel, and hold."""
        requeue_orphans(self.site, -1)
        try:
            if chance.random() < 0.05:
                request_cancel(self.site, chance.choice(self.runs))
            with hold(self.site, chance.choice(self.packages), "a person's command"):
                pass
        except (AlreadyRecorded, ImageBusy):
            pass


def test_everything_at_once_loses_and_doubles_nothing(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    packages = [add_package() for _ in range(5)]
    runs = [add_run(packages[number % 5], priority=number % 3) for number in range(20)]
    turmoil = Turmoil(site, add_worker, runs, packages)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(turmoil.take_part, range(6)))
    assert turmoil.failed == []
    for worker in list_workers(site):
        bury(site, worker.id)
    requeue_orphans(site, -1)
    assert {run_now(each).state for each in runs} <= {RunState.QUEUED, RunState.CANCELLED}
    with site.reading() as session:
        leases = session.scalars(select(Lease)).all()
    assert {(lease.run_id, lease.worker_id) for lease in leases} == {(None, None)}


def test_a_hold_from_a_machine_with_a_long_name(site: Site, add_package: Add) -> None:
    long = replace(site, host="h" * 64)
    with hold(long, add_package(), "image rollback"):
        pass
