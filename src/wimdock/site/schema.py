"""Which tables a database has: the version of its schema, and the way from one to another.

The version is a row of `schema_version`; the revisions under `migrations` make the tables. All of
a move is one transaction on both kinds of database: it is done, or nothing was changed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from wimdock.errors import SchemaMismatch

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "schema_version"
"""The table that holds the version."""

SCHEMAS = ("0001",)
"""The versions that this wimdock knows, oldest first; the last one is its own."""

NOTHING = "base"
"""The version of a database without tables, for `move`."""

MIGRATIONS = Path(__file__).parent / "migrations"


def schema_of(connection: Connection) -> str | None:
    """Give the version of a database's tables; None where it has none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - no input in it
    version: str | None = found.scalar_one_or_none()
    return version


def require(version: str | None, shown: str, schemas: Sequence[str] | None = None) -> None:
    """Make sure that a database has the tables of this wimdock; SchemaMismatch else."""
    schemas = schemas or SCHEMAS
    if version == schemas[-1]:
        return
    if version in schemas:
        message = f"the database {shown} has schema {version}; this wimdock needs {schemas[-1]}"
        raise SchemaMismatch(message)
    if version is None:
        message = f"the database {shown} does not say which schema it has"
        raise SchemaMismatch(message, hint="Restore a backup: wimdock site restore.")
    message = f"the database {shown} has schema {version}, which this wimdock does not know"
    hint = "It was made by a newer version: install that one."
    raise SchemaMismatch(message, hint=hint)


def move(connection: Connection, to: str = SCHEMAS[-1], *, folders: Sequence[Path] = ()) -> None:
    """Bring the tables to a version, up or down, in the connection's transaction.

    `folders` hold further revisions, beside those of wimdock.
    """
    from alembic import command

    config = configuration(connection, folders)
    known = _order(config)
    now = schema_of(connection)
    if to == NOTHING or (now is not None and known.index(to) < known.index(now)):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


def check_references(connection: Connection) -> list[str]:
    """Give the tables with rows that refer to what is not there, on SQLite.

    PostgreSQL never lets them come about.
    """
    if connection.dialect.name != "sqlite":
        return []
    found = connection.exec_driver_sql("PRAGMA foreign_key_check")
    return sorted({row[0] for row in found})


def configuration(connection: Connection, folders: Sequence[Path] = ()) -> Config:
    """Give what alembic's commands work by."""
    from alembic.config import Config

    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    places = (MIGRATIONS / "versions", *folders)
    config.set_main_option("version_locations", "\n".join(map(str, places)).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _order(config: Config) -> list[str]:
    from alembic.script import ScriptDirectory

    revisions = ScriptDirectory.from_config(config).walk_revisions()
    return [each.revision for each in revisions][::-1]
