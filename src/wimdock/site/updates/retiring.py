"""Retiring: an update that no rule and no schedule takes any more; its row stays, for history.

One transaction retires; only then are files deleted, where that is asked for. A crash between the
two leaves the files, and the same command deletes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded
from wimdock.files import Disk
from wimdock.site.messages import SiteLog, report
from wimdock.site.messages.table import UPDATE_RETIRED
from wimdock.site.models import Run, RunState, StatusMessageRow, UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.library import library_lock, prepare, remove_file
from wimdock.site.updates.listing import schedules_naming, update_of


@dataclass(frozen=True, slots=True)
class Retired:
    """A retired update: whether it was so before, and the bytes that its file gave back."""

    update: UpdateRow
    was_retired: bool
    freed: int = 0


def retire(
    site: Site, update_ids: Sequence[int], *, delete_file: bool = False, disk: Disk | None = None
) -> list[Retired]:
    """Retire updates, all or none; with `delete_file` their files go too. Idempotent.

    NoSuchRecord for an unknown one. AlreadyRecorded while a schedule names one, and, where its file
    is to go, while a run that takes it waits or works.
    """
    with site.writing() as session:
        rows = [
            update_of(session, update_id, lock=True)
            for update_id in sorted(dict.fromkeys(update_ids))
        ]
        for row in rows:
            _refuse_scheduled(session, row)
            if delete_file:
                _refuse_in_run(session, row)
        found: list[Retired] = []
        messages: list[StatusMessageRow] = []
        for row in rows:
            found.append(Retired(row, row.retired_at is not None))
            if row.retired_at is None:
                row.retired_at = site.now()
                site.note(session, "update.retire", str(row.id), delete_file=delete_file)
                messages.append(report(site, session, UPDATE_RETIRED, row.id, row.title))
    if messages:
        with SiteLog(site) as log:
            for message in messages:
                log.status(message)
    if not delete_file:
        return found
    return [_without_file(site, each, disk or Disk()) for each in found]


def _without_file(site: Site, retired: Retired, disk: Disk) -> Retired:
    prepare(site)
    with library_lock(site):
        with site.reading() as session:
            again = update_of(session, retired.update.id)
        if again.retired_at is None:  # an import brought it back just now
            return retired
        freed = remove_file(site, retired.update.sha256, disk)
    return Retired(retired.update, retired.was_retired, freed)


def _refuse_scheduled(session: Session, row: UpdateRow) -> None:
    schedules = schedules_naming(session, row.id)
    if schedules:
        names = ", ".join(str(number) for number in schedules)
        which = "schedule" if len(schedules) == 1 else "schedules"
        message = f"update {row.id} cannot be retired: it is named by the {which} {names}"
        hint = f"Remove it first: wimdock schedule remove {schedules[0]}."
        raise AlreadyRecorded(message, hint=hint)


def _refuse_in_run(session: Session, row: UpdateRow) -> None:
    waiting = select(Run.id, Run.update_ids).where(
        Run.state.in_((RunState.QUEUED, RunState.RUNNING))
    )
    for run_id, update_ids in session.execute(waiting.order_by(Run.id)):
        if row.id in update_ids:
            message = f"the file of update {row.id} cannot go: run {run_id} takes it"
            hint = f"Wait until the run has ended, or end it: wimdock run cancel {run_id}."
            raise AlreadyRecorded(message, hint=hint)
