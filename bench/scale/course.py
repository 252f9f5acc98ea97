"""What an attempt does in the simulation: it takes its time, asks the fence, and writes a file.

The files are kept in memory. Beginning, the fence and the record of how the run ended are the
site's own; the work between them is only time that passes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from bench.scale.meter import Meter
from bench.scale.timeline import Pause
from wimdock.engine.port import Relinquished, RunKey
from wimdock.errors import LeaseLost, StorageError, WimdockError
from wimdock.events import Reporter
from wimdock.servicing.outcome import Outcome
from wimdock.site.messages.log import SiteLog
from wimdock.site.models import ImagePackage, Run, Step, StepName, StepState
from wimdock.site.runs.failure import error_document
from wimdock.site.runs.lease import check_fence
from wimdock.site.runs.queue import begin
from wimdock.site.site import Site
from wimdock.site.steps.context import RunContext
from wimdock.site.steps.ending import end_run

_UPDATE = 16777217
_PREPARE_SECONDS = (30.0, 300.0)
_APPLY_SECONDS = (120.0, 2400.0)
_CHECK_SECONDS = (1.0, 120.0)
_PASSING, _LASTING = 0.02, 0.01


@dataclass(slots=True)
class Files:
    """The image files: which runs wrote each, by which token, in the order of their commits."""

    commits: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    refused: int = 0

    def has(self, package_id: str, run_id: int) -> bool:
        """Tell whether a run has committed, as its token in the file would."""
        return any(run == run_id for run, _ in self.commits.get(package_id, ()))

    def commit(self, package_id: str, run_id: int, token: int) -> None:
        """Write a file."""
        self.commits.setdefault(package_id, []).append((run_id, token))


class SimulatedCourse:
    """A course of three steps; see `wimdock.engine.port.Course`."""

    steps = ("prepare", "apply", "record")

    def __init__(
        self,
        site: Site,
        worker_id: str,
        files: Files,
        meter: Meter,
        chance: random.Random,
        *,
        has_room: Callable[[RunKey], bool],
        ended: Callable[[], None],
    ) -> None:
        """Take the worker that executes; `ended` is called when an attempt has ended here."""
        self._site = site
        self._worker_id = worker_id
        self._files = files
        self._meter = meter
        self._chance = chance
        self._has_room = has_room
        self._ended = ended

    async def begin(self, key: RunKey) -> int | None:
        """Ask the site for the token."""
        with self._meter.measure("begin"):
            room = self._has_room(key)
            return begin(self._site, key.run_id, key.attempt, self._worker_id, has_room=room)

    async def step(self, key: RunKey, token: int, name: str) -> bool:
        """Let time pass, then do what the step is for."""
        if name == "prepare":
            await Pause(self._chance.uniform(*_PREPARE_SECONDS))
            return True
        if name == "apply":
            await Pause(self._chance.uniform(*_APPLY_SECONDS))
            goes_on = self._apply(key, token)
            await Pause(self._chance.uniform(*_CHECK_SECONDS))
            return goes_on
        self._record(key, token)
        return True

    async def halted(self, key: RunKey, token: int) -> None:
        """Write down nothing: no run of the simulation is cancelled."""

    def ended(self, key: RunKey) -> None:
        """Look for more to do."""
        del key
        self._ended()

    def _apply(self, key: RunKey, token: int) -> bool:
        with self._site.reading() as session:
            package_id = session.get_one(Run, key.run_id).package_id
        if self._files.has(package_id, key.run_id):
            return True
        chance = self._chance.random()
        if chance < _PASSING + _LASTING:
            return False
        try:
            with self._meter.measure("fence"):
                check_fence(self._site, key.run_id, token)
        except LeaseLost as error:
            self._files.refused += 1
            raise Relinquished(str(key)) from error
        self._files.commit(package_id, key.run_id, token)
        return True

    def _record(self, key: RunKey, token: int) -> None:
        try:
            with self._meter.measure("record"):
                self._end(key, token)
        except LeaseLost as error:
            raise Relinquished(str(key)) from error

    def _end(self, key: RunKey, token: int) -> None:
        site = self._site
        with site.reading() as session:
            run = session.get_one(Run, key.run_id)
            package = session.get_one(ImagePackage, run.package_id)
        failed = None
        result = {
            "index": 1,
            "update": _UPDATE,
            "package": "Package_for_KB5000001",
            "outcome": Outcome.INSTALLED.value,
            "reason": "",
            "hresult": None,
            "added": 1,
        }
        results = {StepName.APPLY: {"results": [result]}}
        if not self._files.has(package.id, run.id):
            failed = _failed(site, run.id, self._trouble())
            results = {}
        with SiteLog(site, run_id=run.id) as log:
            end_run(RunContext(site, run, token, package, (), Reporter(), log, results), failed)

    def _trouble(self) -> WimdockError:
        if self._chance.random() < _PASSING / (_PASSING + _LASTING):
            message = "the disk had no room for a moment"
            return StorageError(message)
        message = "the update does not fit"
        return WimdockError(message)


def _failed(site: Site, run_id: int, error: WimdockError) -> Step:
    now = site.now()
    return Step(
        run_id=run_id,
        name=StepName.APPLY,
        state=StepState.FAILED,
        attempt=1,
        token="",
        started_at=now - timedelta(seconds=1),
        ended_at=now,
        result={},
        error=error_document(error),
    )
