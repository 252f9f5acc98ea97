"""When schedules are due: each kind of recurrence, documents and what is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wimdock.errors import ScheduleError
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.patch_tuesday import PatchTuesday
from wimdock.site.schedules.recurrence import Now, Once, Recurrence, read_recurrence
from wimdock.site.schedules.rule import Rule
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.words import time_of

ZONE = ZoneInfo("UTC")
START = datetime(2026, 11, 3, 12, 0)  # noqa: DTZ001 - a time on the clock
AFTER = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)  # a Tuesday


def due(recurrence: Recurrence, count: int = 3, after: datetime = AFTER) -> list[str]:
    found = islice(recurrence.instants(after, ZONE), count)
    return [f"{instant.at:%Y-%m-%d %H:%M}" for instant in found]


@pytest.mark.parametrize(
    "expression,times",
    [
        ("0 22 * * TUE#2", ["2026-11-10 22:00", "2026-12-08 22:00", "2027-01-12 22:00"]),
        ("30 3 * * *", ["2026-11-04 03:30", "2026-11-05 03:30", "2026-11-06 03:30"]),
        ("0 0 L * *", ["2026-11-30 00:00", "2026-12-31 00:00", "2027-01-31 00:00"]),
        ("0 12 * * sat", ["2026-11-07 12:00", "2026-11-14 12:00", "2026-11-21 12:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
    ],
)
def test_cron(expression: str, times: list[str]) -> None:
    assert due(Cron.parse(expression)) == times


@pytest.mark.parametrize(
    "text",
    ["", "0 22 * *", "0 0 22 * * TUE", "@daily", "61 0 * * *", "0 0 30 2 *", "0 0 * * TUE#2/2"],
)
def test_what_is_no_cron_expression(text: str) -> None:
    with pytest.raises(ScheduleError):
        Cron.parse(text)


@given(st.text(alphabet="0123456789*/,-#L W", max_size=20))
@example("0 0 * * TUE#2/2")
@example("0 0 * * 2#2/2")
def test_any_cron_expression_is_read_or_refused(text: str) -> None:
    with suppress(ScheduleError):
        due(Cron.parse(text), 1)


@pytest.mark.parametrize(
    "rule,times",
    [
        ("FREQ=WEEKLY;BYDAY=TU,TH", ["2026-11-05 12:00", "2026-11-10 12:00", "2026-11-12 12:00"]),
        ("RRULE:FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22", ["2026-11-10 22:00", "2026-12-08 22:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2026-11-30 12:00", "2026-12-31 12:00"]),
        ("FREQ=DAILY;COUNT=3", ["2026-11-04 12:00", "2026-11-05 12:00"]),
        ("FREQ=DAILY;UNTIL=20261105", ["2026-11-04 12:00", "2026-11-05 12:00"]),
        ("FREQ=DAILY;UNTIL=20261105T115959Z", ["2026-11-04 12:00"]),
        ("FREQ=HOURLY;INTERVAL=8", ["2026-11-03 20:00", "2026-11-04 04:00"]),
        ("DTSTART:20261103T220000\nRRULE:FREQ=DAILY", ["2026-11-03 22:00", "2026-11-04 22:00"]),
    ],
)
def test_rule(rule: str, times: list[str]) -> None:
    assert due(Rule.parse(rule, START), 3)[: len(times)] == times


def test_an_end_is_an_instant_in_the_zone() -> None:
    rule = Rule.parse("FREQ=DAILY;UNTIL=20261105T110000Z", START)
    found = list(rule.instants(AFTER, ZoneInfo("Europe/Berlin")))
    assert found[-1].at == datetime(2026, 11, 5, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY;INTERVAL=5",
        "FREQ=DAILY;INTERVAL=3",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,MO,WE;WKST=MO",
        "FREQ=MONTHLY;INTERVAL=5",
        "FREQ=DAILY;COUNT=900",
    ],
)
def test_a_rule_means_the_same_wherever_one_looks_from(rule: str) -> None:
    made = Rule.parse(rule, START)
    every = list(islice(made.instants(AFTER, ZONE), 300))
    for place in (0, 1, 50, 150, 298):
        assert next(made.instants(every[place].at, ZONE)) == every[place + 1]
        just_before = every[place].at - timedelta(seconds=1)
        assert next(made.instants(just_before, ZONE)) == every[place]


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=MINUTELY",
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYEASTER=1",
        "FREQ=DAILY;BYSECOND=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=1001",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=DAILY;UNTIL=20260101",
        "FREQ=DAILY;BYHOUR=25",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY\nRRULE:FREQ=WEEKLY",
        "DTSTART:20261301T220000\nRRULE:FREQ=DAILY",
        "EXDATE:20261103T220000",
        "FREQ=WEEKLY;BYDAY=2TU",
        "FREQ=DAILY;BYDAY=MO,-1FR",
        "FREQ=WEEKLY;BYDAY=TU(2)",
        "DTSTART:00020101T220000\nRRULE:FREQ=DAILY",
        "DTSTART:22000101T220000\nRRULE:FREQ=DAILY",
    ],
)
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(ScheduleError):
        Rule.parse(rule, START)


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"])
def test_a_rule_that_fits_no_day_is_refused_soon(
    frequency: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its times are not even looked at: by the hour that would take a minute.
    monkeypatch.setattr(Rule, "_times", lambda *_: iter([START]))
    with pytest.raises(ScheduleError, match="never due"):
        Rule.parse(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30;COUNT=5", START)


@pytest.mark.parametrize("name", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_an_end_in_the_farthest_year_is_none(name: str) -> None:
    rule = Rule.parse("FREQ=DAILY;UNTIL=99991231T235959Z", START)
    found = list(islice(rule.instants(AFTER, ZoneInfo(name)), 100))
    assert len(found) == 100


@pytest.mark.parametrize("rule", ["FREQ=YEARLY;BYMONTH=2", "FREQ=YEARLY;BYMONTHDAY=31"])
def test_a_start_on_a_day_that_other_months_have_not_is_no_hindrance(rule: str) -> None:
    parts = f"FREQ=HOURLY;{rule.split(';')[1]}"
    assert due(Rule.parse(parts, datetime(2026, 12, 31, 12)), 1)  # noqa: DTZ001


def test_no_instant_lies_beyond_the_last_year() -> None:
    rule = Rule.parse("FREQ=YEARLY;INTERVAL=8;BYMONTH=12;BYMONTHDAY=31;BYHOUR=23", START)
    found = list(rule.instants(AFTER, ZoneInfo("America/New_York")))
    assert [found[0].at.year, found[-1].at.year] == [2027, 2195]


def test_of_several_tokens_the_shortest_duration_counts_that_is_one() -> None:
    for_hours, for_none = "02C159C0381A2000", "A9788980001B4000"
    tokens = Tokens.from_document({"tokens": for_none + for_hours})
    assert tokens.duration == timedelta(hours=7)
    assert Tokens.from_document({"tokens": for_none}).duration == timedelta()


NAMES = st.sampled_from(
    ("INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYWEEKNO", "BYHOUR", "X")
)
PARTS = st.builds("{}={}".format, NAMES, st.text(alphabet="0123456789-+,MOTUWE()T Z", max_size=6))


@given(
    st.sampled_from(["YEARLY", "MONTHLY"]),
    st.lists(PARTS, max_size=3, unique_by=lambda part: part.split("=")[0]),
)
def test_any_rule_is_read_or_refused(frequency: str, parts: list[str]) -> None:
    with suppress(ScheduleError):
        made = Rule.parse(";".join([f"FREQ={frequency}", *parts]), START)
        assert read_recurrence(made.to_document()) == made
        found = due(made, 3)
        assert found == sorted(set(found))


@pytest.mark.parametrize(
    "days,times",
    [
        (0, ["2026-11-10 22:00", "2026-12-08 22:00", "2027-01-12 22:00"]),
        (3, ["2026-11-13 22:00", "2026-12-11 22:00", "2027-01-15 22:00"]),
        (30, ["2026-11-12 22:00", "2026-12-10 22:00", "2027-01-07 22:00"]),
    ],
)
def test_patch_tuesday(days: int, times: list[str]) -> None:
    assert due(PatchTuesday(days, time_of("22:00"))) == times


@given(st.integers(0, 30), st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1)))  # noqa: DTZ001
def test_patch_tuesday_is_the_second_of_each_month(days: int, after: datetime) -> None:
    recurrence = PatchTuesday(days, time_of("03:00"))
    found = list(islice(recurrence.instants(after.replace(tzinfo=UTC), ZONE), 13))
    tuesdays = [instant.at - timedelta(days=days) for instant in found]
    assert all(at.weekday() == 1 and 8 <= at.day <= 14 for at in tuesdays)
    months = [at.year * 12 + at.month for at in tuesdays]
    assert months == list(range(months[0], months[0] + 13))
    assert found[0].at > after.replace(tzinfo=UTC)
    assert found[0].at - after.replace(tzinfo=UTC) < timedelta(days=36)


def test_once_is_a_time_on_the_clock_or_an_instant() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    local, exact = Once.parse("2026-11-10T22:00"), Once.parse("2026-11-10T22:00+02:00")
    assert [i.at.hour for i in local.instants(AFTER, berlin)] == [21]
    assert [i.at.hour for i in exact.instants(AFTER, berlin)] == [20]
    assert list(local.instants(datetime(2026, 11, 10, 21, tzinfo=UTC), berlin)) == []


@pytest.mark.parametrize("text", ["", "soon", "1999-12-31", "2200-01-01", "2026-13-01", "22:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ScheduleError):
        Once.parse(text)


def test_a_token_in_utc_is_due_in_utc() -> None:
    tokens = Tokens.from_document({"tokens": "00012000001000380001200000100039"})
    found = [i.at.hour for i in islice(tokens.instants(AFTER, ZoneInfo("Europe/Berlin")), 4)]
    assert found == [23, 0, 23, 0]


@pytest.mark.parametrize(
    "recurrence",
    [
        Now(),
        Once.parse("2026-11-10T22:00"),
        Once.parse("2026-11-10T22:00Z"),
        Cron.parse("0 22 * * TUE#2"),
        Rule.parse("FREQ=DAILY", START),
        PatchTuesday(3, time_of("22:00")),
        Tokens.from_document({"tokens": "A9788980001B4000"}),
    ],
)
def test_documents(recurrence: Recurrence) -> None:
    assert read_recurrence(recurrence.to_document()) == recurrence
    assert recurrence.describe()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "sometimes"},
        {"kind": "once"},
        {"kind": "once", "at": 5},
        {"kind": "cron", "expression": ""},
        {"kind": "rrule", "rule": "FREQ=DAILY"},
        {"kind": "rrule", "rule": "FREQ=DAILY", "start": "x"},
        {"kind": "patch-tuesday", "days": 31, "time": "22:00"},
        {"kind": "patch-tuesday", "days": 1, "time": "24:00"},
        {"kind": "patch-tuesday", "days": True, "time": "22:00"},
        {"kind": "token", "tokens": "00"},
    ],
)
def test_documents_that_are_wrong(document: dict[str, Any]) -> None:
    with pytest.raises(ScheduleError):
        read_recurrence(document)
