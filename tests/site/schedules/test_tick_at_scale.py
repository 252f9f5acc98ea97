"""A tick with 1,000 image packages due, and one with nothing due among many schedules."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.site.schedules.conftest import Yard
from wimdock.site.schedules.request import Target
from wimdock.site.schedules.tick import tick

GOAL = 1.0
SLACK = 3
"""The machine of a test may have other things to do; `scripts/load` measures it alone."""


def test_a_tick_with_a_thousand_image_packages_due(
    yard: Yard, many: Callable[[int], list[Target]]
) -> None:
    yard.add_update()
    added = yard.add(targets=many(1000))
    yard.at("2026-11-03T13:00Z")
    began = time.perf_counter()
    done = tick(yard.site)
    took = time.perf_counter() - began
    assert len(done.started) == len(yard.runs(added.id)) == 1000
    assert took < GOAL * SLACK


def test_a_tick_with_nothing_due_does_not_ask_each_schedule(yard: Yard) -> None:
    for _ in range(100):
        yard.add()
    began = time.perf_counter()
    for _ in range(10):
        tick(yard.site)
    assert (time.perf_counter() - began) / 10 < GOAL * SLACK / 20
