"""A large site, made small: what lists and ticks works there, and takes its time of the database.

scripts/load measures the whole; here it must only be far from what would miss the goals.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.load import COMMANDS, LIST_SECONDS, TICK_SECONDS, Load, filled_site
from bench.load_rows import QUICK
from tests.site.postgres import PostgresServer

SLACK = 4
"""The machine of a test may have other things to do."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def load(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Load]:
    """Give a filled site on each database."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    folder = tmp_path_factory.mktemp("load")
    with filled_site(folder, url, QUICK, lambda _words: None) as (site, clock):
        yield Load(site, clock, 1, lambda _words: None)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_lists_soon(load: Load, command: str) -> None:
    words = [*command.split(), "--site", str(load.site.folder)]
    load.within(words)
    assert min(load.within(words) for _ in range(3)) < LIST_SECONDS * SLACK


def test_a_tick_is_over_soon(load: Load) -> None:
    load.measure(())
    by_name = {figure.name: figure for figure in load.figures}
    assert by_name["tick, nothing due"].measured.middle < TICK_SECONDS
    due = by_name[f"tick, {QUICK.packages} runs due"]
    assert due.measured.middle < TICK_SECONDS * SLACK
    assert by_name["metrics"].measured.middle < LIST_SECONDS * SLACK
    assert all(figure.goal in (LIST_SECONDS, TICK_SECONDS, None) for figure in load.figures)
