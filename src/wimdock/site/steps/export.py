"""Export: a smaller file after the run. Not offered: a schedule that asks for it is refused."""

from __future__ import annotations

from typing import Any

from wimdock.errors import NotOffered
from wimdock.site.steps.context import RunContext


def do(context: RunContext) -> dict[str, Any]:
    """Say that there is nothing to export."""
    if context.option("export_after"):
        message = "exporting after a run is not offered"
        raise NotOffered(message, hint="Export the file by hand: wimdock image export.")
    return {"skipped": "the schedule does not ask for it"}
