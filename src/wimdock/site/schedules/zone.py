"""Time zones: where a time on the clock lies, also when the clocks are changed.

A time that the clocks skip stands for the first instant after the gap. A time that comes twice
stands for the first of the two. So each local time is one instant, and later times are never
earlier instants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from wimdock.errors import ScheduleError

SKIPPED = "the clocks skip {local}: the first instant after the gap"
FIRST_YEAR = 2000
LAST_YEAR = 2199
"""Schedules lie between these years; beyond them time zones mean nothing."""

REPEATED = "{local} comes twice: the first of them"

_SECOND = timedelta(seconds=1)
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time, UTC; `note` says what the zone made of the time on the clock."""

    at: datetime
    note: str = ""


def zone_of(name: str) -> ZoneInfo:
    """Give an IANA time zone; ScheduleError for a name that is none."""
    wrong = ScheduleError(
        f"{name[:_LONGEST_NAME]!r} is no time zone",
        hint="Name one of the IANA database, such as Europe/Berlin or UTC.",
    )
    if not name or len(name) > _LONGEST_NAME or name.startswith(("posix", "right", "local")):
        raise wrong
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise wrong from error


def instant_of(local: datetime, zone: ZoneInfo) -> Instant:
    """Give the instant of a time on the clock (without a zone); see above for gaps."""
    first = local.replace(tzinfo=zone, fold=0)
    before, behind = first.utcoffset(), first.replace(fold=1).utcoffset()
    at = first.astimezone(UTC)
    if before is None or behind is None or before == behind:
        return Instant(at)
    said = f"{local:%Y-%m-%d %H:%M}"
    if before > behind:
        return Instant(at, REPEATED.format(local=said))
    gap = _change(zone, (local - behind).replace(tzinfo=UTC), (local - before).replace(tzinfo=UTC))
    return Instant(gap, SKIPPED.format(local=said))


def local_of(at: datetime, zone: ZoneInfo) -> datetime:
    """Give what the clock shows at an instant, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def on_clock(
    times: Callable[[datetime], Iterator[datetime]], after: datetime, zone: ZoneInfo
) -> Iterator[Instant]:
    """Give the instants later than `after` of times on the clock, each once, in order.

    `times` gives the times on the clock later than one of them, in order. Those after `LAST_YEAR`
    are left out.
    """
    latest = after.astimezone(UTC)
    for local in times(local_of(after, zone)):
        if local.year > LAST_YEAR:
            return
        instant = instant_of(local, zone)
        if instant.at > latest:
            latest = instant.at
            yield instant


def _change(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Find the second at which the clocks are changed, after `early` and not after `late`."""
    offset = early.astimezone(zone).utcoffset()
    seconds = (late - early) // _SECOND
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if (early + middle * _SECOND).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return early + high * _SECOND
