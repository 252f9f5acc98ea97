"""Workers in processes of their own: killed, paused, told to end; runs cancelled and late."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.dockyard import Dockyard, descendants
from wimdock.errors import LeaseLost
from wimdock.site.models import RunState, StepName, StepState, WorkerState
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
