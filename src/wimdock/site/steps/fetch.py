"""Fetch: the chosen updates, found in the library and hashed anew. Idempotent: it only reads."""

from __future__ import annotations

from typing import Any

from wimdock.errors import NoSuchRecord
from wimdock.site.steps.context import RunContext
from wimdock.site.updates.library import verify_update


def do(context: RunContext) -> dict[str, Any]:
    """Make sure that every update is there and is what was imported."""
    known = {update.id for update in context.updates}
    for wanted in context.run.update_ids:
        if wanted not in known:
            message = f"update {wanted} is not in the library any more"
            raise NoSuchRecord(message)
    for update in context.updates:
        with context.reporter.step(f"Fetch {update.file_name}"):
            verify_update(context.site, update)
    return {
        "updates": len(context.updates),
        "bytes": sum(update.size for update in context.updates),
    }
