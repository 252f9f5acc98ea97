"""The one event type that the terminal, the log, the database and the browser listen to.

A `Reporter` is passed down through the rooms. Steps nest and are timed; progress belongs to the
innermost open step; messages carry a severity. Rooms report, they never print.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an event tells."""

    STEP_STARTED = "step_started"
    PROGRESS = "progress"
    STEP_ENDED = "step_ended"
    STEP_FAILED = "step_failed"
    MESSAGE = "message"


class Severity(Enum):
    """How grave a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `step` holds the titles of the open steps, outermost first. `done` and `total` count `unit`
    ("bytes", "files", …) for PROGRESS; `seconds` is the duration for STEP_ENDED and STEP_FAILED;
    `text` and `severity` belong to MESSAGE (and `text` to STEP_ENDED: its result in a few words).
    """

    kind: Kind
    step: tuple[str, ...] = ()
    text: str = ""
    severity: Severity = Severity.INFO
    done: int = 0
    total: int = 0
    unit: str = ""
    seconds: float = 0.0


Listener = Callable[[Event], None]


class StepHandle:
    """An open step: lets the code inside it say in a few words how it ended."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        """Start without a result."""
        self.result = ""


class Reporter:
    """Turns what the rooms do into events for one listener."""

    def __init__(self, listener: Listener | None = None) -> None:
        """Send events to `listener`, or nowhere."""
        self._listener = listener
        self._stack: list[str] = []

    def _send(self, event: Event) -> None:
        if self._listener is not None:
            self._listener(event)

    @contextmanager
    def step(self, title: str) -> Iterator[StepHandle]:
        """Open a nested, timed step; it fails when the block raises."""
        self._stack.append(title)
        path = tuple(self._stack)
        self._send(Event(Kind.STEP_STARTED, path))
        handle = StepHandle()
        began = time.monotonic()
        try:
            yield handle
        except BaseException:
            self._send(Event(Kind.STEP_FAILED, path, seconds=time.monotonic() - began))
            raise
        else:
            self._send(
                Event(Kind.STEP_ENDED, path, text=handle.result, seconds=time.monotonic() - began)
            )
        finally:
            self._stack.pop()

    def progress(self, done: int, total: int, unit: str = "bytes") -> None:
        """Say how far the innermost open step is."""
        self._send(Event(Kind.PROGRESS, tuple(self._stack), done=done, total=total, unit=unit))

    def message(self, text: str, severity: Severity = Severity.INFO) -> None:
        """Say something in words."""
        self._send(Event(Kind.MESSAGE, tuple(self._stack), text=text, severity=severity))

    def forward(self, event: Event) -> None:
        """Send an event that another process told of."""
        self._send(event)
