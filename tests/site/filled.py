"""Rows for every table of a site, made by what the models say, so that no table is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    Enum,
    Float,
    Integer,
    String,
    Table,
    select,
)

from wimdock.site.models import Base, SiteRow
from wimdock.site.models.types import Document, UtcDateTime
from wimdock.site.site import Site

_AT = datetime(2026, 11, 3, 12, 0, 0, 123456, tzinfo=UTC)
_DOCUMENT = {"text": 'quote " \\ é 漢 \u202e', "numbers": [1, 2.5, -3, 2**40], "none": None}


def fill(site: Site, rows: int = 3) -> None:
    """Put rows into every table but the site's own."""
    with site.writing() as session:
        connection = session.connection()
        for table in Base.metadata.sorted_tables:
            if table.name != SiteRow.__tablename__:
                for number in range(1, rows + 1):
                    connection.execute(table.insert().values(row_of(table, number)))


def row_of(table: Table, number: int) -> dict[str, Any]:
    """Give the values of a row; what refers to another table refers to its row of that number.

    A key that counts up by itself is left to the database.
    """
    return {
        column.name: _value(_referred(column), number)
        for column in table.columns
        if column is not table.autoincrement_column or not isinstance(column.type, BigInteger)
    }


def _referred(column: Column[Any]) -> Column[Any]:
    found = next(iter(column.foreign_keys), None)
    return column if found is None else _referred(found.column)


def _value(column: Column[Any], number: int) -> Any:  # noqa: PLR0911 - a table of cases
    kind = column.type
    if column.nullable and number == 1 and not column.foreign_keys:
        return None
    match kind:
        case Enum():
            words = list(kind.enum_class or ())
            return words[number % len(words)]
        case String():
            return f"{column.name[:2]}{number}é"[: kind.length]
        case Boolean():
            return number % 2 == 0
        case UtcDateTime():
            return _AT + timedelta(days=number)
        case Document():
            return _DOCUMENT | {"row": number}
        case Float() | Double():
            return number + 0.1
        case Integer():
            return number
    message = f"no value for {column}"
    raise TypeError(message)


def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table, ordered by key."""
    return {
        table.name: [
            tuple(row)
            for row in connection.execute(select(table).order_by(*table.primary_key.columns))
        ]
        for table in Base.metadata.sorted_tables
    }


def rows_of(site: Site) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row that a site has."""
    with site.reading() as session:
        return everything(session.connection())
