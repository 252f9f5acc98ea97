"""Making a database where none is: it is there with all that belongs in it, or not there at all.

SQLite: the file is made under a name of its own (`.site.sqlite.new-` and the process's number) and
linked to its place when it is whole and on the disk; of two processes one can do that. PostgreSQL:
everything is one transaction, under a lock. What a killed process left is cleared by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, inspect

from wimdock.errors import AlreadyRecorded
from wimdock.site.database import SQLITE_NAME, Database
from wimdock.site.models import Base
from wimdock.site.placing import put_in_place

ENGINE_NAMES = ("engine.sqlite", "dbos")
"""Where the engine keeps its own records: a file beside SQLite, a schema on PostgreSQL."""

_UNFINISHED = f".{SQLITE_NAME}.new-"


@contextmanager
def new_database(url: URL) -> Iterator[Connection]:
    """Give a connection to a database in the making: kept when the block ends without an error.

    AlreadyRecorded where another one stands in its place, also when that appears meanwhile.
    """
    if url.get_backend_name() != "sqlite":
        database = Database(url)
        try:
            with database.changing_schema() as connection:
                _refuse_others(connection, database.shown)
                yield connection
        finally:
            database.close()
        return
    place = Path(url.database or "")
    refuse_engine(place.parent)
    _clear(place.parent)
    unfinished = place.with_name(f"{_UNFINISHED}{os.getpid()}")
    try:
        database = Database(URL.create("sqlite", database=str(unfinished)))
        try:
            with database.changing_schema() as connection:
                yield connection
            database.gather()
        finally:
            database.close()
        try:
            put_in_place(unfinished, place)
        except FileExistsError as error:
            message = f"there is a database in {place.parent} already"
            hint = "Open it with --site, or choose another folder."
            raise AlreadyRecorded(message, hint=hint) from error
    finally:
        _forget(unfinished)


def refuse_engine(folder: Path) -> None:
    """Make sure that no records of an earlier site's engine stand in a folder."""
    if (folder / ENGINE_NAMES[0]).exists():
        message = f"{folder} holds the {ENGINE_NAMES[0]} of a site that is gone"
        raise AlreadyRecorded(message, hint="Delete it, or choose another folder.")


def _clear(folder: Path) -> None:
    """Delete what processes left that were stopped while they made a database here."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        digits = path.name.removeprefix(_UNFINISHED).partition("-")[0]
        if digits.isdigit() and not Path(f"/proc/{digits}").exists():
            with suppress(OSError):
                path.unlink()


def _forget(unfinished: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            unfinished.with_name(unfinished.name + ending).unlink()


def _refuse_others(connection: Connection, shown: str) -> None:
    """Make sure that a PostgreSQL database holds nothing that stands in the way."""
    hint = "Name an empty database: createdb NAME."
    found = inspect(connection)
    if ENGINE_NAMES[1] in found.get_schema_names():
        message = f"the database {shown} holds the schema {ENGINE_NAMES[1]} of a site that is gone"
        raise AlreadyRecorded(message, hint=f"Drop that schema. {hint}")
    taken = set(found.get_table_names()) & set(Base.metadata.tables)
    if taken:
        message = f"the database {shown} holds tables already: {', '.join(sorted(taken)[:5])}"
        raise AlreadyRecorded(message, hint=hint)
