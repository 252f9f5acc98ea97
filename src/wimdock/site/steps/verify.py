"""Verify: every hash and structure of the file as it is now.

A file that is not sound is taken back to the state before the run at once. Idempotent: taking back
twice is taking back once.
"""

from __future__ import annotations

from typing import Any

from wimdock.errors import CorruptImage
from wimdock.events import Severity
from wimdock.site.models import StepName
from wimdock.site.steps.apply import committed_generation
from wimdock.site.steps.context import RunContext
from wimdock.wim import Archive
from wimdock.wim.rollback import rollback
from wimdock.wim.verification import verify


def do(context: RunContext) -> dict[str, Any]:
    """Verify what was committed; CorruptImage, with the file taken back, where it is not sound."""
    generation = context.results[StepName.APPLY]["generation"]
    if generation is None:
        return {"skipped": "nothing was written"}
    if committed_generation(context) is None:
        message = f"{context.package.id} was taken back: it was not sound after the run"
        raise CorruptImage(message, hint="`wimdock run log RUN` tells what was found.")
    with Archive.open(context.file) as archive:
        found = verify(archive, context.reporter)
    if found.sound:
        return {
            "bytes": found.size,
            "resources": found.resources,
            "warnings": found.count("warning"),
        }
    first = next(each for each in found.findings if each.severity == "error")
    context.permit()
    rollback(context.file, generation - 1)
    context.reporter.message(f"taken back to generation {generation - 1}", Severity.WARNING)
    message = f"{context.package.id} is not sound after the run: {first.text}"
    raise CorruptImage(
        message,
        hint="It was taken back to what it was; `wimdock verify` shows whether it was sound then.",
    )
