"""The row of an imported update, made or renewed in one transaction with its status message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.site.messages import SiteLog, report
from wimdock.site.messages.table import UPDATE_IMPORTED
from wimdock.site.models import SiteRow, UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.facts import UpdateFacts, columns
from wimdock.site.updates.supersedence import members_of, superseded


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row after an import: whether it is new, was retired, or tells something else now."""

    update: UpdateRow
    is_new: bool
    was_retired: bool
    changed: bool
    notes: tuple[str, ...]


def record(site: Site, facts: UpdateFacts, name: str, source: str) -> Recorded:
    """Make the row of an update, whose file is in its place, or renew it. Idempotent by SHA-256.

    What was read last counts: a later wimdock may do what an earlier one did not.
    """
    values = columns(facts)
    with site.writing() as session:
        counters = session.get_one(SiteRow, 1, with_for_update=True)
        update = session.scalar(select(UpdateRow).where(UpdateRow.sha256 == facts.sha256))
        is_new = update is None
        was_retired = update is not None and update.retired_at is not None
        changed = False
        if update is None:
            update = UpdateRow(
                id=counters.next_update,
                file_name=name,
                imported_at=site.now(),
                imported_by=site.operator,
                source=source,
                **values,
            )
            counters.next_update += 1
            session.add(update)
        else:
            changed = any(getattr(update, column) != value for column, value in values.items())
            for column, value in values.items():
                setattr(update, column, value)
            update.file_name = name
            update.retired_at = None
        session.flush()
        message = None
        if is_new or was_retired:
            site.note(session, "update.import", str(update.id), file=source)
            message = report(site, session, UPDATE_IMPORTED, update.id, name)
        notes = tuple(_notes(session, update))
    if message is not None:
        with SiteLog(site) as log:
            log.status(message)
    return Recorded(update, is_new, was_retired, changed, notes)


def _notes(session: Session, update: UpdateRow) -> list[str]:
    """Say what the library has beside it: the same in other bytes, newer ones, older ones."""
    notes: list[str] = []
    same = session.scalars(
        select(UpdateRow.id)
        .where(UpdateRow.identity == update.identity, UpdateRow.id != update.id)
        .where(UpdateRow.retired_at.is_(None))
        .order_by(UpdateRow.id)
    ).all()
    if same:
        notes.append(f"the same package as update {_listed(same)}, in other bytes; all are kept")
    replaced = superseded(members_of(session, update.family))
    newer = replaced.get(update.id)
    if newer is not None:
        notes.append(f"superseded by update {newer}")
    older = [each for each, by in replaced.items() if by == update.id]
    if older:
        notes.append(f"supersedes update {_listed(sorted(older))}")
    if update.unsupported:
        count = len(update.unsupported)
        reasons = "1 reason" if count == 1 else f"{count} reasons"
        notes.append(f"wimdock cannot put it in, for {reasons}")
    if not update.catalogued:
        notes.append("no catalog covers everything in it")
    return notes


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(str(each) for each in ids)
