"""Runs that wait, workers that claim them, and leases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, product

import pytest
from sqlalchemy import select

from tests.site.conftest import SetClock
from wimdock.errors import ImageBusy, LeaseLost, RunCancelled
from wimdock.site.models import Run, RunState, WorkerRow
from wimdock.site.runs.cancel import request_cancel
from wimdock.site.runs.lease import check_fence, fenced, hold
from wimdock.site.runs.matching import needs_what, offers
from wimdock.site.runs.queue import (
    HeartbeatWatch,
    begin,
    bury,
    claim,
    heartbeat,
    requeue,
    requeue_orphans,
    stop_worker,
)
from wimdock.site.runs.watching import list_workers
from wimdock.site.site import Site

Add = Callable[..., str]
AddRun = Callable[..., int]
Read = Callable[[int], Run]


def token_of(site: Site, run_id: int, worker: str, attempt: int = 1) -> int:
    token = begin(site, run_id, attempt, worker)
    assert token is not None
    return token


def test_a_run_is_claimed_once(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    first, second = add_worker(), add_worker()
    assert [each.run_id for each in claim(site, first, 5)] == [run_id]
    assert claim(site, second, 5) == []
    assert (run_now(run_id).state, run_now(run_id).worker_id) == (RunState.RUNNING, first)
    assert begin(site, run_id, 1, second) is None


def test_two_runs_of_one_image_package_wait_for_each_other(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    package = add_package()
    runs = [add_run(package), add_run(package)]
    worker = add_worker()
    assert [each.run_id for each in claim(site, worker, 5)] == runs[:1]
    assert claim(site, worker, 5) == []
    assert requeue(site, runs[0], 1, worker)
    assert [each.run_id for each in claim(site, worker, 5)] == runs[:1]


def test_priority_goes_first(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    low, high = add_run(add_package()), add_run(add_package(), priority=5)
    assert [each.run_id for each in claim(site, add_worker(), 5)] == [high, low]


@pytest.mark.parametrize(
    "offer",
    [
        {"queues": ("other",)},
        {"architectures": ("arm64",)},
        {"storages": ("elsewhere",)},
        {"memory": 1 << 20},
    ],
)
def test_a_worker_takes_only_what_it_can(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, offer: dict[str, object]
) -> None:
    run_id = add_run(add_package("golden"))
    assert claim(site, add_worker(**offer), 5) == []
    fitting = {"queues": ("default",), "architectures": ("amd64",), "storages": ("golden",)}
    assert [each.run_id for each in claim(site, add_worker(**fitting), 5)] == [run_id]


def test_what_a_worker_offers_is_the_same_in_python_and_in_sql(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    for storage, architecture, queue in product(("", "nas"), ("", "amd64"), ("default", "night")):
        add_run(add_package(storage, architecture), queue=queue)
    some = (("queues", ("night",)), ("storages", ("nas",)), ("architectures", ("arm64",)))
    more = (("architectures", ("amd64",)), ("memory", 1 << 20), ("storages", ("", "nas")))
    for chosen in combinations((*some, *more), 2):
        worker_id = add_worker(**dict(chosen))
        with site.reading() as session:
            worker = session.get_one(WorkerRow, worker_id)
            runs = session.scalars(select(Run)).all()
            in_sql = set(session.scalars(select(Run.id).where(needs_what(worker))))
        assert {run.id for run in runs if offers(worker, run)} == in_sql


def test_many_workers_at_once_claim_each_run_once(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    runs = {add_run(add_package()) for _ in range(24)}
    workers = [add_worker() for _ in range(6)]

    def work(worker: str) -> list[int]:
        found: list[int] = []
        for _ in range(30):
            found += [each.run_id for each in claim(site, worker, 2)]
        return found

    with ThreadPoolExecutor(len(workers)) as pool:
        claimed = [run for found in pool.map(work, workers) for run in found]
    assert sorted(claimed) == sorted(runs)


def test_a_run_that_is_held_back_waits(
    site: Site,
    clock: SetClock,
    add_package: Add,
    add_run: AddRun,
    add_worker: Add,
) -> None:
    run_id = add_run(add_package())
    with site.writing() as session:
        session.get_one(Run, run_id).not_before = site.now().replace(minute=30)
    worker = add_worker()
    assert claim(site, worker, 1) == []
    clock.advance(minutes=31)
    assert claim(site, worker, 1)


def test_the_fence_holds_off_a_worker_that_was_taken_for_dead(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    late, other = add_worker(), add_worker()
    claim(site, late, 1)
    token = token_of(site, run_id, late)
    check_fence(site, run_id, token)
    left = bury(site, late)
    assert left is not None
    assert [each.run_id for each in left] == [run_id]
    assert bury(site, late) is None
    assert not heartbeat(site, late)
    with pytest.raises(LeaseLost):
        check_fence(site, run_id, token)
    taken = token_of(site, run_id, other)
    assert taken > token
    check_fence(site, run_id, taken)
    with pytest.raises(LeaseLost), fenced(site, run_id, token):
        pytest.fail("the late worker was let in")
    assert run_now(run_id).worker_id == other


def test_a_late_hand_back_does_not_take_the_run_from_its_successor(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    late, other = add_worker(), add_worker()
    claim(site, late, 1)
    bury(site, late)
    assert not requeue(site, run_id, 1, late), "an orphan is not the late worker's any more"
    token = token_of(site, run_id, other)
    assert not requeue(site, run_id, 1, late)
    check_fence(site, run_id, token)
    assert run_now(run_id).worker_id == other
    assert requeue(site, run_id, 1, other)


def test_a_worker_that_cannot_hands_a_dead_ones_run_back(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    late, other, full = add_worker(), add_worker(queues=("other",)), add_worker()
    claim(site, late, 1)
    bury(site, late)
    assert begin(site, run_id, 1, other) is None
    assert (run_now(run_id).state, run_now(run_id).attempt) == (RunState.QUEUED, 2)
    assert begin(site, run_id, 1, full) is None, "an older attempt is not heard"
    assert [each.attempt for each in claim(site, full, 1)] == [2]


def test_an_orphan_that_nobody_takes_is_put_back(
    site: Site, clock: SetClock, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    late = add_worker()
    claim(site, late, 1)
    bury(site, late)
    assert requeue_orphans(site, 30) == []
    clock.advance(seconds=31)
    assert requeue_orphans(site, 30) == [run_id]
    assert run_now(run_id).state is RunState.QUEUED


def test_a_worker_that_stops_leaves_its_runs_to_others(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    worker = add_worker()
    claim(site, worker, 1)
    stop_worker(site, worker)
    assert run_now(run_id).state is RunState.QUEUED
    assert worker not in {each.id for each in list_workers(site)}
    assert claim(site, worker, 1) == []


def test_who_is_silent_is_told_by_a_steady_clock(
    site: Site, clock: SetClock, add_worker: Add
) -> None:
    worker = add_worker(lease_seconds=30)
    steady = 0.0
    watch = HeartbeatWatch(lambda: steady)
    assert watch.overdue(list_workers(site)) == []
    clock.advance(days=400)  # a clock that jumps makes nobody dead
    assert watch.overdue(list_workers(site)) == []
    steady = 29.0
    heartbeat(site, worker)
    assert watch.overdue(list_workers(site)) == []
    steady = 58.0
    assert watch.overdue(list_workers(site)) == []
    steady = 60.0
    assert [each.id for each in watch.overdue(list_workers(site))] == [worker]


def test_a_person_and_a_run_keep_each_other_off(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    package = add_package()
    run_id = add_run(package)
    worker = add_worker()
    with hold(site, package, "image rollback"):
        assert claim(site, worker, 1) == []
        with pytest.raises(ImageBusy, match="image rollback"), hold(site, package, "again"):
            pytest.fail("two had it")
    assert claim(site, worker, 1)
    with pytest.raises(ImageBusy, match=f"run {run_id}"), hold(site, package, "image rollback"):
        pytest.fail("two had it")


def test_a_hold_that_was_left_ends_by_itself(
    site: Site, clock: SetClock, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    package = add_package()
    add_run(package)
    with hold(site, package, "image rollback"):
        clock.advance(minutes=31)
        assert claim(site, add_worker(), 1)


def test_cancelling_a_run_that_waits_ends_it(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add, run_now: Read
) -> None:
    run_id = add_run(add_package())
    request_cancel(site, run_id)
    assert run_now(run_id).state is RunState.CANCELLED
    assert claim(site, add_worker(), 1) == []


def test_cancelling_a_run_that_goes_on_forbids_its_commit(
    site: Site, add_package: Add, add_run: AddRun, add_worker: Add
) -> None:
    run_id = add_run(add_package())
    worker = add_worker()
    claim(site, worker, 1)
    token = token_of(site, run_id, worker)
    request_cancel(site, run_id)
    with pytest.raises(RunCancelled):
        check_fence(site, run_id, token)
