"""The port: what wimdock asks of whatever executes its runs durably, and nothing more.

The site's database says what became of a run; the engine only sees to it that an attempt at a run
is executed, that its steps are checkpointed, and that what a dead process left is taken on by
another. Losing the engine's own records therefore loses no run: the site puts what nobody takes on
back into its queue, as the next attempt.

An attempt is known by its `RunKey`: that is the token by which starting it is idempotent. A step
is at least once: whatever it writes is fenced and idempotent by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

_KEY = re.compile(r"run-([0-9]{1,18})-([0-9]{1,9})")


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """One attempt at a run; as text `run-17-1`."""

    run_id: int
    attempt: int

    def __str__(self) -> str:
        """Give the text by which the engine knows it."""
        return f"run-{self.run_id}-{self.attempt}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read the text again; None where it names no attempt."""
        match = _KEY.fullmatch(text)
        return cls(int(match[1]), int(match[2])) if match else None


class Relinquished(BaseException):
    """This process must not go on with the attempt: it ends here and nothing of it is recorded.

    No ordinary exception, so that no engine takes it for the outcome of a step.
    """


class Course(Protocol):
    """What an attempt does, as an engine calls it: `begin`, then one `step` after the other."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps in order; the last one is done however the others ended."""

    async def begin(self, key: RunKey) -> int | None:
        """Give the fencing token with which this process executes the attempt; None: it must not.

        Asked anew by each process that takes the attempt on, and never checkpointed.
        """

    async def step(self, key: RunKey, token: int, name: str) -> bool:
        """Carry out a step and give whether the next one follows; False leads to the last one.

        Cancelled as a task when the attempt is cancelled; what it started has ended by then.
        Relinquished where the token is void. Everything else it keeps to itself.
        """

    async def halted(self, key: RunKey, token: int) -> None:
        """Write down how an attempt that was cancelled ended. Idempotent by its token."""

    def ended(self, key: RunKey) -> None:
        """Hear that this process executes an attempt no more, however that came."""


class Engine(Protocol):
    """A durable executor of attempts. One process has at most one open engine."""

    def open(self, executor: str, course: Course) -> None:
        """Begin to execute, under a name that no other process has or ever had.

        DatabaseUnavailable where the engine's database cannot be reached; then it may be tried
        again. EngineError where it cannot be used. From now on the engine also takes on what
        `take_over` of any process freed.
        """

    def start(self, key: RunKey) -> bool:
        """Execute an attempt in this process; durable when it returns. Idempotent by the key.

        False where the engine knows the attempt already: under way, here or elsewhere, or over.
        """

    def cancel(self, key: RunKey) -> None:
        """Let an attempt end without its further steps, wherever it runs; durable when it returns.

        Its running step is cancelled within about a second, then `Course.halted` is called where
        it ran. Idempotent by the key; one that is over or unknown is left alone.
        """

    def take_over(self, executor: str) -> list[RunKey]:
        """Free what a dead process was executing for whoever takes it on; give their keys.

        Durable when it returns, and idempotent: what another process took on meanwhile is not
        touched. Steps that were checkpointed are not repeated.
        """

    def running(self) -> frozenset[RunKey]:
        """Give the attempts that this process executes now."""

    def drain(self, seconds: float) -> bool:
        """Wait so long at most until nothing is executed here; give whether it came so."""

    def forget(self, before: datetime) -> int:
        """Delete the records of attempts begun before a time that are over; give how many.

        Idempotent. An attempt that is over in the site is refused by `Course.begin` without them.
        """

    def close(self) -> None:
        """Stop executing at once. What was under way stays recorded as this process's own."""
