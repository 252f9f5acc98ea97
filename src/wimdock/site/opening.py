"""Making a site and opening one, by its folder or by the URL of its database."""

from __future__ import annotations

import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, insert, inspect, select
from sqlalchemy.orm import Session

from wimdock.clock import Clock, SystemClock
from wimdock.errors import AlreadyRecorded, NoSite, StorageError, UsageError
from wimdock.files import storage_error
from wimdock.site.database import SQLITE_NAME, Database, parse_url, sqlite_url
from wimdock.site.founding import new_database, refuse_engine
from wimdock.site.models import SiteRow
from wimdock.site.schema import move, require, schema_of
from wimdock.site.settings import SETTINGS_NAME, DatabaseSettings, Settings
from wimdock.site.settings_file import database_settings, read_settings
from wimdock.site.settings_text import write_settings
from wimdock.site.site import Site

FIRST_NUMBER = 0x01000001
"""Where Configuration Manager begins to count schedules and updates."""

_NO_FOLDER = 0x8007010B
_RESTORE = "Restore a backup into another folder: wimdock site restore BACKUP FOLDER."
_MEND = f"Put {SETTINGS_NAME} back, an empty one stands for the defaults; or r{_RESTORE[1:]}"

_CODE = re.compile(r"[A-Z0-9]{3}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site is: its folder, its database, or both; None for what is not known."""

    folder: Path | None = None
    url: str | None = None


def create_site(place: Place, code: str, clock: Clock | None = None) -> Site:
    """Make a site. AlreadyRecorded where there is one, in the folder or in the database.

    Order: folders, the database with all its tables in one piece, `wimdock.toml`; with that the
    site is made. Whoever is stopped before leaves nothing, or a database that nobody has used: the
    same call then goes on from there.
    """
    if not _CODE.fullmatch(code):
        message = f"{code!r} is no site code"
        raise UsageError(message, hint="It is three letters or digits, such as CAS.")
    if place.folder is None:
        message = "a site needs a folder"
        raise UsageError(message)
    folder = place.folder.absolute()
    url = url_with_password(parse_url(place.url)) if place.url else sqlite_url(folder)
    if _is_there(folder / SETTINGS_NAME):
        raise already_in(folder)
    unfinished = _is_unfinished(url, folder, code)
    if not unfinished:
        if _is_there(folder / SQLITE_NAME):
            message = f"{folder} has a {SQLITE_NAME}, but no {SETTINGS_NAME}"
            raise AlreadyRecorded(message, hint=f"{_MEND} For a new site choose another folder.")
        refuse_engine(folder)
    make_folders(folder)
    if not unfinished:
        with new_database(url) as connection:
            move(connection)
            connection.execute(insert(SiteRow), _first_row(folder, code, clock or SystemClock()))
    write_settings(folder, place.url or "")
    return open_site(Place(folder, place.url), clock)


def make_folders(folder: Path) -> None:
    """Make the folders of a site; they may be there."""
    try:
        for path in (folder, folder / "updates", folder / "logs"):
            path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_error(error, folder) from error


def folder_error(error: OSError, folder: Path) -> StorageError:
    """Give our error for a folder that cannot be made; what stands in its way is named."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        path = Path(error.filename or folder)
        for each in (path, *path.parents):
            if os.path.lexists(each) and not each.is_dir():
                message = f"{each} is no folder"
                hint = "Name a folder: one that is missing is made."
                return StorageError(message, hint=hint, hresult=_NO_FOLDER)
    return storage_error(error, folder)


def already_in(folder: Path) -> AlreadyRecorded:
    """Give the error for a folder with a site in it."""
    message = f"there is a site in {folder} already"
    return AlreadyRecorded(message, hint="Open it with --site, or choose another folder.")


def _first_row(folder: Path, code: str, clock: Clock) -> dict[str, Any]:
    return {
        "id": 1,
        "code": code,
        "uuid": str(uuid.uuid4()),
        "folder": str(folder),
        "created_at": clock.now(),
        "next_package": 1,
        "next_schedule": FIRST_NUMBER,
        "next_update": FIRST_NUMBER,
    }


def _is_unfinished(url: URL, folder: Path, code: str) -> bool:
    """Tell whether the database is that of a site whose making was stopped at its last step.

    AlreadyRecorded where it is the database of a site that is in use, or of another one.
    """
    if url.get_backend_name() == "sqlite" and not _is_there(Path(url.database or "")):
        return False
    database = Database(url)
    try:
        with database.reading() as session:
            row = _find_row(session, database.shown)
    finally:
        database.close()
    if row is None:
        return False
    if row.folder == str(folder) and row.code == code and _is_untouched(row):
        return True
    if database.is_sqlite:
        message = f"{folder} has the database of site {row.code}, but no {SETTINGS_NAME}"
        hint = f"Put {SETTINGS_NAME} back; an empty one stands for the defaults."
        raise AlreadyRecorded(message, hint=hint)
    message = f"there is a site in the database {database.shown} already"
    raise AlreadyRecorded(message, hint="Open it with --database, or choose another database.")


def _is_untouched(row: SiteRow) -> bool:
    counters = (row.next_package, row.next_schedule, row.next_update)
    return counters == (1, FIRST_NUMBER, FIRST_NUMBER) and row.last_tick is None


def open_site(place: Place, clock: Clock | None = None) -> Site:
    """Open a site; the caller closes it.

    NoSite where there is none, SchemaMismatch where its tables are of another version.
    """
    settings = None
    if place.folder is not None:
        settings = settings_in(place.folder.absolute())
    database = database_of(place, settings)
    try:
        with database.reading() as session:
            row = _row_of(session, database)
        folder = place.folder.absolute() if place.folder else Path(row.folder)
        if settings is None:
            settings = _settings_elsewhere(folder, database.shown)
    except BaseException:
        database.close()
        raise
    return Site(folder, row.code, row.uuid, database, settings, clock or SystemClock())


def settings_in(folder: Path) -> Settings:
    """Read the settings of the site in a folder; NoSite where there is none."""
    if _is_there(folder / SETTINGS_NAME):
        return read_settings(folder)
    message = f"there is no site in {folder}"
    if _is_there(folder / SQLITE_NAME):
        message += f": it has a {SQLITE_NAME}, but no {SETTINGS_NAME}"
        raise NoSite(message, hint=_MEND)
    raise NoSite(message)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise storage_error(error, path) from error


def database_of(place: Place, settings: Settings | None) -> Database:
    """Give the database of a site; NoSite where nothing says which, or its file is gone."""
    given = settings.database if settings else database_settings()
    if place.url or given.url:
        url = url_with_password(parse_url(place.url or given.url), given)
    elif place.folder is None:
        message = "no site was named"
        raise NoSite(message)
    else:
        url = sqlite_url(place.folder.absolute())
        if not _is_there(Path(url.database or "")):
            message = f"the database {url.database} is gone"
            raise NoSite(message, hint=_RESTORE)
    return Database(url)


def url_with_password(url: URL, given: DatabaseSettings | None = None) -> URL:
    """Put the password of the settings, or of the environment, into a URL that has none."""
    password = (given or database_settings()).password
    return url.set(password=password) if password and url.password is None else url


def _row_of(session: Session, database: Database) -> SiteRow:
    row = _find_row(session, database.shown)
    if row is None:
        raise no_site_in(database)
    return row


def no_site_in(database: Database) -> NoSite:
    """Give the error for a database without a site's tables: SQLite's file was one's once."""
    message = f"there is no site in the database {database.shown}"
    return NoSite(message, hint=_RESTORE if database.is_sqlite else None)


def _find_row(session: Session, shown: str) -> SiteRow | None:
    """Give the site's row; None where there are no tables. SchemaMismatch for other tables."""
    connection = session.connection()
    version = schema_of(connection)
    if version is None and not inspect(connection).has_table(SiteRow.__tablename__):
        return None
    require(version, shown)
    return session.scalar(select(SiteRow))


def _settings_elsewhere(folder: Path, shown: str) -> Settings:
    try:
        return settings_in(folder)
    except (NoSite, StorageError) as error:
        message = f"the site in the database {shown} has its folder at {folder}: not found here"
        hint = "Make that folder available on this machine, or name it with --site."
        raise NoSite(message, hint=hint) from error
