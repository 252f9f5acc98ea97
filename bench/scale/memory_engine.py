"""The engine's port in memory: what is durable is a ledger that all engines of a fleet share.

An engine that is killed leaves its attempts in the ledger under its name, with the steps that are
done; one that is paused does nothing until it wakes, and then goes on as if no time had passed.
"""

from __future__ import annotations

import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from bench.scale.timeline import Timeline
from wimdock.engine.port import Course, Relinquished, RunKey

_HAND_OVER_SECONDS = 1.0

Attempt = Coroutine[Any, Any, None]


@dataclass(slots=True)
class Record:
    """What is durable of an attempt: who executes it, and how many of its steps are done."""

    executor: str | None
    begun: datetime
    done: int = 0
    over: bool = False


class Ledger:
    """The records of all attempts, and the engines that could take one on."""

    def __init__(self, timeline: Timeline, chance: random.Random) -> None:
        """Begin empty."""
        self.timeline = timeline
        self.records: dict[RunKey, Record] = {}
        self.engines: dict[str, MemoryEngine] = {}
        self.taken_over = 0
        self._chance = chance

    def offer(self, key: RunKey) -> None:
        """Give a freed attempt to any engine that is open, be it paused."""
        record = self.records[key]
        if record.over or record.executor is not None:
            return
        if not self.engines:
            self.timeline.after(_HAND_OVER_SECONDS, lambda: self.offer(key))
            return
        self.taken_over += 1
        self.engines[self._chance.choice(sorted(self.engines))].take(key)


class MemoryEngine:
    """One process's engine; see `wimdock.engine.port.Engine`."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger that it shares with the others."""
        self._ledger = ledger
        self._executor = ""
        self._course: Course | None = None
        self._attempts: dict[RunKey, Attempt] = {}
        self._tokens: dict[RunKey, int] = {}
        self._parked: list[RunKey] | None = None

    def open(self, executor: str, course: Course) -> None:
        """Begin to execute."""
        self._executor, self._course = executor, course
        self._ledger.engines[executor] = self

    def start(self, key: RunKey) -> bool:
        """Execute an attempt, unless it is known."""
        if key in self._ledger.records:
            return False
        self._ledger.records[key] = Record(None, self._ledger.timeline.now())
        self.take(key)
        return True

    def take(self, key: RunKey) -> None:
        """Execute an attempt that nobody has, after its last step that is done."""
        self._ledger.records[key].executor = self._executor
        before = self._attempts.pop(key, None)
        if before is not None:
            before.close()
        self._attempts[key] = self._execute(key)
        self._resume(key)

    def cancel(self, key: RunKey) -> None:
        """End an attempt that is executed here, and let its course write down how."""
        attempt, token = self._attempts.pop(key, None), self._tokens.get(key)
        if attempt is None or self._course is None:
            return
        attempt.close()
        if token is not None:
            self._attempts[key] = self._halt(key, token)
            self._resume(key)

    def take_over(self, executor: str) -> list[RunKey]:
        """Free what a dead engine was executing."""
        freed = []
        for key, record in self._ledger.records.items():
            if record.executor == executor and not record.over:
                record.executor = None
                freed.append(key)
        for key in freed:
            self._ledger.timeline.after(_HAND_OVER_SECONDS, partial(self._ledger.offer, key))
        return freed

    def running(self) -> frozenset[RunKey]:
        """Give the attempts that are executed here."""
        return frozenset(self._attempts)

    def drain(self, seconds: float) -> bool:
        """Tell whether nothing is executed; no time passes."""
        del seconds
        return not self._attempts

    def forget(self, before: datetime) -> int:
        """Delete the records of attempts that are over."""
        records = self._ledger.records
        old = [key for key, record in records.items() if record.over and record.begun < before]
        for key in old:
            del records[key]
        return len(old)

    def close(self) -> None:
        """Stop at once, as a process that is killed does."""
        self._ledger.engines.pop(self._executor, None)
        self._course = None
        attempts, self._attempts = self._attempts, {}
        for attempt in attempts.values():
            attempt.close()

    def pause(self) -> None:
        """Stand still, as a process that is stopped does."""
        self._parked = []

    def wake(self) -> None:
        """Go on, knowing nothing of the time that passed."""
        parked, self._parked = self._parked, None
        for key in parked or ():
            self._resume(key)

    async def _execute(self, key: RunKey) -> None:
        course, record = self._course, self._ledger.records[key]
        if course is None:
            return
        token = await course.begin(key)
        if token is not None:
            self._tokens[key] = token
            last = len(course.steps) - 1
            while record.done < last:
                goes_on = await course.step(key, token, course.steps[record.done])
                record.done = record.done + 1 if goes_on else last
            await course.step(key, token, course.steps[last])
        record.over = True

    async def _halt(self, key: RunKey, token: int) -> None:
        if self._course is not None:
            await self._course.halted(key, token)
        self._ledger.records[key].over = True

    def _resume(self, key: RunKey) -> None:
        if self._parked is not None:
            self._parked.append(key)
            return
        attempt = self._attempts.get(key)
        if attempt is None:
            return
        with suppress(Relinquished, StopIteration):
            seconds: float = attempt.send(None)
            self._ledger.timeline.after(seconds, lambda: self._resume_same(key, attempt))
            return
        self._attempts.pop(key, None)
        self._tokens.pop(key, None)
        if self._course is not None:
            self._course.ended(key)

    def _resume_same(self, key: RunKey, attempt: Attempt) -> None:
        if self._attempts.get(key) is attempt:
            self._resume(key)
