"""Distribute: the new state brought to the distribution points.

Idempotent: what a point holds is compared with what it shall hold. A point that is down fails no
run: it is tried again later, and shown until then.
"""

from __future__ import annotations

from typing import Any

from wimdock.site.distribution import distribute, want
from wimdock.site.images import record_commit
from wimdock.site.models import StepName
from wimdock.site.steps.context import RunContext


def do(context: RunContext) -> dict[str, Any]:
    """Bring the file to every point that serves it."""
    if not context.option("update_points"):
        return {"skipped": "the schedule does not ask for it"}
    if context.results[StepName.APPLY]["generation"] is not None:
        record_commit(context.site, context.package.id, context.run.id)
    with context.site.writing() as session:
        want(session, context.package.id)
    sent = distribute(context.site, context.package.id, context.reporter, context.permit)
    return {
        "points": [
            {"point": each.point, "state": each.state, "bytes": each.bytes, "error": each.error}
            for each in sent
        ]
    }
