"""Rows as lines of JSON and back, the same for both kinds of database.

The tables are those that the database has, not those of the models: so a backup of an older schema
can be put back into the tables that it was made of, and brought up to date there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from sqlalchemy import JSON, Connection, DateTime, MetaData, Table, func, null, select, text
from sqlalchemy.exc import DataError, IntegrityError

from wimdock.errors import BackupError
from wimdock.site.backup.layout import Member, refuse
from wimdock.site.backup.spool import Sink
from wimdock.site.schema import VERSION_TABLE

_AT_ONCE = 500
_LONGEST_LINE = 64 << 20


def tables_of(connection: Connection) -> list[Table]:
    """Give the tables of a database, those that others refer to first."""
    metadata = MetaData()
    metadata.reflect(connection, resolve_fks=False)
    return [table for table in metadata.sorted_tables if table.name != VERSION_TABLE]


def dump(connection: Connection, table: Table, out: Sink) -> int:
    """Write every row of a table and give how many there are."""
    moments = [isinstance(column.type, DateTime) for column in table.columns]
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execute(query.execution_options(yield_per=_AT_ONCE))
    count = 0
    for row in found:
        values = [
            _moment_text(value) if is_moment else value
            for value, is_moment in zip(row, moments, strict=True)
        ]
        out.write(json.dumps(values, separators=(",", ":")).encode("ascii") + b"\n")
        count += 1
    return count


def load(connection: Connection, table: Table, member: Member, lines: IO[bytes]) -> None:
    """Put the rows of a member into a table. BackupError where they do not fit it."""
    unknown = set(member.columns) - set(table.columns.keys())
    if unknown or len(set(member.columns)) != len(member.columns):
        refuse(f"{member.name} has columns that its table has not")
    readers = [_reader(table.columns[name].type, connection) for name in member.columns]
    count = 0
    for batch in _batches(lines, member, readers):
        count += len(batch)
        try:
            connection.execute(table.insert(), batch)
        except (IntegrityError, DataError) as error:
            reason = str(error.orig).splitlines()[0]
            message = f"rows of {table.name} cannot be put into this database: {reason}"
            raise BackupError(message) from error
    if count != member.rows:
        refuse(f"{member.name} has {count} rows and should have {member.rows}")
    _set_counters(connection, table)


def _batches(
    lines: IO[bytes], member: Member, readers: Sequence[Callable[[Any], Any]]
) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    while line := lines.readline(_LONGEST_LINE):
        try:
            values = json.loads(line)
            row = {
                name: read(value)
                for name, read, value in zip(member.columns, readers, values, strict=True)
            }
        except (ValueError, TypeError, RecursionError):
            refuse(f"a line of {member.name} cannot be read")
        batch.append(row)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _reader(kind: Any, connection: Connection) -> Callable[[Any], Any]:
    """Give what makes a column's value of what JSON has for it."""
    if isinstance(kind, DateTime):
        plain = connection.dialect.name == "sqlite"  # knows no zones: what it holds is UTC
        return lambda value: None if value is None else _moment(value, plain=plain)
    if isinstance(kind, JSON):
        return lambda value: null() if value is None else value
    return _scalar


def _scalar(value: Any) -> Any:
    if isinstance(value, list | dict):
        message = "a plain value was expected"
        raise TypeError(message)
    return value


def _moment(text_: str, *, plain: bool) -> datetime:
    moment = datetime.fromisoformat(text_).astimezone(UTC)
    return moment.replace(tzinfo=None) if plain else moment


def _moment_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return aware.isoformat()


def _set_counters(connection: Connection, table: Table) -> None:
    """Let PostgreSQL count on behind the numbers that were put in; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        name = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        )
        if name is None:
            continue
        greatest = connection.scalar(select(func.max(column)))
        if greatest is not None:
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :value)"),
                {"name": name, "value": greatest},
            )
