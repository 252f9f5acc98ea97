"""The site that is simulated: image packages without files, and schedules of several kinds.

Of each schedule it is also known, by plain arithmetic on dates, when it must be due: that is what
the simulation is checked against.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from wimdock.site.models import Image, ImagePackage, PackageType
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.options import ScheduleOptions
from wimdock.site.schedules.patch_tuesday import PatchTuesday
from wimdock.site.schedules.records import add_schedule
from wimdock.site.schedules.recurrence import Once, Recurrence
from wimdock.site.schedules.request import ScheduleRequest, Target
from wimdock.site.schedules.rule import Rule
from wimdock.site.site import Site
from wimdock.site.updates.selection import Selection

_DAY = timedelta(days=1)
_TUESDAY = 1
_SECOND_WEEK = range(8, 15)
_AT_ONCE = 1000

Instants = Callable[[datetime, datetime], Iterator[datetime]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of schedule: when it is due, told twice, and its share of the image packages."""

    name: str
    recurrence: Callable[[datetime, int], Recurrence]
    instants: Callable[[int], Instants]
    share: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule that was added: its image packages, and when it must be due."""

    id: int
    kind: str
    packages: tuple[str, ...]
    instants: Instants


def _days(hour: int, fits: Callable[[datetime], bool]) -> Instants:
    """Give the instants at an hour (UTC) of all days that fit, after one time and until another."""

    def instants(after: datetime, until: datetime) -> Iterator[datetime]:
        at = datetime.combine(after.date(), time(hour), UTC)
        while at <= until:
            if at > after and fits(at):
                yield at
            at += _DAY

    return instants


def _behind_second_tuesday(days: int) -> Callable[[datetime], bool]:
    def fits(at: datetime) -> bool:
        before = at - days * _DAY
        return before.weekday() == _TUESDAY and before.day in _SECOND_WEEK

    return fits


def _every_third(
    after: datetime, until: datetime, hour: int, start: datetime
) -> Iterator[datetime]:
    at = datetime.combine(start.date(), time(hour), UTC)
    while at <= until:
        if at > after:
            yield at
        at += 3 * _DAY


def kinds(start: datetime) -> list[Kind]:
    """Give the kinds; the number of a schedule among its kind gives its hour or its day."""
    clock = start.replace(tzinfo=None)
    last = lambda at: at.day == monthrange(at.year, at.month)[1]  # noqa: E731 - one line in a table
    return [
        Kind(
            "nightly (cron)",
            lambda _, n: Cron.parse(f"0 {n % 24} * * *"),
            lambda n: _days(n % 24, lambda _: True),
            1,
        ),
        Kind(
            "every third day (RRULE)",
            lambda _, n: Rule.parse("FREQ=DAILY;INTERVAL=3", clock.replace(hour=n % 24)),
            lambda n: lambda after, until: _every_third(after, until, n % 24, start),
            3,
        ),
        Kind(
            "weekly (cron)",
            lambda _, n: Cron.parse(f"0 22 * * {n % 7}"),
            lambda n: _days(22, lambda at: at.isoweekday() % 7 == n % 7),
            6,
        ),
        Kind(
            "patch Tuesday plus days",
            lambda _, n: PatchTuesday(n % 14, time(20)),
            lambda n: _days(20, _behind_second_tuesday(n % 14)),
            8,
        ),
        Kind(
            "last day of the month (cron)",
            lambda *_: Cron.parse("0 1 L * *"),
            lambda _: _days(1, last),
            1,
        ),
        Kind(
            "once",
            lambda at, n: Once.parse(f"{at + (3 + n) * _DAY:%Y-%m-%d}T06:00"),
            lambda n: _days(6, lambda at: at.date() == (start + (3 + n) * _DAY).date()),
            1,
        ),
    ]


def add_packages(site: Site, count: int) -> list[str]:
    """Put image packages without files into the database."""
    now = site.now()
    names = [f"CAS{number:05X}" for number in range(1, count + 1)]
    for first in range(0, count, _AT_ONCE):
        with site.writing() as session:
            session.add_all(_package(name, now) for name in names[first : first + _AT_ONCE])
    return names


def _package(name: str, now: datetime) -> ImagePackage:
    image = Image(
        index=1,
        name="Windows",
        description="",
        edition="Enterprise",
        version="10.0.19041.1",
        architecture="amd64",
        languages=["en-US"],
        size=1,
        packages=[],
        reparse=[],
    )
    return ImagePackage(
        id=name,
        type=PackageType.OS_IMAGE,
        name=f"Image of {name}",
        path=f"/nowhere/{name}.wim",
        header="00" * 208,
        length=1,
        preflight={},
        added_at=now,
        read_at=now,
        images=[image],
    )


def add_schedules(site: Site, packages: list[str], size: int, start: datetime) -> list[Planned]:
    """Spread image packages over schedules of `size` each, by the shares of the kinds."""
    every = [kind for kind in kinds(start) for _ in range(kind.share)]
    groups = [packages[first : first + size] for first in range(0, len(packages), size)]
    planned: list[Planned] = []
    numbers: dict[str, int] = {}
    for place, group in enumerate(groups):
        kind = every[place % len(every)]
        number = numbers[kind.name] = numbers.get(kind.name, -1) + 1
        request = ScheduleRequest(
            targets=[Target(name) for name in group],
            recurrence=kind.recurrence(start, number),
            selection=Selection(all_applicable=True),
            name=f"{kind.name}, {number}",
            options=ScheduleOptions(retries=2, backoff=600),
            priority=place % 3,
        )
        added = add_schedule(site, request)
        planned.append(Planned(added.id, kind.name, tuple(group), kind.instants(number)))
    return planned
