"""Bringing the tables of a site to the schema of this wimdock.

Order: nobody may work with the site; SQLite's file is copied; then every revision in one
transaction. What goes wrong leaves the database as it was. Of two processes one upgrades, and the
other one finds nothing to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Double, String, column, insert, select, table

from wimdock.clock import Clock, SystemClock
from wimdock.errors import AlreadyRecorded, SchemaMismatch, SiteError
from wimdock.files import open_file
from wimdock.site.database import Database
from wimdock.site.models import Audit, WorkerRow, WorkerState
from wimdock.site.models.types import UtcDateTime
from wimdock.site.opening import Place, database_of, no_site_in, settings_in
from wimdock.site.placing import put_in_place
from wimdock.site.schema import SCHEMAS, check_references, move, require, schema_of
from wimdock.site.site import this_operator

_PRIVATE = 0o600
_PAGES = 1024
_ALIVE = [WorkerState.RUNNING.value, WorkerState.STOPPING.value]

_WORKERS = table(
    WorkerRow.__tablename__,
    column("id", String),
    column("host", String),
    column("state", String),
    column("heartbeat_at", UtcDateTime),
    column("lease_seconds", Double),
)
"""What every schema says of workers: the models may have more than the database has yet."""


@dataclass(frozen=True, slots=True)
class Upgraded:
    """From which schema to which; `copy` is the database as it was, for SQLite."""

    database: str
    before: str
    after: str
    copy: Path | None = None


@dataclass(frozen=True, slots=True)
class Revisions:
    """The schemas that are known, oldest first, and the folders with those that are not ours."""

    schemas: Sequence[str] = SCHEMAS
    folders: Sequence[Path] = ()


def upgrade_site(
    place: Place, clock: Clock | None = None, revisions: Revisions | None = None
) -> Upgraded:
    """Bring a site to the newest schema.

    AlreadyRecorded while a worker lives, SchemaMismatch where the database is of a newer wimdock.
    """
    revisions = revisions or Revisions()
    settings = None if place.folder is None else settings_in(place.folder.absolute())
    database = database_of(place, settings)
    try:
        with database.snapshot() as connection:
            before = _version(connection, database, revisions)
        newest = revisions.schemas[-1]
        if before == newest:
            return Upgraded(database.shown, before, newest)
        now = (clock or SystemClock()).now()
        with database.snapshot() as connection:
            _refuse_workers(connection, now)
        copy = _copy(database, before) if database.is_sqlite else None
        try:
            before = _upgrade(database, revisions, now)
        except BaseException:
            before = newest
            raise
        finally:
            if copy is not None and before == newest:  # nothing of this process's doing
                copy.unlink(missing_ok=True)
                copy = None
        return Upgraded(database.shown, before, newest, copy)
    finally:
        database.close()


def _version(connection: Connection, database: Database, revisions: Revisions) -> str:
    version = schema_of(connection)
    if version is None:
        raise no_site_in(database)
    if version not in revisions.schemas:
        require(version, database.shown, revisions.schemas)
    return version


def _upgrade(database: Database, revisions: Revisions, now: datetime) -> str:
    """Run the revisions; give the schema that was found when nobody else could change it."""
    newest = revisions.schemas[-1]
    with database.changing_schema() as connection:
        before = _version(connection, database, revisions)
        if before == newest:  # another process was quicker
            return before
        _refuse_workers(connection, now)
        move(connection, newest, folders=revisions.folders)
        broken = check_references(connection)
        if broken:
            message = f"the upgrade would leave rows of {', '.join(broken)} without what they name"
            hint = "Nothing was changed. Report it in the project's issue tracker."
            raise SiteError(message, hint=hint)
        connection.execute(
            insert(Audit).values(
                at=now,
                operator=this_operator(),
                action="site.upgrade",
                object=newest,
                detail={"before": before},
            )
        )
    return before


def _refuse_workers(connection: Connection, now: datetime) -> None:
    """Make sure that no worker lives: its statements would not fit the new tables."""
    names = _WORKERS.c
    query = select(names.id, names.heartbeat_at, names.lease_seconds).where(names.state.in_(_ALIVE))
    living = [
        row.id
        for row in connection.execute(query)
        if row.heartbeat_at + timedelta(seconds=row.lease_seconds) > now
    ]
    if living:
        message = f"workers still use the site: {', '.join(sorted(living)[:5])}"
        hint = "Stop them (and wimdock serve), then run the command again."
        raise AlreadyRecorded(message, hint=hint)


def _copy(database: Database, version: str) -> Path:
    """Copy SQLite's database, as it is at one moment, to a file beside it."""
    source = Path(database.url.database or "")
    unfinished = source.with_name(f".{source.name}.copy.new-{os.getpid()}")
    try:
        os.close(open_file(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, _PRIVATE))
        with (
            closing(sqlite3.connect(source)) as reader,
            closing(sqlite3.connect(unfinished)) as writer,
        ):
            reader.backup(writer, pages=_PAGES)
        return _named(unfinished, source.with_name(f"{source.name}.schema-{version}"))
    except sqlite3.Error as error:
        message = f"the database {database.shown} cannot be copied: {error}"
        hint = "Free space on that disk, then run the command again; nothing was changed."
        raise SchemaMismatch(message, hint=hint) from error
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                unfinished.with_name(unfinished.name + ending).unlink()


def _named(unfinished: Path, place: Path) -> Path:
    """Give the copy a name that no file has: an earlier copy is never written over."""
    number = 1
    while True:
        target = place if number == 1 else place.with_name(f"{place.name}-{number}")
        try:
            put_in_place(unfinished, target)
        except FileExistsError:
            number += 1
        else:
            return target
