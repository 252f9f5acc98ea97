"""One image package with all that the site knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from wimdock.configmgr.provider import Provider as Host
from wimdock.errors import SettingsError
from wimdock.servicing.preflight.host import HostVerdict
from wimdock.site.images.records import file_of, generations_of, package_of
from wimdock.site.images.verdicts import judged_packages
from wimdock.site.messages import history_of
from wimdock.site.models import (
    GenerationRow,
    History,
    Image,
    ImagePackage,
    Schedule,
    ScheduleTarget,
)
from wimdock.site.providers import hosts_of
from wimdock.site.site import Site

HISTORY = 20
"""So many entries of the history are given unless more are asked for."""


@dataclass(frozen=True, slots=True)
class PackageDetails:
    """An image package: its rows, its newest history, who services it, and who can.

    `file` is None where this machine cannot name it; `verdicts` has the worst verdict over all
    images for each of the site's providers.
    """

    package: ImagePackage
    file: Path | None
    images: tuple[Image, ...]
    generations: tuple[GenerationRow, ...]
    history: tuple[History, ...]
    schedules: tuple[int, ...]
    verdicts: tuple[tuple[Host, HostVerdict], ...]


def details_of(site: Site, package_id: str, history: int | None = HISTORY) -> PackageDetails:
    """Give everything, also of an image package that was removed; None gives the whole history."""
    with site.reading() as session:
        package = package_of(session, package_id, removed=True)
        images = tuple(package.images)
        generations = tuple(generations_of(session, package.id))
        wanted = (
            select(Schedule.id)
            .join(ScheduleTarget, ScheduleTarget.schedule_id == Schedule.id)
            .where(ScheduleTarget.package_id == package.id, Schedule.removed_at.is_(None))
            .order_by(Schedule.id)
        )
        schedules = tuple(session.scalars(wanted))
        hosts = hosts_of(session)
    file = None
    if package.removed_at is None:
        try:
            file = file_of(site, package)
        except SettingsError:  # another machine's storage location
            file = None
    judged = judged_packages(site, [package.id]) if hosts else []
    return PackageDetails(
        package,
        file,
        images,
        generations,
        tuple(history_of(site, package.id, history)),
        schedules,
        tuple((host, each.verdict(host)) for each in judged for host in hosts),
    )
