"""The course of a run: its steps, each in a child process, as the engine calls them.

What is true of a run stands in the site's database; here it is only asked for. A database that is
away is waited for: the step goes on with its child, which is refused its commit as long as it
cannot ask, and is begun again when the database is back.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from wimdock.engine.child import Children, Ending
from wimdock.engine.port import Relinquished, RunKey
from wimdock.engine.step_process import SiteHandle, do_step
from wimdock.errors import DatabaseUnavailable, LeaseLost, RunError
from wimdock.site.messages.report import say
from wimdock.site.messages.table import LEASE_LOST
from wimdock.site.models import StepName, StepState
from wimdock.site.runs.queue import begin
from wimdock.site.runs.record import run_of
from wimdock.site.runs.watching import is_over, stop_reason, was_buried
from wimdock.site.site import Site
from wimdock.site.steps.abandoning import abandon_run
from wimdock.site.steps.perform import fail_step, step_state

_ORDER = tuple(StepName)
_DONE = {StepState.SUCCEEDED, StepState.SKIPPED}
_TRIES = 3
# With the pauses between them more than a minute: nothing else can end the run truthfully.
_RECORD_TRIES = 10
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 15.0

_Result = TypeVar("_Result")


class Slots:
    """How many runs a worker may execute at once, and how many it does; safe with threads."""

    def __init__(self, most: int, running: Callable[[], frozenset[RunKey]]) -> None:
        """Take the number and what tells of those that run."""
        self._most = most
        self._running = running
        self._lock = threading.Lock()
        self._reserved = 0

    def reserve(self) -> int:
        """Reserve all that are free for claims; give how many."""
        with self._lock:
            self._reserved = max(self._most - len(self._running()), 0)
            return self._reserved

    def release(self) -> None:
        """Give back what was reserved: the claims run by now."""
        with self._lock:
            self._reserved = 0

    def has_room(self, key: RunKey) -> bool:
        """Tell whether an attempt that runs here already may go on, counted with all others."""
        with self._lock:
            return len(self._running() | {key}) + self._reserved <= self._most


class RunCourse:
    """What an attempt at a run does; see `wimdock.engine.port.Course`."""

    steps = tuple(step.value for step in _ORDER)

    def __init__(
        self,
        site: Site,
        worker_id: str,
        children: Children,
        has_room: Callable[[RunKey], bool],
        ended: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the worker that executes; `ended` is called whenever an attempt has ended here.

        `monotonic` is the clock that never goes back, by which attempts are timed.
        """
        self._site = site
        self._handle = SiteHandle.of(site)
        self._worker_id = worker_id
        self._children = children
        self._has_room = has_room
        self._ended = ended
        self._monotonic = monotonic
        self._current: dict[RunKey, StepName] = {}
        self._since: dict[RunKey, float] = {}

    async def begin(self, key: RunKey) -> int | None:
        """Ask the site for the token."""

        def ask() -> int | None:
            room = self._has_room(key)
            return begin(self._site, key.run_id, key.attempt, self._worker_id, has_room=room)

        token = await self._ask(key, ask)
        self._since[key] = self._monotonic()
        return token

    def seconds(self, key: RunKey) -> float:
        """Tell for how long an attempt has been executed here; safe with threads."""
        since = self._since.get(key)
        return 0.0 if since is None else self._monotonic() - since

    async def step(self, key: RunKey, token: int, name: str) -> bool:
        """Do a step in a child, again where the child came to grief."""
        step = StepName(name)
        self._current[key] = step
        most = _RECORD_TRIES if step is StepName.RECORD else _TRIES
        tries = 0
        pause = _FIRST_PAUSE
        while True:
            ending = await self._children.call(do_step, self._handle, key.run_id, token, step)
            done = await self._outcome(key, step, ending)
            if done is not None:
                return done
            if _is(ending, LeaseLost):
                await self._fenced(key)
            if not _is(ending, DatabaseUnavailable):
                tries += 1
                if tries >= most:
                    await self._give_up(key, token, step, ending)
                    return False
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _outcome(self, key: RunKey, step: StepName, ending: Ending) -> bool | None:
        """Tell what the site knows of a step whose child has ended; None: it is to be done again.

        A child may end badly after it wrote all that it had to. What RECORD writes is the end of
        the attempt; where the run is tried again, no row of it is left.
        """
        if step is StepName.RECORD:
            over = await self._ask(key, lambda: is_over(self._site, key.run_id, key.attempt))
            return True if over or ending.succeeded else None
        state = await self._ask(key, lambda: step_state(self._site, key.run_id, step))
        if state in _DONE or state is StepState.FAILED or ending.succeeded:
            return state in _DONE
        return None

    async def halted(self, key: RunKey, token: int) -> None:
        """Record that the run was cancelled or took too long; nothing where another has it."""
        reason = await self._ask(
            key, lambda: stop_reason(self._site, key.run_id, self.seconds(key))
        )
        if reason is None:
            return
        step = self._current.get(key, StepName.PREFLIGHT)
        if step is not StepName.RECORD:
            state = await self._ask(key, lambda: step_state(self._site, key.run_id, step))
            if state in _DONE:
                step = _ORDER[_ORDER.index(step) + 1]
        if step is not StepName.RECORD:
            await self._ask(key, lambda: fail_step(self._site, key.run_id, token, step, reason))
        await self.step(key, token, StepName.RECORD.value)

    def ended(self, key: RunKey) -> None:
        """Forget where an attempt was."""
        self._current.pop(key, None)
        self._since.pop(key, None)
        self._ended()

    async def _give_up(self, key: RunKey, token: int, step: StepName, ending: Ending) -> None:
        if step is StepName.RECORD:
            await self._ask(key, lambda: abandon_run(self._site, key.run_id, token, ending.words))
            return
        error = RunError(f"the step {step.value} of run {key.run_id} failed: {ending.words}")
        await self._ask(key, lambda: fail_step(self._site, key.run_id, token, step, error))

    async def _fenced(self, key: RunKey) -> None:
        """Leave the run to the one that has it; tell so where this worker came too late.

        It did not where it lives: then it handed the run back by itself.
        """

        def tell() -> None:
            if not was_buried(self._site, self._worker_id):
                return
            with self._site.reading() as session:
                package_id = run_of(session, key.run_id).package_id
            say(
                self._site,
                LEASE_LOST,
                key.run_id,
                package_id,
                self._worker_id,
                run_id=key.run_id,
                package_id=package_id,
            )

        await self._ask(key, tell)
        raise Relinquished

    async def _ask(self, key: RunKey, question: Callable[[], _Result]) -> _Result:
        """Ask the site in a thread, for as long as it takes until the database answers."""
        pause = 0.5
        while True:
            try:
                return await asyncio.to_thread(question)
            except DatabaseUnavailable:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except LeaseLost as error:
                raise Relinquished(str(key)) from error


def _is(ending: Ending, kind: type[Exception]) -> bool:
    return ending.failure is not None and ending.failure.kind == kind.__name__
