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

from sqlalchemy import URL, Connection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from wimdock.errors import DatabaseUnavailable, SettingsError
from wimdock.site.database_errors import unavailable

SQLITE_NAME = "site.sqlite"
"""The name of the database in the folder of a site that has no other."""

_WAIT_SECONDS = 60
_IDLE_SECONDS = 60
"""For so long a process that stands still, or a machine that is gone, may keep rows locked."""

_WRITES = "wimdock_writes"
_SCHEMA_LOCK = 0x77696D646F636B  # "wimdock", the key of the advisory lock on PostgreSQL
_OUTSIDE = "wimdock_outside"
_HIDDEN = "hidden"


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
        else:
            event.listen(self.engine, "begin", _begin_postgresql)

    @property
    def is_sqlite(self) -> bool:
        """Tell whether it is a file."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def shown(self) -> str:
        """The URL without its password, for people."""
        return show_url(self.url)

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
    def changing_schema(self) -> Iterator[Connection]:
        """Give a connection whose transaction nobody else changes tables beside.

        Tables and rows that it makes are kept together at the end, or undone by an error. It may
        stand still for long, while files are copied.
        """
        with (
            self._named(),
            self._writing.connect() as connection,
            self._loose(connection),
            connection.begin(),
        ):
            if not self.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": _SCHEMA_LOCK})
                connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    @contextmanager
    def _loose(self, connection: Connection) -> Iterator[None]:
        """Let SQLite drop and remake a table without what refers to it going, too.

        It changes that between transactions only; `schema.check_references` looks afterwards.
        """
        if not self.is_sqlite:
            yield
            return
        raw = connection.connection
        _execute(raw, "PRAGMA foreign_keys=OFF")
        try:
            yield
        finally:
            if not connection.invalidated:
                _execute(raw, "PRAGMA foreign_keys=ON")

    def gather(self) -> None:
        """Have all of a SQLite database in its one file, flushed; DatabaseUnavailable where not.

        Closing the last connection does that too, but a disk that is full is not told then.
        """
        outside = self.engine.execution_options(**{_OUTSIDE: True})
        with self._named(), outside.connect() as connection:
            (busy,) = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[:1]
        if busy:
            message = f"the database {self.shown} is used by another process"
            raise DatabaseUnavailable(message, hint="Wait until it has ended.")

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the whole database, whoever writes meanwhile."""
        engine = self.engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._named(), engine.begin() as connection:
            yield connection

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn errors of the connection into ours; wrong statements stay what they are: faults."""
        try:
            yield
        except SQLAlchemyError as error:
            found = unavailable(error, self.shown)
            if found is None:
                raise
            raise found from error


def sqlite_url(folder: Path) -> URL:
    """Give the URL of the database in a site's folder."""
    return URL.create("sqlite", database=str(folder / SQLITE_NAME))


def show_url(url: URL) -> str:
    """Give a URL as text without its password, wherever that stands."""
    hidden = {name: _HIDDEN for name in url.query if "pass" in name.lower()}
    plain = url.set(drivername=url.get_backend_name()).update_query_dict(hidden)
    return plain.render_as_string(hide_password=True)


def parse_url(given: str) -> URL:
    """Give the URL of a PostgreSQL database; SettingsError for anything else, without naming it."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        url = None
    hint = "Write it as postgresql://USER@HOST/NAME."
    if url is None or url.get_backend_name() not in {"postgresql", "postgres"}:
        message = "the URL of the database is none that wimdock knows"
        raise SettingsError(message, hint=hint)
    if "@" in (url.host or "") or "@" in (url.database or ""):
        message = "the URL of the database has more than one @"
        raise SettingsError(message, hint="Write an @ in the password as %40.")
    if not url.database:
        message = "the URL of the database names none"
        raise SettingsError(message, hint=hint)
    return url.set(drivername="postgresql+psycopg")


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        _execute(connection, f"PRAGMA {pragma}")


def _execute(connection: Any, statement: str) -> None:
    """Execute a statement that needs no transaction, below SQLAlchemy."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get(_OUTSIDE):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES):
        limit = f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_SECONDS * 1000}"
        connection.exec_driver_sql(limit)
