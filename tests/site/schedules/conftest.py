"""A site with image packages and updates of a few words, and schedules for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.site.conftest import SetClock
from tests.site.updates.made_updates import document, image, package_id, update_row
from wimdock.site.models import (
    ImagePackage,
    Occurrence,
    PackageType,
    Run,
    Schedule,
    StatusMessageRow,
)
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.records import add_schedule
from wimdock.site.schedules.request import ScheduleRequest, Target
from wimdock.site.site import Site
from wimdock.site.updates.selection import Selection

FIRST_UPDATE = 0x01000001


@dataclass
class Yard:
    """A site with image packages CAS00001 and on, and updates 16777217 and on."""

    site: Site
    clock: SetClock

    def add_packages(self, count: int = 1, *, images: int = 1) -> list[str]:
        """Put image packages without files into the database."""
        now = self.site.now()
        with self.site.writing() as session:
            first = session.scalar(select(func.count()).select_from(ImagePackage)) or 0
            ids = [f"CAS{first + number:05X}" for number in range(1, count + 1)]
            for each in ids:
                rows = [image(index=index) for index in range(1, images + 1)]
                for row in rows:
                    row.package_id = each
                session.add(
                    ImagePackage(
                        id=each,
                        type=PackageType.OS_IMAGE,
                        name=f"Image of {each}",
                        path=f"/images/{each}.wim",
                        header="00" * 208,
                        length=1,
                        preflight={},
                        added_at=now,
                        read_at=now,
                        images=rows,
                    )
                )
        return ids

    def add_update(self, number: int = 1) -> int:
        """Put an update into the library that is applicable to every image."""
        identity = package_id(f"Package_for_KB500000{number}", f"10.0.{number}.1")
        with self.site.writing() as session:
            row = update_row(FIRST_UPDATE + number - 1, document(identity), kb=f"KB500000{number}")
            session.add(row)
        return FIRST_UPDATE + number - 1

    def request(self, **values: Any) -> ScheduleRequest:
        """Give what a schedule of CAS00001 is asked to be: daily at 13:00, all updates."""
        given: dict[str, Any] = {
            "targets": [Target("CAS00001")],
            "recurrence": Cron.parse("0 13 * * *"),
            "selection": Selection(all_applicable=True),
            "name": "nightly",
        }
        return ScheduleRequest(**given | values)

    def add(self, **values: Any) -> Schedule:
        """Add a schedule of CAS00001: daily at 13:00, all updates."""
        return add_schedule(self.site, self.request(**values))

    def at(self, text: str) -> None:
        """Set the clock."""
        self.clock.at = datetime.fromisoformat(text)

    def schedule(self, schedule_id: int) -> Schedule:
        """Read a schedule as it is now."""
        with self.site.reading() as session:
            return session.get_one(Schedule, schedule_id)

    def runs(self, schedule_id: int) -> list[Run]:
        """Read the runs of a schedule."""
        query = select(Run).where(Run.schedule_id == schedule_id).order_by(Run.id)
        with self.site.reading() as session:
            return list(session.scalars(query))

    def occurrences(self, schedule_id: int) -> list[tuple[str, str]]:
        """Read the instants of a schedule that are over: when, and what became of them."""
        query = select(Occurrence).where(Occurrence.schedule_id == schedule_id)
        with self.site.reading() as session:
            rows = session.scalars(query.order_by(Occurrence.instant)).all()
        return [(f"{row.instant:%m-%d %H:%M}", row.outcome.value) for row in rows]

    def messages(self, message_id: int) -> list[StatusMessageRow]:
        """Read the status messages of a kind."""
        query = select(StatusMessageRow).where(StatusMessageRow.message_id == message_id)
        with self.site.reading() as session:
            return list(session.scalars(query.order_by(StatusMessageRow.id)))


@pytest.fixture
def yard(site: Site, clock: SetClock) -> Yard:
    """Give the site; its clock stands at noon (UTC) of Tuesday, 2026-11-03."""
    made = Yard(site, clock)
    made.add_packages(1)
    return made


@pytest.fixture
def many(yard: Yard) -> Callable[[int], list[Target]]:
    """Give a function that makes image packages and names them as targets."""
    return lambda count: [Target(each) for each in yard.add_packages(count)]
