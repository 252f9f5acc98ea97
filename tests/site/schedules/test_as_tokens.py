"""Writing recurrences as schedule tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from wimdock.configmgr.schedule_token import (
    Interval,
    MonthlyByDate,
    MonthlyByWeekday,
    Once,
    Weekly,
    parse_schedule_tokens,
)
from wimdock.site.schedules.as_tokens import as_tokens
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.patch_tuesday import PatchTuesday
from wimdock.site.schedules.recurrence import Now, Recurrence
from wimdock.site.schedules.recurrence import Once as OnceRecurrence
from wimdock.site.schedules.rule import Rule
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.words import time_of

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
SINCE = datetime(2026, 11, 3, 11, 0, tzinfo=UTC)  # a Tuesday, noon in Berlin
START = datetime(2026, 11, 3, 12, 0)  # noqa: DTZ001 - a time on the clock


def rule(text: str, start: datetime = START) -> Rule:
    return Rule.parse(text, start)


@pytest.mark.parametrize(
    "recurrence,kinds",
    [
        (Cron.parse("0 22 * * *"), [Interval(days=1)]),
        (Cron.parse("0 22 * * TUE,THU"), [Weekly(3), Weekly(5)]),
        (Cron.parse("0 22 * * 0"), [Weekly(1)]),
        (Cron.parse("0 22 * * TUE#2"), [MonthlyByWeekday(3, 2)]),
        (Cron.parse("0 22 * * 5L"), [MonthlyByWeekday(6, 0)]),
        (Cron.parse("0 22 1 * *"), [MonthlyByDate(1)]),
        (Cron.parse("0 22 L * *"), [MonthlyByDate(0)]),
        (Cron.parse("0 6,22 * * *"), [Interval(days=1)] * 2),
        (rule("FREQ=HOURLY;INTERVAL=8"), [Interval(hours=8)]),
        (rule("FREQ=DAILY;INTERVAL=3"), [Interval(days=3)]),
        (rule("FREQ=WEEKLY"), [Weekly(3)]),
        (rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU"), [Weekly(2, 2), Weekly(3, 2)]),
        (rule("FREQ=MONTHLY;BYDAY=2TU;BYHOUR=22"), [MonthlyByWeekday(3, 2)]),
        (rule("FREQ=MONTHLY;BYDAY=-1FR"), [MonthlyByWeekday(6, 0)]),
        (rule("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=31"), [MonthlyByDate(31, 3)]),
        (rule("FREQ=MONTHLY;BYMONTHDAY=-1"), [MonthlyByDate(0)]),
        (rule("FREQ=MONTHLY"), [MonthlyByDate(3)]),
        (rule("FREQ=DAILY", datetime(2027, 1, 1, 5)), [Interval(days=1)]),  # noqa: DTZ001
        (PatchTuesday(0, time_of("22:00")), [MonthlyByWeekday(3, 2)]),
    ],
)
def test_what_tokens_can_say(recurrence: Recurrence, kinds: list[object]) -> None:
    text = as_tokens(recurrence, BERLIN, SINCE)
    assert text is not None
    tokens = parse_schedule_tokens(text)
    said = [token.recurrence for token in tokens]
    assert sorted(map(str, said)) == sorted(map(str, kinds))
    assert not any(token.is_utc for token in tokens)
    again = Tokens(tokens)
    ours = [i.at for i in islice(recurrence.instants(SINCE, BERLIN), 100)]
    assert [i.at for i in islice(again.instants(SINCE, BERLIN), 100)] == ours


@pytest.mark.parametrize(
    "recurrence",
    [
        Now(),
        Cron.parse("0 22 * 1 *"),
        Cron.parse("0 22 * * TUE#5"),
        Cron.parse("0 22 13 * FRI"),
        Cron.parse("*/5 * * * *"),
        rule("FREQ=DAILY;COUNT=5"),
        rule("FREQ=DAILY;INTERVAL=40"),
        rule("FREQ=WEEKLY;INTERVAL=8"),
        rule("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2"),
        rule("FREQ=MONTHLY;BYDAY=TU"),
        rule("FREQ=MONTHLY;BYMONTHDAY=-2"),
        rule("FREQ=YEARLY"),
        PatchTuesday(1, time_of("22:00")),
        OnceRecurrence.parse("2034-01-01"),
    ],
)
def test_what_tokens_cannot_say(recurrence: Recurrence) -> None:
    assert as_tokens(recurrence, BERLIN, SINCE) is None


def test_a_schedule_of_utc_gives_tokens_of_utc() -> None:
    text = as_tokens(Cron.parse("0 22 * * TUE#2"), UTC_ZONE, SINCE)
    (token,) = parse_schedule_tokens(text or "")
    assert (token.is_utc, token.start) == (True, datetime(2026, 11, 10, 22))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text,zone,is_utc",
    [
        ("2026-11-10T22:00", BERLIN, False),
        ("2026-11-10T22:00Z", BERLIN, True),
        ("2026-11-10T22:00", UTC_ZONE, True),
    ],
)
def test_once(text: str, zone: ZoneInfo, is_utc: bool) -> None:  # noqa: FBT001 - a parameter
    written = as_tokens(OnceRecurrence.parse(text), zone, SINCE)
    (token,) = parse_schedule_tokens(written or "")
    assert (token.recurrence, token.is_utc, token.start.hour) == (Once(), is_utc, 22)
    assert token.duration == timedelta()


def test_a_token_stays_what_it_is() -> None:
    tokens = Tokens.from_document({"tokens": "A9788980001B4000"})
    assert as_tokens(tokens, BERLIN, SINCE) == "A9788980001B4000"
