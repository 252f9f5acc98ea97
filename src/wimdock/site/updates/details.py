"""One update of the library with all around it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from wimdock.errors import CorruptPackage, StorageError
from wimdock.site.models import UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.library import file_of_update
from wimdock.site.updates.listing import schedules_naming, update_of
from wimdock.site.updates.supersedence import members_of, superseded


@dataclass(frozen=True, slots=True)
class UpdateDetails:
    """An update and what is around it.

    `file` says what is wrong with its file, "" where it is there in its full length. `schedules`
    are those that name it; `same` are other files with the same package.
    """

    update: UpdateRow
    file: str
    superseded_by: int | None
    supersedes: tuple[int, ...]
    same: tuple[int, ...]
    schedules: tuple[int, ...]


def details_of(site: Site, update_id: int) -> UpdateDetails:
    """Give an update with all that concerns it."""
    with site.reading() as session:
        row = update_of(session, update_id)
        replaced = superseded(members_of(session, row.family))
        same = session.scalars(
            select(UpdateRow.id)
            .where(UpdateRow.identity == row.identity, UpdateRow.id != row.id)
            .order_by(UpdateRow.id)
        ).all()
        schedules = schedules_naming(session, update_id)
    try:
        file_of_update(site, row)
        trouble = ""
    except (StorageError, CorruptPackage) as error:
        trouble = error.message
    return UpdateDetails(
        row,
        trouble,
        replaced.get(row.id),
        tuple(sorted(each for each, by in replaced.items() if by == row.id)),
        tuple(same),
        tuple(schedules),
    )
