"""Schedule tokens: those of public sources, round trips, and what is none."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.configmgr.schedule_times import token_times, tokens_times
from wimdock.configmgr.schedule_token import (
    Interval,
    MonthlyByDate,
    MonthlyByWeekday,
    Once,
    Recurrence,
    ScheduleToken,
    Weekly,
    format_schedule_tokens,
    parse_schedule_tokens,
)
from wimdock.errors import ScheduleError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


NEW_YEAR = at("2012-01-01 20:00")

KNOWN = [
    ("A9788980001B4000", ScheduleToken(at("2008-08-24 11:42"), Weekly(day=3, weeks=2))),
    ("7D98898000280400", ScheduleToken(at("2008-08-24 12:31"), MonthlyByDate(day=0))),
    (
        "1033BC7B10100010",
        ScheduleToken(
            at("2019-11-19 01:04"), Interval(days=2), duration_hours=2, duration_minutes=59
        ),
    ),
    ("02C159C0381A2000", ScheduleToken(at("2009-05-01 22:00"), Weekly(day=2), duration_hours=7)),
    ("0001200000100038", ScheduleToken(at("1970-02-01 00:00"), Interval(days=7))),
    # Of a report on maintenance windows in Microsoft's TechNet wiki.
    ("00011A8500080000", ScheduleToken(at("2012-01-01"), Once(), duration_minutes=5)),
    ("02811A8040100018", ScheduleToken(NEW_YEAR, Interval(days=3), duration_hours=8)),
    ("02811A80401F6000", ScheduleToken(NEW_YEAR, Weekly(day=7, weeks=3), duration_hours=8)),
    ("02811A8040288800", ScheduleToken(NEW_YEAR, MonthlyByDate(2, 2), duration_hours=8)),
    ("02811A80402FC400", ScheduleToken(NEW_YEAR, MonthlyByDate(31), duration_hours=8)),
    ("02811A8040280C00", ScheduleToken(NEW_YEAR, MonthlyByDate(0, 3), duration_hours=8)),
    (
        "00811A9E08221600",
        ScheduleToken(
            at("2012-01-01 04:00"), MonthlyByWeekday(2, 3), duration_hours=1, duration_minutes=30
        ),
    ),
    ("02811A8040241000", ScheduleToken(NEW_YEAR, MonthlyByWeekday(4, 0), duration_hours=8)),
    ("02811A8040241800", ScheduleToken(NEW_YEAR, MonthlyByWeekday(4, 4), duration_hours=8)),
]

WEEKDAYS = st.integers(1, 7)
MONTHS = st.integers(1, 12)
RECURRENCES: st.SearchStrategy[Recurrence] = st.one_of(
    st.just(Once()),
    st.builds(Interval, st.integers(1, 31), st.integers(0, 23), st.integers(0, 59)),
    st.builds(Weekly, WEEKDAYS, st.integers(1, 7)),
    st.builds(MonthlyByWeekday, WEEKDAYS, st.integers(0, 4), MONTHS, st.none() | st.integers(0, 3)),
    st.builds(MonthlyByDate, st.integers(0, 31), MONTHS),
)
STARTS = st.datetimes(datetime(1970, 1, 1), datetime(2033, 12, 31, 23, 59)).map(  # noqa: DTZ001
    lambda start: start.replace(second=0, microsecond=0)
)
TOKENS = st.builds(
    ScheduleToken,
    STARTS,
    RECURRENCES,
    st.integers(0, 31),
    st.integers(0, 23),
    st.integers(0, 59),
    st.booleans(),
)


@pytest.mark.parametrize("text,token", KNOWN)
def test_known_tokens(text: str, token: ScheduleToken) -> None:
    assert parse_schedule_tokens(text) == (token,)
    assert format_schedule_tokens([token]) == text


def test_several_tokens_follow_each_other() -> None:
    text = "".join(text for text, _ in KNOWN)
    assert parse_schedule_tokens(text.lower()) == tuple(token for _, token in KNOWN)


@given(st.lists(TOKENS, min_size=1, max_size=4))
def test_what_was_written_is_read(tokens: list[ScheduleToken]) -> None:
    text = format_schedule_tokens(tokens)
    assert parse_schedule_tokens(text) == tuple(tokens)


@given(st.integers(0, (1 << 64) - 1))
def test_any_bits_are_a_token_or_refused(bits: int) -> None:
    text = f"{bits:016X}"
    try:
        tokens = parse_schedule_tokens(text)
    except ScheduleError:
        return
    assert format_schedule_tokens(tokens) == text


@given(st.text(max_size=40))
def test_any_text_is_tokens_or_refused(text: str) -> None:
    with suppress(ScheduleError):
        parse_schedule_tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A978898000",
        "A9788980001B400G",
        "0001200000000000",  # of no type
        "0001200000380000",  # of type 7
        "0001200000100000",  # every nothing
        "0000000000080000",  # on the day 0 of the month 0
        "F801200000080000",  # at minute 62
        "A9788980001B4002",  # a bit that nothing is known of
        "0001200000080000" * 65,
    ],
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule_tokens(text)


@pytest.mark.parametrize(
    "token",
    [
        ScheduleToken(at("2034-01-01"), Once()),
        ScheduleToken(at("2012-01-01 00:00:01"), Once()),
        ScheduleToken(at("2012-01-01 00:00+00:00"), Once()),
        ScheduleToken(at("2012-01-01"), Weekly(8)),
        ScheduleToken(at("2012-01-01"), Interval(days=32)),
        ScheduleToken(at("2012-01-01"), MonthlyByWeekday(3, 2, offset=4)),
    ],
)
def test_what_no_token_can_say(token: ScheduleToken) -> None:
    with pytest.raises(ScheduleError):
        format_schedule_tokens([token])


def first(token: ScheduleToken, after: str, count: int = 3) -> list[str]:
    return [f"{time:%Y-%m-%d %H:%M}" for time in islice(token_times(token, at(after)), count)]


@pytest.mark.parametrize(
    "recurrence,after,times",
    [
        (Once(), "2012-01-01", ["2012-01-01 20:00"]),
        (Once(), "2012-01-01 20:00", []),
        (Interval(hours=8), "2012-01-02 03:59", ["2012-01-02 04:00", "2012-01-02 12:00"]),
        (Interval(hours=8), "2012-01-02 04:00", ["2012-01-02 12:00", "2012-01-02 20:00"]),
        (Interval(days=3), "2010-01-01", ["2012-01-01 20:00", "2012-01-04 20:00"]),
        # 2012-01-01 was a Sunday
        (Weekly(1), "2011-01-01", ["2012-01-01 20:00", "2012-01-08 20:00"]),
        (Weekly(7, 3), "2012-01-01", ["2012-01-07 20:00", "2012-01-28 20:00"]),
        (MonthlyByDate(31), "2012-01-31 20:00", ["2012-03-31 20:00", "2012-05-31 20:00"]),
        (MonthlyByDate(0, 3), "2012-01-01", ["2012-01-31 20:00", "2012-04-30 20:00"]),
        (MonthlyByDate(2, 2), "2012-01-02 20:00", ["2012-03-02 20:00", "2012-05-02 20:00"]),
        (MonthlyByWeekday(3, 2), "2012-01-01", ["2012-01-10 20:00", "2012-02-14 20:00"]),
        (MonthlyByWeekday(4, 0), "2012-01-01", ["2012-01-25 20:00", "2012-02-29 20:00"]),
        (MonthlyByWeekday(3, 2, 3), "2026-11-30", ["2027-01-12 20:00", "2027-04-13 20:00"]),
        (MonthlyByWeekday(3, 2, offset=3), "2012-01-13", ["2012-01-13 20:00", "2012-02-17 20:00"]),
        # The last Saturday and three days may lie in the month after
        (MonthlyByWeekday(7, 0, offset=3), "2012-03-01", ["2012-04-03 20:00", "2012-05-01 20:00"]),
    ],
)
def test_times(recurrence: Recurrence, after: str, times: list[str]) -> None:
    assert first(ScheduleToken(NEW_YEAR, recurrence), after, 2) == times


def test_nothing_is_due_before_the_start() -> None:
    token = ScheduleToken(at("2012-01-15 20:00"), MonthlyByWeekday(3, 2))
    assert first(token, "2000-01-01", 1) == ["2012-02-14 20:00"]


def test_the_times_of_several_tokens_are_merged() -> None:
    tokens = [ScheduleToken(NEW_YEAR, Weekly(day)) for day in (3, 5, 3)]
    found = islice(tokens_times(tokens, NEW_YEAR), 3)
    assert [f"{time:%d}" for time in found] == ["03", "05", "10"]


@given(TOKENS, st.datetimes(datetime(1990, 1, 1), datetime(2050, 1, 1)))  # noqa: DTZ001
def test_times_grow_and_do_not_depend_on_where_one_looks_from(
    token: ScheduleToken, after: datetime
) -> None:
    found = list(islice(token_times(token, after), 4))
    assert found == sorted(set(found))
    assert all(time > after and time >= token.start for time in found)
    if len(found) > 1:
        between = found[0] + timedelta(microseconds=1)
        assert next(token_times(token, between)) == found[1]
