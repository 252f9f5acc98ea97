"""Maintenance windows and blackouts."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.errors import ScheduleError
from wimdock.site.schedules.window import Blackout, Window

BERLIN = ZoneInfo("Europe/Berlin")


def is_open(window: Window, text: str) -> bool:
    at = datetime.fromisoformat(text).replace(tzinfo=BERLIN)
    return window.refusal(at.astimezone(UTC), BERLIN) == ""


@pytest.mark.parametrize(
    "text,at,is_in",
    [
        ("", "2026-11-03 12:00", True),
        ("22:00-04:00", "2026-11-03 21:59", False),
        ("22:00-04:00", "2026-11-03 22:00", True),
        ("22:00-04:00", "2026-11-04 03:59", True),
        ("22:00-04:00", "2026-11-04 04:00", False),
        ("08:00-17:00", "2026-11-03 12:00", True),
        ("08:00-17:00", "2026-11-03 17:00", False),
        ("mon-fri 22:00-04:00", "2026-11-07 03:00", True),  # the night that began on Friday
        ("mon-fri 22:00-04:00", "2026-11-08 03:00", False),
        ("mon-fri 22:00-04:00", "2026-11-09 03:00", False),  # the night that began on Sunday
        ("sat,sun", "2026-11-08 03:00", True),
        ("sat,sun", "2026-11-09 00:00", False),
        ("fri-mon", "2026-11-09 12:00", True),
        ("fri - mon 22:00 - 23:00", "2026-11-09 22:30", True),
        ("tue 00:00-00:00", "2026-11-03 12:00", True),
        ("tue 05:00-05:00", "2026-11-04 04:00", True),
        ("22:00-24:00", "2026-11-03 23:59", True),
        ("22:00-24:00", "2026-11-04 00:00", False),
        ("tue 00:00-24:00", "2026-11-03 23:59", True),
    ],
)
def test_when_a_window_is_open(text: str, at: str, is_in: bool) -> None:  # noqa: FBT001
    assert is_open(Window.parse(text), at) is is_in


def test_blackouts_are_whole_days_of_the_zone() -> None:
    window = Window.parse("", ["2026-12-24/2027-01-02", "2026-11-30"])
    assert not is_open(window, "2026-12-24 00:00")
    assert not is_open(window, "2027-01-02 23:59")
    assert is_open(window, "2027-01-03 00:00")
    assert not is_open(window, "2026-11-30 12:00")
    assert "blacked out" in window.refusal(datetime(2026, 12, 23, 23, tzinfo=UTC), BERLIN)


def test_the_window_is_on_the_clock_of_its_zone() -> None:
    window = Window.parse("22:00-04:00")
    assert not window.refusal(datetime(2026, 11, 3, 21, tzinfo=UTC), BERLIN)
    assert window.refusal(datetime(2026, 11, 3, 21, tzinfo=UTC), ZoneInfo("UTC"))


@pytest.mark.parametrize(
    "text,blackouts",
    [
        ("noon", []),
        ("22:00", []),
        ("24:00-22:00", []),
        ("22:00-4", []),
        ("mon-funday", []),
        ("mon..fri", []),
        ("22:00-02:00 12:00-13:00", []),
        ("mon tue 22:00-02:00", []),
        ("mon tue", []),
        ("", ["tomorrow"]),
        ("", ["2026-12-24/2026-12-23"]),
        ("", ["2026-12-24/"]),
        ("", ["2026-12-24"] * 401),
    ],
)
def test_what_is_no_window(text: str, blackouts: list[str]) -> None:
    with pytest.raises(ScheduleError):
        Window.parse(text, blackouts)


@pytest.mark.parametrize(
    "document",
    [
        {"day": ["mon"]},
        {"days": []},
        {"days": "mon"},
        {"days": [1]},
        {"start": "22:00"},
        {"start": "22:00", "end": 4},
        {"blackout": "2026-12-24"},
    ],
)
def test_documents_that_are_wrong(document: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        Window.from_document(document)


TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
DATES = st.dates(date(2000, 1, 1), date(2100, 1, 1))
WINDOWS = st.builds(
    Window,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    TIMES,
    TIMES,
    st.lists(st.builds(lambda d, n: Blackout(d, d + timedelta(n)), DATES, st.integers(0, 9))).map(
        tuple
    ),
)


@given(WINDOWS)
def test_documents(window: Window) -> None:
    assert Window.from_document(window.to_document()) == window
    assert window.describe()


@given(WINDOWS, st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_a_window_opens_at_its_start_and_closes_at_its_end(window: Window, at: datetime) -> None:
    open_days = Window(window.days, window.start, window.end)
    utc = ZoneInfo("UTC")
    begin = datetime.combine(at.date(), window.start).replace(tzinfo=UTC)
    end = datetime.combine(at.date(), window.end).replace(tzinfo=UTC)
    end += timedelta(days=1) if end <= begin else timedelta()
    if begin.weekday() in window.days:
        last = end - timedelta(minutes=1)
        assert open_days.refusal(begin, utc) == open_days.refusal(last, utc) == ""
    elif window.start < window.end:
        assert open_days.refusal(begin, utc)


@given(st.text(max_size=30), st.lists(st.text(max_size=25), max_size=2))
def test_any_text_is_a_window_or_refused(text: str, blackouts: list[str]) -> None:
    with suppress(ScheduleError):
        Window.parse(text, blackouts)


def test_always_is_told_as_such() -> None:
    assert Window().describe() == "always"
    assert Window().to_document() == {}
    assert Window((0,), time(22), time(4)).describe() == "mon 22:00-04:00"


@pytest.mark.parametrize(
    "text,blackouts,at,closes",
    [
        ("", [], "2026-11-03 12:00", None),
        ("22:00-04:00", [], "2026-11-03 22:00", "2026-11-04 04:00"),
        ("22:00-04:00", [], "2026-11-04 03:59", "2026-11-04 04:00"),
        ("22:00-04:00", ["2026-11-04"], "2026-11-03 23:00", "2026-11-04 00:00"),
        ("fri-sun", [], "2026-11-06 12:00", "2026-11-09 00:00"),
        ("", ["2026-12-24"], "2026-11-03 12:00", "2026-12-24 00:00"),
        ("", ["2026-11-01"], "2026-11-03 12:00", None),
        ("mon-sat", [], "2026-11-02 00:00", "2026-11-08 00:00"),
        ("22:00-02:30", [], "2026-10-24 23:00", "2026-10-25 02:30"),  # the first of the two
        ("22:00-02:30", [], "2026-03-28 23:00", "2026-03-29 03:00"),  # the clocks skip it
    ],
)
def test_when_a_window_closes(text: str, blackouts: list[str], at: str, closes: str | None) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=BERLIN)
    found = Window.parse(text, blackouts).closes(now.astimezone(UTC), BERLIN)
    expected = closes and datetime.fromisoformat(closes).replace(tzinfo=BERLIN).astimezone(UTC)
    assert found == expected


@given(st.data())
def test_a_window_is_open_until_it_closes(data: st.DataObject) -> None:
    first, last = (data.draw(st.times().map(lambda at: at.replace(microsecond=0))) for _ in "12")
    days = tuple(data.draw(st.sets(st.integers(0, 6), min_size=1)))
    window = Window(days, first, last)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=data.draw(st.integers(0, 600_000)))
    if window.refusal(now, BERLIN):
        return
    closes = window.closes(now, BERLIN)
    if closes is None:
        assert (first, last, len(days)) == (first, first, 7)
        return
    assert closes > now
    assert window.refusal(closes, BERLIN)
    for part in range(20):
        assert not window.refusal(now + (closes - now) * part / 20, BERLIN)
