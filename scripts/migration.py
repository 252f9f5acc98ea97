"""Writes the revision that brings the tables of a site to what the models say.

    python -m scripts.migration compare        say where models and revisions differ
    python -m scripts.migration add NAME       write the next revision, to be read and edited
    python -m scripts.migration first          write revision 0001 anew, before it was released

A revision keeps its own words for column types, so that a later change of the models cannot change
what it makes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import JSON, Column, Connection, Enum, create_engine

from wimdock.site.models import Base
from wimdock.site.models.types import BigKey, Document, UtcDateTime
from wimdock.site.schema import MIGRATIONS, SCHEMAS, VERSION_TABLE, move

_EXPRESSIONS = {
    index.name
    for table in Base.metadata.tables.values()
    for index in table.indexes
    if not all(isinstance(each, Column) for each in index.expressions)
}
_VERSIONS = MIGRATIONS / "versions"
_GIVEN_NAME = re.compile(r""", name=op\.f\(['"](?:pk|fk|uq)_\w+['"]\)""")
_HEAD = '''\
"""{title}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "{revision}"
down_revision = {before}

MOMENT = sa.DateTime().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make what is new."""
    {up}


def downgrade() -> None:
    """Take it away again."""
    {down}
'''


def options(connection: Connection) -> MigrationContext:
    """Give what alembic compares by."""
    return MigrationContext.configure(
        connection,
        opts={
            "version_table": VERSION_TABLE,
            "target_metadata": Base.metadata,
            "include_name": _is_told_by_sqlite if connection.dialect.name == "sqlite" else None,
        },
    )


def _is_told_by_sqlite(name: str | None, kind: str, _parents: Any) -> bool:
    """Tell whether SQLite can say how an index is made: it cannot of one on an expression."""
    return kind != "index" or name not in _EXPRESSIONS


def differences(connection: Connection) -> list[Any]:
    """Give what the tables of a database have otherwise than the models say."""
    return list(compare_metadata(options(connection), Base.metadata))


def render(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write a column's type in a revision's own words."""
    if kind != "type":
        return False
    if isinstance(thing, UtcDateTime):
        return "MOMENT"
    if isinstance(thing, JSON | Document):
        return "DOCUMENT"
    if isinstance(thing, Enum):
        return f"sa.String(length={thing.length})"
    return "KEY" if thing is BigKey else False


def everything() -> tuple[ops.UpgradeOps, ops.DowngradeOps]:
    """Give the operations that make every table, and those that take them away."""
    tables = Base.metadata.sorted_tables
    up: list[ops.MigrateOperation] = []
    for table in tables:
        up.append(ops.CreateTableOp.from_table(table))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        up += [ops.CreateIndexOp.from_index(index) for index in indexes]
    down = [ops.DropTableOp.from_table(table) for table in reversed(tables)]
    return ops.UpgradeOps(up), ops.DowngradeOps(down)


def changes(connection: Connection) -> tuple[ops.UpgradeOps, ops.DowngradeOps]:
    """Give the operations that lead from a database to the models, and those that lead back."""
    script = produce_migrations(options(connection), Base.metadata)
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None:
        message = "alembic gave no operations"
        raise RuntimeError(message)
    return up, down


def write(
    operations: tuple[ops.UpgradeOps, ops.DowngradeOps],
    revision: str,
    before: str | None,
    title: str,
) -> Path:
    """Write a revision of these operations."""
    up, down = operations
    text = _HEAD.format(
        title=title,
        revision=revision,
        before="None" if before is None else f'"{before}"',
        up=_code(up),
        down=_code(down),
    )
    name = "_".join(title.lower().split())
    path = _VERSIONS / f"r{revision}_{name}.py"
    path.write_text(text, encoding="utf-8")
    for words in (("format", "--quiet"), ("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run((sys.executable, "-m", "ruff", *words, str(path)), check=True)
    return path


def _code(operations: ops.UpgradeOps | ops.DowngradeOps) -> str:
    """Write operations as Python. Names that the naming convention gives are left to it."""
    text = render_python_code(operations, render_item=render)
    text = "\n".join(line for line in text.splitlines() if "### " not in line).strip()
    return _GIVEN_NAME.sub("", text)


def main() -> int:
    """Do what the command line says; 1 where models and revisions differ."""
    engine = create_engine("sqlite://")
    match sys.argv[1:]:
        case ["first"]:
            print(write(everything(), SCHEMAS[0], None, "Tables"))
            return 0
        case ["add", name]:
            with engine.begin() as connection:
                move(connection)
                following = f"{int(SCHEMAS[-1]) + 1:04}"
                print(write(changes(connection), following, SCHEMAS[-1], name))
            print("Add the new version to SCHEMAS in src/wimdock/site/schema.py.")
            return 0
        case ["compare"]:
            with engine.begin() as connection:
                move(connection)
                found = differences(connection)
            for each in found:
                print(each)
            return 1 if found else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
