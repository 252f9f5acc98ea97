"""Verify: every hash and structure of the file as it is now.

A file that is not sound is taken back to the state before the run at once. Idempotent: taking back
twice is taking back once.
"""

from __future__ import annotations

from typing import Any

from wimdock.errors import CorruptImage, GenerationError, WimdockError
from wimdock.events import Severity
from wimdock.site.models import StepName
from wimdock.site.runs.lease import check_lease
from wimdock.site.steps.apply import committed_generation
from wimdock.site.steps.context import RunContext
from wimdock.wim import Archive
from wimdock.wim.generations import Generation
from wimdock.wim.rollback import rollback
from wimdock.wim.verification import verify


def do(context: RunContext) -> dict[str, Any]:
    """Verify what was committed; CorruptImage, with the file taken back, where it is not sound."""
    number = context.results[StepName.APPLY]["generation"]
    if number is None:
        return {"skipped": "nothing was written"}
    made = committed_generation(context)
    if made is not None:
        return verified(context, made)
    if context.attempt > 1:
        message = f"{context.package.id} was taken back: it was not sound after the run"
        raise CorruptImage(message, hint="`wimdock run log RUN` tells what was found.")
    raise taken_back(context, number)


def taken_back(context: RunContext, number: int) -> GenerationError:
    """Give the error of a run that does not find the generation any more that it has made."""
    message = f"{context.package.id} is not in generation {number} any more, which the run made"
    hint = "Another program or a person took it back, or changed it."
    return GenerationError(message, hint=hint)


def verified(context: RunContext, made: Generation) -> dict[str, Any]:
    """Verify the file, whose generation `made` the run has committed; as `do`."""
    with Archive.open(context.file) as archive:
        found = verify(archive, context.reporter)
    if found.sound:
        return {
            "bytes": found.size,
            "resources": found.resources,
            "warnings": found.count("warning"),
        }
    first = next(each for each in found.findings if each.severity == "error")
    message = f"{context.package.id} is not sound after the run: {first.text}"
    with context.site.reading() as session:  # a cancelled run takes it back all the same
        check_lease(session, context.run.id, context.token)
    try:
        rollback(context.file, made.number - 1)
    except WimdockError as error:
        message = f"{message}; it could not be taken back: {error.message}"
        hint = f"Take it back: wimdock image rollback {context.package.id}."
        raise CorruptImage(message, hint=hint) from error
    context.reporter.message(f"taken back to generation {made.number - 1}", Severity.WARNING)
    raise CorruptImage(
        message,
        hint="It was taken back to what it was; `wimdock verify` shows whether it was sound then.",
    )
