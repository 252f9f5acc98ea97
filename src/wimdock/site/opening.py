"""Making a site and opening one, by its folder or by the URL of its database."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, inspect, select

from wimdock.clock import Clock, SystemClock
from wimdock.errors import AlreadyRecorded, NoSite, UsageError
from wimdock.files import storage_error
from wimdock.site.database import SQLITE_NAME, Database, parse_url, sqlite_url
from wimdock.site.models import Base, SiteRow
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.settings_file import read_settings
from wimdock.site.settings_text import write_settings
from wimdock.site.site import Site

FIRST_NUMBER = 0x01000001
"""Where Configuration Manager begins to count schedules and updates."""

_CODE = re.compile(r"[A-Z0-9]{3}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is: its folder, its database, or both; None for what is not known."""

    folder: Path | None = None
    url: str | None = None


def create_site(place: Place, code: str, clock: Clock | None = None) -> Site:
    """Make a site: folder, settings, database. AlreadyRecorded where there is one."""
    if not _CODE.fullmatch(code):
        message = f"{code!r} is no site code"
        raise UsageError(message, hint="It is three letters or digits, such as CAS.")
    if place.folder is None:
        message = "a site needs a folder"
        raise UsageError(message)
    folder = place.folder.absolute()
    url = parse_url(place.url) if place.url else sqlite_url(folder)
    if (folder / SETTINGS_NAME).exists() or (folder / SQLITE_NAME).exists():
        message = f"there is a site in {folder} already"
        raise AlreadyRecorded(message, hint="Open it with --site, or choose another folder.")
    database = Database(url)
    try:
        _fill(database, folder, code, clock or SystemClock())
    finally:
        database.close()
    return open_site(Place(folder, place.url), clock)


def _fill(database: Database, folder: Path, code: str, clock: Clock) -> None:
    try:
        for path in (folder, folder / "updates", folder / "logs"):
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    if not database.is_sqlite and _has_site(database):
        message = f"there is a site in the database {database.shown} already"
        raise AlreadyRecorded(message, hint="Open it with --database, or choose another database.")
    Base.metadata.create_all(database.engine)
    with database.writing() as session:
        session.add(
            SiteRow(
                id=1,
                code=code,
                uuid=str(uuid.uuid4()),
                folder=str(folder),
                created_at=clock.now(),
                next_package=1,
                next_schedule=FIRST_NUMBER,
                next_update=FIRST_NUMBER,
            )
        )
    write_settings(folder, "" if database.is_sqlite else database.url)


def open_site(place: Place, clock: Clock | None = None) -> Site:
    """Open a site. NoSite where there is none; the caller closes it."""
    settings = None
    if place.folder is not None:
        folder = place.folder.absolute()
        if not (folder / SETTINGS_NAME).exists():
            message = f"there is no site in {folder}"
            raise NoSite(message)
        settings = read_settings(folder)
    url = _url(place, settings.database.url if settings else "")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        message = f"the database {url.database} is gone"
        raise NoSite(message, hint="Restore a backup: wimdock site restore.")
    database = Database(url)
    with database.reading() as session:
        row = session.get(SiteRow, 1) if _has_site(database) else None
    if row is None:
        database.close()
        message = f"there is no site in the database {database.shown}"
        raise NoSite(message)
    folder = place.folder.absolute() if place.folder else Path(row.folder)
    if settings is None:
        settings = read_settings(folder)
    return Site(folder, row.code, row.uuid, database, settings, clock or SystemClock())


def _url(place: Place, configured: str) -> URL:
    if place.url:
        return parse_url(place.url)
    if configured:
        return parse_url(configured)
    if place.folder is None:
        message = "no site was named"
        raise NoSite(message)
    return sqlite_url(place.folder.absolute())


def _has_site(database: Database) -> bool:
    with database.reading() as session:
        if not inspect(session.connection()).has_table(SiteRow.__tablename__):
            return False
        return session.scalar(select(SiteRow.id)) is not None
