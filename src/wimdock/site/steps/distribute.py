"""Distribute: the new state brought to the distribution points.

Idempotent: what a point holds is compared with what it shall hold. A point that is down fails no
run: it is tried again later, and shown until then.
"""

from __future__ import annotations

from typing import Any

from wimdock.events import Severity
from wimdock.site.distribution import distribute
from wimdock.site.images.reading import record_commit
from wimdock.site.models import StepName
from wimdock.site.steps.context import RunContext


def do(context: RunContext) -> dict[str, Any]:
    """Bring the file to every point that has it."""
    if not context.option("update_points"):
        return {"skipped": "the schedule does not ask for it"}
    if context.results[StepName.APPLY]["generation"] is not None:
        record_commit(context.site, context.package.id)
    sent = distribute(context.site, context.package.id, context.reporter, context.permit)
    for each in sent:
        if each.error is not None:
            context.reporter.message(f"{each.point}: {each.error}", Severity.WARNING)
    return {
        "points": [
            {
                "point": each.point,
                "sent": each.sent,
                "content_version": each.content_version,
                "error": None if each.error is None else str(each.error),
            }
            for each in sent
        ]
    }
