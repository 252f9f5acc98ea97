"""The proof: 200 runs on four workers that are killed, paused and cut off, each done exactly once.

While the runs go on, a worker is killed every few seconds and another one started in its place, one
is stopped with all its children for longer than its lease and woken, and the database crashes and
comes back. At the end the database, the images and their sidecars must agree.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.conftest import postgres
from tests.engine.dockyard import Dockyard, WorkerProcess, descendants
from tests.site.postgres import PostgresServer
from wimdock.errors import DatabaseUnavailable, LeaseLost
from wimdock.site.models import WorkerState

__all__ = ["postgres"]

pytestmark = [pytest.mark.faults, pytest.mark.timeout(2400)]

_SEED = 20261122
_IMAGES = 20
_UPDATES = 10
_WORKERS = 4
_PEACE = 4.0
_BETWEEN = 4
_PAUSE = 9.0
_PATIENCE = 2000


class Trouble:
    """What befalls the workers, one blow after the other."""

    def __init__(self, yard: Dockyard, server: PostgresServer) -> None:
        """Take who suffers."""
        self._yard = yard
        self._server = server
        self._random = random.Random(_SEED)
        self.kills = 0
        self.paused: list[WorkerProcess] = []
        self._asleep: tuple[WorkerProcess, list[int], float] | None = None
        self._restarted = False
        self._done = 0

    def living(self) -> list[WorkerProcess]:
        """Give the workers that neither ended nor sleep."""
        asleep = self._asleep[0] if self._asleep else None
        return [
            one for one in self._yard.workers if one.process.poll() is None and one is not asleep
        ]

    def strike(self, left: int, whole: int) -> None:
        """Do what is due, told how many runs are left."""
        done = whole - left
        if self._asleep and time.monotonic() - self._asleep[2] > _PAUSE:
            for pid in self._asleep[1]:
                os.kill(pid, signal.SIGCONT)
            self._asleep = None
        if not self.paused and done > whole // 5:
            self._send_to_sleep()
        elif not self._restarted and done > whole // 2:
            self._restarted = True
            self._server.stop("immediate")
            time.sleep(3)
            self._server.start()
        elif done - self._done >= _BETWEEN:
            # One that is at work: to kill those that only begin would leave nobody to work.
            # Nor the one that slept: it must end by itself.
            candidates = [one for one in self.living() if one not in self.paused]
            working = [one for one in candidates if " serves " in one.log.read_text()]
            if working:
                self._random.choice(working).kill()
                self.kills += 1
                self._done = done
        while len(self.living()) < _WORKERS:
            self._yard.start_worker()

    def _send_to_sleep(self) -> None:
        worker = self._random.choice(self.living())
        pids = [worker.pid, *descendants(worker.pid)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.paused.append(worker)
        self._asleep = (worker, pids, time.monotonic())


@pytest.fixture
def yard(postgres: PostgresServer, tmp_path: Path) -> Iterator[Dockyard]:
    made = Dockyard(tmp_path, postgres.new_database(), images=_IMAGES, updates=_UPDATES)
    yield made
    made.end()


def test_every_run_ends_exactly_once_whatever_befalls_the_workers(
    yard: Dockyard, postgres: PostgresServer
) -> None:
    runs = yard.add_all_runs()
    assert len(runs) == 200
    trouble = Trouble(yard, postgres)
    for _ in range(_WORKERS):
        yard.start_worker()
    began = time.monotonic()
    left = len(runs)
    while left:
        assert time.monotonic() - began < _PATIENCE, yard.told()
        time.sleep(_PEACE)
        try:
            left = yard.open_runs()
        except DatabaseUnavailable:
            continue
        if left:
            trouble.strike(left, len(runs))
    assert trouble.kills >= 10
    [paused] = trouble.paused
    assert paused.process.wait(60) == LeaseLost.exit_code
    yard.check_all(runs)
    survivors = trouble.living()
    assert {worker.end() for worker in survivors} == {0}
    # All are accounted for: none that was killed counts as alive.
    yard.start_worker()
    yard.until(lambda: living_states(yard) == {WorkerState.RUNNING: 1})


def living_states(yard: Dockyard) -> dict[WorkerState, int]:
    """Count the workers that have not ended so far as the site knows."""
    ended = {WorkerState.STOPPED, WorkerState.DEAD}
    return {state: count for state, count in yard.states().items() if state not in ended}
