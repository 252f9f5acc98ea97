"""Apply: the updates put into the images, in one transaction.

Idempotent by the run's token, which the generation is recorded with: a run that finds its own
generation in the file has committed, whatever happened to its worker since. The lease is checked
right before the header is written. A crash leaves the image as it was, or with all that was
planned.
"""

from __future__ import annotations

import time
from typing import Any

from wimdock.errors import ImageBusy
from wimdock.events import Severity
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import service
from wimdock.site.messages import phases
from wimdock.site.models import Step, StepName
from wimdock.site.runs.lease import fenced
from wimdock.site.steps import plan
from wimdock.site.steps.context import RunContext
from wimdock.site.steps.plan import state_of
from wimdock.site.steps.preflight import patience
from wimdock.site.steps.servicing_run import (
    brings_something,
    results_in,
    service_options,
    update_files,
)
from wimdock.site.stored_text import storable
from wimdock.wim import Archive
from wimdock.wim.generations import Generation, current_generation, read_generations

_PAUSE = 1.0


def do(context: RunContext) -> dict[str, Any]:
    """Write the images, unless this run has written them or there is nothing to write."""
    planned: list[dict[str, Any]] = context.results[StepName.PLAN]["results"]
    mine = committed_generation(context)
    if mine is not None:
        results = [as_installed(each) for each in planned]
        return _result(results, mine)
    if context.results[StepName.PLAN].get("state", "") not in {"", state_of(context.file)}:
        planned = _plan_again(context)
    if not brings_something(planned):
        return {"results": planned, "generation": None, "added": 0}
    for each in planned:
        if each["outcome"] == Outcome.PLANNED.value:
            phases.applying_update(context.log, each["update"], each["index"])
    files = update_files(context)
    options = service_options(
        context,
        continue_on_error=bool(context.option("continue_on_error")),
        token=context.commit_token,
    )
    until = time.monotonic() + patience(context)
    while True:
        try:
            report = service(context.file, list(files), options, context.world())
            break
        except ImageBusy:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
    made = None if report.commit is None else report.commit.generation
    return _result(results_in(report, files), made)


def _plan_again(context: RunContext) -> list[dict[str, Any]]:
    """Plan for the file as it is now, and keep that in the place of the plan before.

    Somebody has changed it since: another program, or a person while the run waited once more.
    """
    context.reporter.message("the file has changed since the plan: planned anew", Severity.WARNING)
    found = storable(plan.do(context))
    with fenced(context.site, context.run.id, context.token) as session:
        session.get_one(Step, (context.run.id, StepName.PLAN)).result = found
    context.results[StepName.PLAN] = found
    results: list[dict[str, Any]] = found["results"]
    return results


def committed_generation(context: RunContext) -> Generation | None:
    """Give the generation that this run has committed and that the file still builds on."""
    with Archive.open(context.file) as archive:
        recorded = read_generations(archive.path)
        current = current_generation(recorded, archive.raw_header)
    if current is None:
        return None
    return next(
        (
            each
            for each in recorded
            if each.token == context.commit_token
            and (each.number == current.number or (each.committed and each.number < current.number))
        ),
        None,
    )


def as_installed(planned: dict[str, Any]) -> dict[str, Any]:
    """Give what became of an update that was planned, where the run has committed."""
    if planned["outcome"] != Outcome.PLANNED.value:
        return planned
    return planned | {"outcome": Outcome.INSTALLED.value}


def _result(results: list[dict[str, Any]], made: Generation | None) -> dict[str, Any]:
    return {
        "results": results,
        "generation": None if made is None else made.number,
        "added": 0 if made is None else made.added,
    }
