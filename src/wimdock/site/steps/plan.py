"""Plan: what every update would do in every image. Idempotent: nothing is written."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import service
from wimdock.site.messages import phases
from wimdock.site.steps.context import RunContext, StepFailedError
from wimdock.site.steps.results import status_of
from wimdock.site.steps.servicing_run import results_in, service_options, update_files
from wimdock.wim import Archive

_LOW_WORD = 0xFFFF
"""Configuration Manager's log tells of an HRESULT its low word."""


def do(context: RunContext) -> dict[str, Any]:
    """Plan all; the first update that fails ends the run, unless it goes on despite errors."""
    files = update_files(context)
    if not files:
        return {"results": []}
    state = state_of(context.file)
    options = service_options(context, dry_run=True, continue_on_error=True)
    report = service(context.file, list(files), options, context.world())
    results = results_in(report, files)
    _tell(context, results)
    failed = [each for each in report.results if each.outcome is Outcome.FAILED]
    for each in failed:
        phases.update_failed(context.log, files[each.update], (each.hresult or 0) & _LOW_WORD)
    if failed and failed[0].error and not context.option("continue_on_error"):
        raise StepFailedError(failed[0].error, {"results": results})
    return {"results": results, "state": state}


def state_of(file: Path) -> str:
    """Give a name for the state that a file is in: another header has another one."""
    with Archive.open(file) as archive:
        return hashlib.sha256(archive.raw_header).hexdigest()


def _tell(context: RunContext, results: list[dict[str, Any]]) -> None:
    """Write the lines of the checks into the log, as Configuration Manager does."""
    names = {update.id: update.file_name for update in context.updates}
    numbers = {update.id: number for number, update in enumerate(context.updates, start=1)}
    for each in results:
        update_id = each["update"]
        phases.checking_update(context.log, numbers[update_id], len(names), update_id)
        status = status_of(each["outcome"], each["hresult"])
        phases.applicability(context.log, status.value, names[update_id])
