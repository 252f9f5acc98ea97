"""Time: aware UTC inside, FILETIME only at the edge of a format.

A FILETIME counts intervals of 100 ns since 1601-01-01 UTC ([MS-DTYP] 2.3.3).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_TICKS_PER_SECOND = 10_000_000


class Clock(Protocol):
    """Whatever tells the time; passed in so that tests can set it."""

    def now(self) -> datetime:
        """Give the current time, aware, UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the current time, aware, UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still: for tests and for reproducible output."""

    def __init__(self, at: datetime) -> None:
        """Stand still at `at`, which must be aware."""
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Give the time the clock stands at."""
        return self._at


def iso_utc(at: datetime, timespec: str = "auto") -> str:
    """Give an aware time as JSON documents have it: ISO 8601, UTC, with a Z."""
    return at.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def to_filetime(moment: datetime) -> int:
    """Give the FILETIME (100 ns since 1601) of an aware datetime."""
    delta = moment - EPOCH
    seconds = delta.days * 86_400 + delta.seconds
    return seconds * _TICKS_PER_SECOND + delta.microseconds * 10


def from_filetime(filetime: int) -> datetime | None:
    """Give the aware UTC datetime of a FILETIME, or None where no datetime can hold it."""
    try:
        return EPOCH + timedelta(microseconds=filetime // 10)
    except OverflowError:
        return None
