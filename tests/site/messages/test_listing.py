"""Looking status messages up, on both kinds of database."""

from __future__ import annotations

import time
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import insert

from tests.site.conftest import SetClock
from wimdock.errors import NoSuchRecord
from wimdock.site.messages import history_of, report, table
from wimdock.site.messages.listing import (
    MessageFilter,
    list_messages,
    message_of,
    streamed,
)
from wimdock.site.models import History, MessageSeverity, StatusMessageRow
from wimdock.site.site import Site

MANY = 100_000
SOON = 0.5


@pytest.fixture
def told(site: Site, clock: SetClock) -> Site:
    """Give a site that has said three things, an hour apart."""
    for kind, strings, about in (
        (table.RUN_STARTED, ("16777217",), (4, 16777217, "CAS00001")),
        (table.RUN_FAILED, ("4", "CAS00001", "no", "no code"), (4, None, "CAS00001")),
        (table.POINT_DOWN, ("branch", "no route to host"), (None, None, None)),
    ):
        run_id, schedule_id, package_id = about
        with site.writing() as session:
            report(
                site,
                session,
                kind,
                *strings,
                run_id=run_id,
                schedule_id=schedule_id,
                package_id=package_id,
            )
        clock.advance(hours=1)
    return site


@pytest.mark.parametrize(
    "wanted, expected",
    [
        (MessageFilter(), [3, 2, 1]),
        (MessageFilter(ids=(42001, 7900)), [2, 1]),
        (MessageFilter(severities=(MessageSeverity.WARNING,)), [3]),
        (MessageFilter(run_id=4), [2, 1]),
        (MessageFilter(package_id="CAS00001", severities=(MessageSeverity.ERROR,)), [2]),
        (MessageFilter(schedule_id=16777217), [1]),
        (MessageFilter(ids=(42099,)), []),
    ],
)
def test_what_fits_is_found_newest_first(
    told: Site, wanted: MessageFilter, expected: list[int]
) -> None:
    assert [row.id for row in list_messages(told, wanted)] == expected
    with streamed(told, wanted) as rows:
        assert [row.id for row in rows] == expected[::-1]


def test_since_includes_its_instant(told: Site, clock: SetClock) -> None:
    wanted = MessageFilter(since=clock.now() - timedelta(hours=2))
    assert [row.id for row in list_messages(told, wanted)] == [3, 2]
    assert [row.id for row in list_messages(told, wanted, last=1)] == [3]


def test_one_is_found_by_its_number(told: Site) -> None:
    assert message_of(told, 2).message_id == 42001
    with pytest.raises(NoSuchRecord):
        message_of(told, 4)


def test_many_are_found_soon_and_streamed_in_little_memory(site: Site, clock: SetClock) -> None:
    with site.writing() as session:
        session.execute(insert(StatusMessageRow), [_message(clock, each) for each in range(MANY)])
        session.execute(insert(History), [_entry(clock, each) for each in range(MANY)])
    for wanted in (
        MessageFilter(),
        MessageFilter(run_id=10_000),
        MessageFilter(run_id=MANY),
        MessageFilter(package_id="CAS003E7"),
        MessageFilter(package_id="CAS0FFFF"),
        MessageFilter(ids=(42099,)),
        MessageFilter(severities=(MessageSeverity.ERROR,)),
        MessageFilter(since=clock.now() + timedelta(seconds=MANY - 60)),
    ):
        begin = time.perf_counter()
        list_messages(site, wanted, 50)
        assert time.perf_counter() - begin < SOON, wanted
    begin = time.perf_counter()
    assert len(history_of(site, "CAS003E7", 50)) == 50
    assert time.perf_counter() - begin < SOON
    tracemalloc.start()
    try:
        with streamed(site, MessageFilter()) as rows:
            assert sum(1 for _ in rows) == MANY
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def _message(clock: SetClock, number: int) -> dict[str, object]:
    return {
        "message_id": 42000,
        "severity": MessageSeverity.INFORMATION,
        "component": "WIMDOCK",
        "machine": "host",
        "site_code": "CAS",
        "at": clock.now() + timedelta(seconds=number),
        "pid": 1,
        "tid": 1,
        "strings": ["1", "CAS00001", "1 installed"],
        "run_id": number // 10 + 1,
        "schedule_id": 16777217,
        "package_id": f"CAS{number % 1000:05X}",
    }


def _entry(clock: SetClock, number: int) -> dict[str, object]:
    return {
        "package_id": f"CAS{number % 1000:05X}",
        "at": clock.now() + timedelta(seconds=number),
        "action": "service",
        "result": "succeeded",
        "generation": number // 1000,
        "run_id": number + 1,
        "operator": "ann",
        "seconds": 4.0,
        "updates": [{"id": 16777217, "title": "KB5", "result": "installed"}],
        "detail": "1 installed",
    }
