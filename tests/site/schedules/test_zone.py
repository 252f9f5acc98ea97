"""Time zones: gaps and repeated hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import ScheduleError
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.recurrence import Once
from wimdock.site.schedules.zone import instant_of, local_of, zone_of

NAMES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Apia",  # once left out a whole day
    "Africa/Casablanca",  # back for a month each year
    "Asia/Kathmandu",
)


def on(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    "zone,local,instant,note",
    [
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59", ""),
        ("Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00", "gap"),
        ("Europe/Berlin", "2026-03-29 02:59", "2026-03-29 01:00", "gap"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00", ""),
        ("Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59", ""),
        ("Europe/Berlin", "2026-10-25 02:00", "2026-10-25 00:00", "twice"),
        ("Europe/Berlin", "2026-10-25 02:59", "2026-10-25 00:59", "twice"),
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00", ""),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:30", "gap"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", "gap"),
    ],
)
def test_where_a_local_time_lies(zone: str, local: str, instant: str, note: str) -> None:
    found = instant_of(on(local), ZoneInfo(zone))
    assert f"{found.at:%Y-%m-%d %H:%M}" == instant
    assert note in found.note
    assert bool(found.note) == bool(note)


def test_a_run_in_the_gap_is_made_once_at_its_end() -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = islice(Cron.parse("0,30 1-3 * * *").instants(on("2026-03-28T23:00+00:00"), zone), 5)
    assert [f"{instant.at:%H:%M}" for instant in found] == [
        "00:00",
        "00:30",
        "01:00",  # 02:00 and 02:30, which there are not, and 03:00
        "01:30",
        "23:00",
    ]


def test_a_run_in_the_repeated_hour_is_made_once() -> None:
    zone = ZoneInfo("Europe/Berlin")
    found = list(islice(Cron.parse("30 2 * * *").instants(on("2026-10-24T12:00Z"), zone), 2))
    assert [f"{instant.at:%d %H:%M}" for instant in found] == ["25 00:30", "26 01:30"]
    between = on("2026-10-25T01:15Z")  # in the second pass, before 02:30 on the clock
    assert next(Cron.parse("30 2 * * *").instants(between, zone)).at == on("2026-10-26T01:30Z")


def test_once_in_the_gap() -> None:
    zone = ZoneInfo("Europe/Berlin")
    (found,) = Once.parse("2026-03-29T02:30").instants(on("2026-01-01T00:00Z"), zone)
    assert found.at == on("2026-03-29T01:00Z")
    assert "skip" in found.note


@given(
    st.sampled_from(NAMES),
    st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(), timedelta(hours=30)),
)
def test_later_on_the_clock_is_never_earlier(name: str, local: datetime, later: timedelta) -> None:
    zone = ZoneInfo(name)
    first, second = instant_of(local, zone), instant_of(local + later, zone)
    assert first.at <= second.at
    shown = local_of(first.at, zone)
    assert shown == local or ("skip" in first.note and shown > local)


@given(
    st.sampled_from(NAMES),
    st.sampled_from(["*/20 * * * *", "30 2 * * *", "0 1-3 * * *", "0 0 * * *"]),
    st.datetimes(datetime(2010, 1, 1), datetime(2036, 1, 1)),  # noqa: DTZ001
)
def test_instants_grow_and_do_not_depend_on_where_one_looks_from(
    name: str, expression: str, after: datetime
) -> None:
    zone, cron = ZoneInfo(name), Cron.parse(expression)
    found = [i.at for i in islice(cron.instants(after.replace(tzinfo=UTC), zone), 20)]
    assert found == sorted(set(found))
    assert found[0] > after.replace(tzinfo=UTC)
    for early, late in pairwise(found):
        assert next(cron.instants(early, zone)).at == late
        assert next(cron.instants(late - timedelta(seconds=1), zone)).at == late


@pytest.mark.parametrize("name", ["", "Europe", "Europe/Atlantis", "../UTC", "/etc", "right/UTC"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ScheduleError):
        zone_of(name)


def test_a_name_with_a_zero_byte_or_of_another_alphabet_is_no_zone() -> None:
    for name in ("UTC\0", "Ευρώπη/Αθήνα", "x" * 300):
        with pytest.raises(ScheduleError):
            zone_of(name)
