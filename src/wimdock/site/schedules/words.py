"""Reading the documents of schedules: each value is what it must be, or ScheduleError says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any

from wimdock.errors import ScheduleError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as Python counts them."""

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_LONGEST = 500


def only(document: Mapping[str, Any], what: str, names: Sequence[str]) -> None:
    """Refuse a document that says what nobody reads."""
    unknown = sorted(set(document) - set(names))
    if unknown:
        message = f"{what} has no {unknown[0][:40]!r}"
        raise ScheduleError(message)


def text_in(document: Mapping[str, Any], name: str) -> str:
    """Give a text that must be there."""
    value = document.get(name)
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
        message = f"{name} must be a text of up to {_LONGEST} characters"
        raise ScheduleError(message)
    return value.strip()


def number_in(document: Mapping[str, Any], name: str, default: int, bounds: tuple[int, int]) -> int:
    """Give a number within bounds, `default` where there is none."""
    value = document.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not bounds[0] <= value <= bounds[1]:
        message = f"{name} of {str(value)[:40]} is not from {bounds[0]} to {bounds[1]}"
        raise ScheduleError(message)
    return value


def flag_in(document: Mapping[str, Any], name: str) -> bool:
    """Give a truth value, False where there is none."""
    value = document.get(name, False)
    if not isinstance(value, bool):
        message = f"{name} must be true or false"
        raise ScheduleError(message)
    return value


def time_of(text: str) -> time:
    """Read a time of day, `22:00`."""
    hours, _, minutes = text.strip().partition(":")
    try:
        if not (hours.isascii() and minutes.isascii() and hours.isdigit() and minutes.isdigit()):
            raise ValueError(text)  # noqa: TRY301 - told below with the other wrong ones
        return time(int(hours[:3]), int(minutes[:3]))
    except ValueError as error:
        message = f"{text[:40]!r} is no time of day"
        raise ScheduleError(message, hint="Write it as 22:00.") from error


def date_of(text: str) -> date:
    """Read a date, `2026-12-24`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        message = f"{text[:40]!r} is no date"
        raise ScheduleError(message, hint="Write it as 2026-12-24.") from error


def day_of(text: str) -> int:
    """Read a day of the week, `tue` or `Tuesday`: 0 is Monday."""
    word = text.strip().lower()
    for number, name in enumerate(DAY_NAMES):
        if word in {DAYS[number], name.lower()}:
            return number
    message = f"{text[:40]!r} is no day of the week"
    raise ScheduleError(message, hint=f"Write one of {', '.join(DAYS)}.")


def ordinal(number: int) -> str:
    """Give a number as one says it of a day: `1st`, `22nd`."""
    teens = range(11, 14)
    ending = "th" if number % 100 in teens else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
