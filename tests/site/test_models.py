"""The tables: types that mean the same on both kinds of database, and a room for each table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from tests.site.filled import fill, row_of, rows_of
from wimdock.site.models import Audit, Base, ImagePackage, Run, RunState, SiteRow, Step, StepName
from wimdock.site.schema import VERSION_TABLE
from wimdock.site.site import Site

PAGE = Path(__file__).parents[2] / "docs" / "internals" / "site.md"
ROOM = Path(__file__).parents[2] / "src" / "wimdock" / "site"


def test_every_table_has_a_room_that_is_documented() -> None:
    rows = re.findall(r"^\| (`[^|]*) \| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    owned = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(owned) == sorted([*Base.metadata.tables, VERSION_TABLE])
    for _, room in rows:
        assert (ROOM / room).is_dir() or (ROOM / f"{room}.py").is_file(), room


def test_every_row_comes_back_as_it_was_written(site: Site) -> None:
    fill(site)
    for table in Base.metadata.sorted_tables:
        if table.name == SiteRow.__tablename__:
            continue
        written = [row_of(table, number) for number in (1, 2, 3)]
        found = rows_of(site)[table.name]
        for values in written:
            row = [values.get(name) for name in table.columns.keys() if name in values]  # noqa: SIM118
            kept = [
                [
                    value
                    for name, value in zip(table.columns.keys(), each, strict=True)
                    if name in values
                ]
                for each in found
            ]
            assert row in kept, table.name


def add_note(site: Site, at: datetime) -> datetime:
    with site.writing() as session:
        note = Audit(at=at, operator="x", action="x", object="x", detail={})
        session.add(note)
        session.flush()
        number = note.id
    with site.reading() as session:
        return session.get_one(Audit, number).at


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 3, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
        datetime(1601, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
)
def test_times_come_back_in_utc(site: Site, at: datetime) -> None:
    found = add_note(site, at)
    assert (found, found.tzinfo) == (at, UTC)


def test_a_time_without_a_zone_is_a_fault(site: Site) -> None:
    with pytest.raises(StatementError, match="zone"):
        add_note(site, datetime(2026, 11, 3, 12, 0))  # noqa: DTZ001 - that is the fault


def test_times_are_compared_by_the_moment(site: Site) -> None:
    noon = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    add_note(site, noon)
    elsewhere = timezone(timedelta(hours=-8))
    with site.reading() as session:
        for moment, count in ((noon.astimezone(elsewhere), 1), (noon + timedelta(seconds=1), 0)):
            found = session.scalars(select(Audit).where(Audit.at >= moment)).all()
            assert len(found) == count


def test_words_are_kept_as_text(site: Site) -> None:
    fill(site)
    with site.reading() as session:
        states = set(session.execute(text("SELECT state FROM runs")).scalars())
        assert states <= {state.value for state in RunState}
        assert set(session.scalars(select(Run.state))) == {RunState(state) for state in states}
    with site.writing() as session:
        session.execute(text("UPDATE runs SET state = 'unheard of'"))
    with pytest.raises(LookupError, match="unheard of"), site.reading() as session:
        session.scalars(select(Run)).all()


def test_what_is_referred_to_must_be_there(site: Site) -> None:
    step = row_of(Base.metadata.tables["steps"], 1) | {"run_id": 7, "name": StepName.PLAN}
    with pytest.raises(IntegrityError), site.writing() as session:
        session.execute(insert(Step), step)
    fill(site)
    with pytest.raises(IntegrityError), site.writing() as session:
        session.execute(text("DELETE FROM image_packages"))


def test_two_image_packages_cannot_be_one_file(site: Site) -> None:
    values = row_of(Base.metadata.tables["image_packages"], 2)
    both = [values | {"id": name} for name in ("CAS00001", "CAS00002")]
    with pytest.raises(IntegrityError), site.writing() as session:
        session.execute(insert(ImagePackage), both)


def test_references_are_found_without_reading_the_whole_table(site: Site) -> None:
    """A reference of a table that grows is the beginning of its key or of an index."""
    with site.reading() as session:
        found = inspect(session.connection())
        for table in ("steps", "run_events", "update_results", "runs", "generations", "images"):
            starts = {found.get_pk_constraint(table)["constrained_columns"][0]}
            starts |= {str(index["column_names"][0]) for index in found.get_indexes(table)}
            for reference in found.get_foreign_keys(table):
                assert reference["constrained_columns"][0] in starts, (table, reference)
