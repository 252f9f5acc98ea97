"""What the library holds, as a list for people; without reading any file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wimdock.errors import NoSuchRecord
from wimdock.site.models import Schedule, ScheduleUpdate, UpdateRow
from wimdock.site.updates.selection import LARGEST_ID
from wimdock.site.updates.supersedence import members_of, superseded

NO_SUCH = "`wimdock update list` shows all; `wimdock update import` brings more."


@dataclass(frozen=True, slots=True)
class UpdateFilter:
    """Which updates to list; what is empty or None filters nothing.

    `family` is how the name of the family begins, in any letter case. `retired` lists either those
    in use or those retired, `unsupported` either kind.
    """

    kb: str = ""
    architecture: str = ""
    family: str = ""
    retired: bool | None = False
    unsupported: bool | None = None


@dataclass(frozen=True, slots=True)
class ListedUpdate:
    """An update in a list. `unsupported` counts reasons; `superseded_by` is an ID or None."""

    id: int
    title: str
    identity: str
    family: str
    kb: str
    architecture: str
    version: str
    language: str
    classification: str
    stack: bool
    file_name: str
    sha256: str
    size: int
    catalogued: bool
    signer: str
    released_at: datetime | None
    imported_at: datetime
    retired_at: datetime | None
    unsupported: int
    superseded_by: int | None


def list_updates(session: Session, wanted: UpdateFilter | None = None) -> list[ListedUpdate]:
    """Give the updates that a filter takes, in the order of their IDs."""
    wanted = wanted or UpdateFilter()
    names = [
        name for name in ListedUpdate.__slots__ if name not in {"superseded_by", "unsupported"}
    ]
    columns = [getattr(UpdateRow, name) for name in names]
    query = select(*columns, UpdateRow.unsupported).order_by(UpdateRow.id)
    if wanted.kb:
        query = query.where(UpdateRow.kb == wanted.kb)
    if wanted.architecture:
        query = query.where(func.lower(UpdateRow.architecture) == wanted.architecture.lower())
    if wanted.family:
        start = wanted.family.lower()
        query = query.where(UpdateRow.family.startswith(start, autoescape=True))
    if wanted.retired is not None:
        retired = UpdateRow.retired_at
        query = query.where(retired.is_not(None) if wanted.retired else retired.is_(None))
    replaced = superseded(members_of(session))
    found = [
        ListedUpdate(
            **dict(zip(names, row, strict=False)),
            unsupported=len(row.unsupported),
            superseded_by=replaced.get(row.id),
        )
        for row in session.execute(query)
    ]
    if wanted.unsupported is None:
        return found
    return [each for each in found if bool(each.unsupported) is wanted.unsupported]


def update_of(session: Session, update_id: int, *, lock: bool = False) -> UpdateRow:
    """Give an update; NoSuchRecord where there is none with this number."""
    row = None
    if 0 < update_id <= LARGEST_ID:
        row = session.get(UpdateRow, update_id, with_for_update=lock or None)
    if row is None:
        message = f"there is no update {update_id} in the library"
        raise NoSuchRecord(message, hint=NO_SUCH)
    return row


def schedules_naming(session: Session, update_id: int) -> Sequence[int]:
    """Give the schedules that name an update and may still run: not one whose time has been."""
    query = (
        select(ScheduleUpdate.schedule_id)
        .join(Schedule, Schedule.id == ScheduleUpdate.schedule_id)
        .where(ScheduleUpdate.update_id == update_id, Schedule.removed_at.is_(None))
        .where(Schedule.next_due.is_not(None) | Schedule.enabled.is_(False))
        .order_by(ScheduleUpdate.schedule_id)
    )
    return session.scalars(query).all()
