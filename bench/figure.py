"""What was measured, beside its goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.process import Sample


@dataclass(frozen=True, slots=True)
class Range:
    """The median of several measurements, with the least and the greatest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """Sum up measurements."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `goal` None is for information; `at_least` tells which side of it is good.

    `processor` is the same ratio in processor time, which other work on the machine disturbs less.
    """

    name: str
    compression: str
    measured: Range
    goal: float | None = None
    at_least: bool = False
    unit: str = "x"
    processor: float | None = None
    rounds: int = 1

    @property
    def met(self) -> bool | None:
        """Tell whether the median meets the goal; None where there is none."""
        if self.goal is None:
            return None
        if self.at_least:
            return self.measured.middle >= self.goal
        return self.measured.middle <= self.goal

    def document(self) -> dict[str, object]:
        """Give it for JSON."""
        return {
            "name": self.name,
            "compression": self.compression,
            "unit": self.unit,
            "goal": self.goal,
            "goal_is": "at least" if self.at_least else "at most",
            "measured": self.measured.middle,
            "low": self.measured.low,
            "high": self.measured.high,
            "processor_time": self.processor,
            "rounds": self.rounds,
            "met": self.met,
        }


def ratio(
    name: str,
    compression: str,
    ours: Sequence[Sample],
    theirs: Sequence[Sample],
    goal: float | None,
) -> Figure:
    """Compare pair by pair: our time over theirs, which is to be at most the goal."""
    pairs = list(zip(ours, theirs, strict=True))
    return Figure(
        name,
        compression,
        Range.of([one.seconds / other.seconds for one, other in pairs]),
        goal,
        processor=median(one.processor / other.processor for one, other in pairs),
        rounds=len(pairs),
    )
