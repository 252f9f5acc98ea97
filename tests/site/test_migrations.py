"""The schema: revisions make what the models say, up, down and up again, and lose nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text, update

from scripts.migration import differences
from tests.site.conftest import SetClock
from tests.site.filled import everything, fill, rows_of
from tests.site.postgres import PostgresServer
from wimdock.errors import AlreadyRecorded, NoSite, SchemaMismatch, SiteError
from wimdock.site.database import Database, parse_url, sqlite_url
from wimdock.site.models import Base, WorkerRow, WorkerState
from wimdock.site.opening import Place, open_site
from wimdock.site.schema import NOTHING, SCHEMAS, VERSION_TABLE, configuration, move, schema_of
from wimdock.site.site import Site
from wimdock.site.upgrade import Revisions, upgrade_site

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade():
    with op.batch_alter_table("runs", recreate="auto") as batch:
        batch.add_column(sa.Column("colour", sa.String(), nullable=False, server_default="green"))
        batch.alter_column("step", new_column_name="stage")
    {more}


def downgrade():
    with op.batch_alter_table("runs") as batch:
        batch.alter_column("stage", new_column_name="step")
        batch.drop_column("colour")
"""


@pytest.fixture
def database(database_url: str | None, tmp_path: Path) -> Iterator[Database]:
    """Give an empty database of each kind."""
    made = Database(parse_url(database_url) if database_url else sqlite_url(tmp_path))
    yield made
    made.close()


def revisions(folder: Path, more: str = "pass") -> Revisions:
    """Give the schemas with another one behind them, which remakes a table that others refer to."""
    folder.mkdir(exist_ok=True)
    words = REVISION.format(revision="x1", before=SCHEMAS[-1], more=more)
    (folder / "rx1_colour.py").write_text(words)
    return Revisions((*SCHEMAS, "x1"), (folder,))


def shape(connection: Connection) -> dict[str, Any]:
    """Give all that the database says of its tables, constraints and indexes."""
    found = inspect(connection)

    def column(each: Any) -> Any:
        return (each["name"], str(each["type"]), each["nullable"], each.get("default"))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLite says of an index on an expression that it has one
        return {
            name: {
                "columns": [column(each) for each in found.get_columns(name)],
                "key": found.get_pk_constraint(name),
                "references": sorted(found.get_foreign_keys(name), key=str),
                "unique": sorted(found.get_unique_constraints(name), key=str),
                "indexes": sorted(found.get_indexes(name), key=str),
            }
            for name in sorted(found.get_table_names())
            if name != VERSION_TABLE
        }


def indexes_of_sqlite(connection: Connection) -> set[str]:
    """Give the statements that made the indexes, which say what an inspector cannot."""
    rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'index'"))
    return {" ".join(row[0].split()) for row in rows if row[0]}


def test_the_revisions_make_what_the_models_say(database: Database) -> None:
    with database.changing_schema() as connection:
        move(connection)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = differences(connection)
    assert found == [], "python -m scripts.migration first (or add NAME)"


