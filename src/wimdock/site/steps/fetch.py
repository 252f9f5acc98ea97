"""Fetch: the chosen updates, found in the library and hashed anew. Idempotent: it only reads."""

from __future__ import annotations

from typing import Any

from wimdock.errors import CorruptPackage, NoSuchRecord, StorageError, WimdockError
from wimdock.site.messages import phases, report
from wimdock.site.messages.table import UPDATE_DAMAGED
from wimdock.site.models import UpdateRow
from wimdock.site.runs.lease import fenced
from wimdock.site.steps.context import RunContext
from wimdock.site.updates.library import verify_update
from wimdock.site.updates.listing import NO_SUCH


def do(context: RunContext) -> dict[str, Any]:
    """Make sure that every update is there and is what was imported."""
    known = {update.id for update in context.updates}
    for wanted in context.run.update_ids:
        if wanted not in known:
            phases.updates_missing(context.log)
            message = f"update {wanted} is not in the library any more"
            raise NoSuchRecord(message, hint=NO_SUCH)
    for update in context.updates:
        with context.reporter.step(f"Fetch {update.file_name}"):
            try:
                verify_update(context.site, update)
            except (CorruptPackage, StorageError) as error:
                _tell(context, update, error)
                raise
    return {
        "updates": len(context.updates),
        "bytes": sum(update.size for update in context.updates),
    }


def _tell(context: RunContext, update: UpdateRow, error: WimdockError) -> None:
    """Say that a file of the library cannot be used; a damaged one has a message of its own."""
    phases.updates_missing(context.log)
    if not isinstance(error, CorruptPackage):
        return
    run = context.run
    with fenced(context.site, run.id, context.token) as session:
        message = report(
            context.site,
            session,
            UPDATE_DAMAGED,
            update.id,
            error.message,
            run_id=run.id,
            schedule_id=run.schedule_id,
            package_id=run.package_id,
        )
    context.log.status(message)
