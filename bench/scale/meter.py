"""What the work costs in processor time, by kind of work and by period: a week of a month."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.scale.timeline import Timeline

_DAY = 24 * 3600.0
_WEEK = 7
_QUARTER = 4


@dataclass(slots=True)
class Cost:
    """How often something was done, and the seconds that all of it took; `longest` one of them."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    @property
    def each(self) -> float:
        """The seconds that one took."""
        return self.seconds / self.count if self.count else 0.0


@dataclass(slots=True)
class Named:
    """What is measured."""

    kind: str


class Meter:
    """Counts what is done in each period of simulated time."""

    def __init__(self, timeline: Timeline, days: int) -> None:
        """Take the time and how many days are played: its weeks, or quarters where it has few."""
        self._timeline = timeline
        self._seconds = _DAY * min(_WEEK, days / _QUARTER)
        self.periods = int(days * _DAY // self._seconds)
        self._costs: dict[tuple[str, int], Cost] = {}

    @contextmanager
    def measure(self, kind: str) -> Iterator[Named]:
        """Measure a block, which may name anew what it turned out to be."""
        named = Named(kind)
        began = time.process_time()
        try:
            yield named
        finally:
            took = time.process_time() - began
            cost = self.cost(named.kind, int(self._timeline.monotonic() // self._seconds))
            cost.count += 1
            cost.seconds += took
            cost.longest = max(cost.longest, took)

    def cost(self, kind: str, period: int) -> Cost:
        """Give what a kind of work cost in a period, counted from 0."""
        return self._costs.setdefault((kind, period), Cost())

    def total(self, kind: str) -> Cost:
        """Give what a kind of work cost in all periods."""
        every = [cost for (name, _), cost in self._costs.items() if name == kind]
        return Cost(
            sum(cost.count for cost in every),
            sum(cost.seconds for cost in every),
            max((cost.longest for cost in every), default=0.0),
        )
