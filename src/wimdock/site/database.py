"""The site's database: SQLite in the site's folder, or PostgreSQL by URL.

One transaction is one `reading` or `writing` block. A block that writes to SQLite takes the write
lock at its begin (BEGIN IMMEDIATE), so that two writers wait for each other and never fail half
way; on PostgreSQL what is read to be changed is locked by `with_for_update`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from wimdock.errors import DatabaseUnavailable, SettingsError

SQLITE_NAME = "site.sqlite"
"""The name of the database in the folder of a site that has no other."""

_WAIT_SECONDS = 60
_WRITES = "wimdock_writes"


class Database:
    """A database that is connected to when it is needed."""

    def __init__(self, url: URL) -> None:
        """Take the URL, as `parse_url` or `sqlite_url` give it."""
        self.url = url
        arguments: dict[str, Any] = {}
        if self.is_sqlite:
            arguments["timeout"] = _WAIT_SECONDS
        else:
            arguments |= {"connect_timeout": 10, "application_name": "wimdock"}
        self.engine = create_engine(url, connect_args=arguments, pool_pre_ping=not self.is_sqlite)
        self._writing = self.engine.execution_options(**{_WRITES: True})
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def shown(self) -> str:
        """The URL without its password, for people."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database as it is now; nothing is kept."""
        with self._named(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are committed at the end, or undone by an error."""
        with (
            self._named(),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn errors of the connection into ours; wrong statements stay what they are: faults."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise self._unavailable(error) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise self._unavailable(error) from error
            raise

    def _unavailable(self, error: DBAPIError) -> DatabaseUnavailable:
        reason = str(error.orig).strip().splitlines() or ["no reason given"]
        return DatabaseUnavailable(f"the database {self.shown} cannot be used: {reason[0]}")


def sqlite_url(folder: Path) -> URL:
    """Give the URL of the database in a site's folder."""
    return URL.create("sqlite", database=str(folder / SQLITE_NAME))


def parse_url(text: str) -> URL:
    """Give the URL of a PostgreSQL database; SettingsError for anything else."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in {"postgresql", "postgres"}:
        message = "the URL of the database is none that wimdock knows"
        raise SettingsError(message, hint="Write it as postgresql://USER@HOST/NAME.")
    return url.set(drivername="postgresql+psycopg")


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so
    cursor = connection.cursor()
    try:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
