"""What is in an update library, on disk and in the database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from tests.lab.cases import component, package
from tests.lab.package import write_package
from wimdock.site.messages import text_of
from wimdock.site.models import StatusMessageRow, UpdateRow
from wimdock.site.site import Site


def files_of(site: Site) -> dict[str, bytes]:
    """Give every file of the library but its locks, by its path below."""
    return {
        str(path.relative_to(site.library)): path.read_bytes()
        for path in sorted(site.library.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def rows_of(site: Site) -> list[UpdateRow]:
    """Give the rows, in the order of their IDs."""
    with site.reading() as session:
        return list(session.scalars(select(UpdateRow).order_by(UpdateRow.id)))


def messages_of(site: Site) -> list[tuple[int, str]]:
    """Give the status messages: ID and text."""
    with site.reading() as session:
        rows = session.scalars(select(StatusMessageRow).order_by(StatusMessageRow.id))
        return [(row.message_id, text_of(row)) for row in rows]


def small_update(
    path: Path, version: str = "10.0.19041.1", *, name: str = "Lab-Update-Package"
) -> Path:
    """Write an update of the lab."""
    return write_package(path, package(component(version=version), name=name, version=version))


def check_library(site: Site) -> None:
    """Make sure that every row has its whole file, and that nothing else is there."""
    from wimdock.site.updates.library import verify_update

    rows = rows_of(site)
    assert {verify_update(site, row) for row in rows} == {
        site.library / path for path in files_of(site)
    }
    assert len({row.sha256 for row in rows}) == len(rows)
