"""A yard for tests of workers, and what they ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.dockyard import Dockyard
from wimdock.site.models import StepName
from wimdock.site.runs.listing import run_details

MakeDockyard = Callable[..., Dockyard]


@pytest.fixture
def make_dockyard(tmp_path: Path) -> Iterator[MakeDockyard]:
    made: list[Dockyard] = []

    def make(
        url: str | None = None, *, images: int = 1, updates: int = 1, size: int = 4000
    ) -> Dockyard:
        made.append(Dockyard(tmp_path, url, images=images, updates=updates, size=size))
        return made[-1]

    yield make
    for dockyard in made:
        dockyard.end()


def is_in_first_step(yard: Dockyard, run_id: int) -> Callable[[], bool]:
    return lambda: any(
        step.name is StepName.PREFLIGHT and step.attempt
        for step in run_details(yard.site, run_id).steps
    )


def has_ended(yard: Dockyard, run_id: int) -> Callable[[], bool]:
    return lambda: yard.run(run_id).state.ended