def test_nothing_tells_a_migrated_database_from_one_made_of_the_models(
    database: Database, database_url: str | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = sqlite_url(tmp_path / "other")
    (tmp_path / "other").mkdir()
    if database_url is not None:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = parse_url(server.new_database())
    other = Database(url)
    try:
        with database.changing_schema() as left, other.changing_schema() as right:
            move(left)
            Base.metadata.create_all(right)
            assert shape(left) == shape(right)
            if database.is_sqlite:
                assert indexes_of_sqlite(left) == indexes_of_sqlite(right)
    finally:
        other.close()


def test_up_down_and_up_again(database: Database) -> None:
    with database.changing_schema() as connection:
        assert schema_of(connection) is None
        move(connection)
        assert schema_of(connection) == SCHEMAS[-1]
        first = shape(connection)
    with database.changing_schema() as connection:
        move(connection, NOTHING)
        assert schema_of(connection) is None
        assert shape(connection) == {}
    with database.changing_schema() as connection:
        move(connection)
        assert shape(connection) == first


def test_what_is_there_stays_there(site: Site) -> None:
    fill(site)
    before = rows_of(site)
    with site.database.changing_schema() as connection:
        move(connection)
    assert rows_of(site) == before
    with site.writing() as session:  # what refers to what is still known
        session.execute(text("DELETE FROM runs"))
    assert rows_of(site)["steps"] == []


def test_the_versions_are_those_of_the_revisions(database: Database) -> None:
    from alembic.script import ScriptDirectory

    with database.changing_schema() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        assert [each.revision for each in scripts.walk_revisions()][::-1] == list(SCHEMAS)


def test_a_move_is_all_or_nothing(site: Site, tmp_path: Path) -> None:
    fill(site)
    before = rows_of(site)
    known = revisions(tmp_path / "more", "raise RuntimeError('stopped here')")
    with (
        pytest.raises(RuntimeError, match="stopped here"),
        site.database.changing_schema() as connection,
    ):
        move(connection, "x1", folders=known.folders)
    with site.reading() as session:
        assert schema_of(session.connection()) == SCHEMAS[-1]
    assert rows_of(site) == before


def test_an_upgrade_keeps_every_row(site: Site, tmp_path: Path, clock: SetClock) -> None:
    fill(site)
    before = rows_of(site)
    known = revisions(tmp_path / "more")
    clock.advance(days=10)  # the workers of these rows are long silent
    done = upgrade_site(Place(site.folder), clock, known)
    assert (done.before, done.after) == (SCHEMAS[-1], "x1")
    with site.database.snapshot() as connection:
        assert schema_of(connection) == "x1"
        rows = connection.execute(text("SELECT id, colour, stage FROM runs ORDER BY id")).all()
        assert [(row[0], row[1]) for row in rows] == [(1, "green"), (2, "green"), (3, "green")]
        steps = connection.execute(text("SELECT count(*) FROM steps")).scalar_one()
        assert steps == len(before["steps"]) == 3
        audit = connection.execute(text("SELECT action, object FROM audit ORDER BY id DESC"))
        assert tuple(audit.first() or ()) == ("site.upgrade", "x1")
    with pytest.raises(SchemaMismatch, match="does not know"):
        open_site(Place(site.folder))
    with pytest.raises(SchemaMismatch) as caught:
        upgrade_site(Place(site.folder), clock)
    assert "newer version" in caught.value.hint
    assert upgrade_site(Place(site.folder), clock, known).before == "x1"
    with site.database.changing_schema() as connection:
        move(connection, SCHEMAS[-1], folders=known.folders)
    after = rows_of(site)
    assert {name: after[name] for name in after if name != "audit"} == {
        name: before[name] for name in before if name != "audit"
    }
    assert after["audit"][:-1] == before["audit"]


def test_an_upgrade_of_sqlite_begins_with_a_copy(
    make_site: Callable[[], Site], tmp_path: Path, clock: SetClock
) -> None:
    site = make_site()
    fill(site)
    before = rows_of(site)
    clock.advance(days=10)
    names = {path.name for path in site.folder.iterdir()}
    failing = revisions(tmp_path / "failing", "raise RuntimeError('stopped here')")
    with pytest.raises(RuntimeError):
        upgrade_site(Place(site.folder), clock, failing)
    assert {path.name for path in site.folder.iterdir()} == names
    (site.folder / f"site.sqlite.schema-{SCHEMAS[-1]}").write_text("an earlier one")
    done = upgrade_site(Place(site.folder), clock, revisions(tmp_path / "more"))
    assert done.copy == site.folder / f"site.sqlite.schema-{SCHEMAS[-1]}-2"
    assert done.copy.stat().st_mode & 0o777 == 0o600
    assert not [path for path in site.folder.iterdir() if ".new-" in path.name]
    kept = Database(sqlite_url(tmp_path).set(database=str(done.copy)))
    with kept.snapshot() as connection:
        assert schema_of(connection) == SCHEMAS[-1]
        assert everything(connection) == before
    kept.close()


def test_nobody_may_work_with_the_site_meanwhile(
    site: Site, tmp_path: Path, clock: SetClock
) -> None:
    fill(site)
    with site.writing() as session:
        now = {"heartbeat_at": clock.now(), "lease_seconds": 30.0}
        session.execute(update(WorkerRow).values(state=WorkerState.STOPPED, **now))
        first = update(WorkerRow).where(WorkerRow.pid == 2)
        session.execute(first.values(state=WorkerState.STOPPING))
    known = revisions(tmp_path / "more")
    names = {path.name for path in site.folder.iterdir()}
    with pytest.raises(AlreadyRecorded, match=r"workers still use the site: id2é"):
        upgrade_site(Place(site.folder), clock, known)
    assert {path.name for path in site.folder.iterdir()} == names
    clock.advance(seconds=31)
    assert upgrade_site(Place(site.folder), clock, known).after == "x1"


def test_rows_that_would_refer_to_nothing_stop_an_upgrade(
    make_site: Callable[[], Site], tmp_path: Path, clock: SetClock
) -> None:
    site = make_site()
    fill(site)
    before = rows_of(site)
    clock.advance(days=10)
    known = revisions(tmp_path / "more", "op.execute('DELETE FROM image_packages')")
    with pytest.raises(SiteError, match="without what they name"):
        upgrade_site(Place(site.folder), clock, known)
    assert rows_of(site) == before


UPGRADER = """
import sys
from pathlib import Path
from wimdock.site.opening import Place
from wimdock.site.schema import SCHEMAS
from wimdock.site.upgrade import Revisions, upgrade_site
known = Revisions((*SCHEMAS, "x1"), (Path(sys.argv[2]),))
done = upgrade_site(Place(Path(sys.argv[1])), None, known)
print(done.before)
"""


def test_of_several_at_once_one_upgrades(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    revisions(folder, "import time; time.sleep(0.5)")
    words = (sys.executable, "-c", UPGRADER, str(site.folder), str(folder))
    environment = {**os.environ, "PYTHONPATH": f"src{os.pathsep}."}
    running = [
        subprocess.Popen(
            words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert sorted(out.strip() for out, _ in said).count(SCHEMAS[-1]) == 1
    with site.database.snapshot() as connection:
        assert schema_of(connection) == "x1"
    assert len(list(site.folder.glob("site.sqlite.schema-*"))) <= 1


def test_databases_of_other_schemas_are_refused(site: Site) -> None:
    for statement, words in (
        (f"UPDATE {VERSION_TABLE} SET version_num = '9999'", "9999, which this wimdock does not"),  # noqa: S608
        (f"DELETE FROM {VERSION_TABLE}", "does not say which schema"),  # noqa: S608
        (f"DROP TABLE {VERSION_TABLE}", "does not say which schema"),
    ):
        with site.database.changing_schema() as connection:
            connection.execute(text(statement))
        with pytest.raises(SchemaMismatch, match=words):
            open_site(Place(site.folder))
    with pytest.raises(NoSite):
        upgrade_site(Place(site.folder))


def test_a_database_of_an_older_schema(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wimdock.site.schema.SCHEMAS", (*SCHEMAS, "x1"))
    with pytest.raises(SchemaMismatch, match="this wimdock needs x1") as caught:
        open_site(Place(site.folder))
    assert "wimdock site upgrade" in caught.value.hint


def test_making_a_site_is_quick(make_site: Callable[[], Site]) -> None:
    make_site()  # what is imported is imported now
    began = time.process_time()  # however busy the machine is
    for _ in range(3):
        make_site()
    assert (time.process_time() - began) / 3 < 0.5
