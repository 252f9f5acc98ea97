"""Simulated time: what happens when, one thing after the other, and a clock that follows."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from datetime import datetime, timedelta


class Timeline:
    """Things that are to happen, in the order of their times; a clock and a steady one."""

    def __init__(self, start: datetime) -> None:
        """Begin at `start`."""
        self.start = start
        self._now = start
        self._number = 0
        self._coming: list[tuple[datetime, int, Callable[[], None]]] = []

    def now(self) -> datetime:
        """Give the time of what happens now; so it is the clock of the site."""
        return self._now

    def monotonic(self) -> float:
        """Give the seconds since the start."""
        return (self._now - self.start).total_seconds()

    def at(self, when: datetime, what: Callable[[], None]) -> None:
        """Let something happen at a time, after all that was planned for it before."""
        self._number += 1
        heapq.heappush(self._coming, (max(when, self._now), self._number, what))

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        """Let something happen some seconds from now."""
        self.at(self._now + timedelta(seconds=seconds), what)

    def run(self, until: datetime) -> None:
        """Let everything happen that comes before a time."""
        while self._coming and self._coming[0][0] < until:
            self._now, _, what = heapq.heappop(self._coming)
            what()
        self._now = until


class Pause:
    """Awaited by the coroutine of an attempt: so many seconds pass."""

    def __init__(self, seconds: float) -> None:
        """Take the seconds."""
        self._seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        """Give the seconds to whoever drives the coroutine."""
        yield self._seconds
