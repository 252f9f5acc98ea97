"""What becomes of a dead worker's runs where the engine cannot free them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.site.conftest import SetClock
from tests.site.runs.conftest import add_package, add_run, run_now
from wimdock.engine.offer import boot_mark
from wimdock.engine.port import Engine
from wimdock.engine.succession import ORPHAN_SECONDS, Succession
from wimdock.errors import DatabaseUnavailable, EngineError, WimdockError
from wimdock.site.messages.listing import MessageFilter, list_messages
from wimdock.site.messages.table import RUN_TAKEN_OVER, WORKER_DEAD
from wimdock.site.models import Run, RunState
from wimdock.site.runs.queue import WorkerOffer, claim, register_worker
from wimdock.site.site import Site

__all__ = ["add_package", "add_run", "run_now"]


class Broken:
    """An engine that frees nothing."""

    def __init__(self, error: WimdockError) -> None:
        """Take why."""
        self._error = error

    def take_over(self, _executor: str) -> list[Any]:
        """Fail."""
        raise self._error


@pytest.mark.parametrize("error", [EngineError("a name is gone"), DatabaseUnavailable("away")])
def test_an_engine_that_frees_nothing_ends_no_worker_and_loses_no_run(
    site: Site,
    clock: SetClock,
    add_package: Callable[[], str],
    add_run: Callable[[str], int],
    run_now: Callable[[int], Run],
    error: WimdockError,
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead = register_worker(site, WorkerOffer(site.host, boot_mark(), gone.pid))
    run_id = add_run(add_package())
    assert claim(site, dead, 1)
    succession = Succession(site, cast("Engine", Broken(error)), "another")
    assert [each.id for each in succession.look()] == [dead]
    told = {each.message_id for each in list_messages(site, MessageFilter())}
    assert told >= {WORKER_DEAD.id, RUN_TAKEN_OVER.id}
    assert run_now(run_id).state is RunState.RUNNING
    clock.advance(seconds=ORPHAN_SECONDS + 1)
    assert succession.look() == []
    assert run_now(run_id).state is RunState.QUEUED
