"""Preflight: whether the file is what the site knows, and whether anything would stop the run.

Idempotent: it reads the file, and the site's record of it is made anew where it is another.
"""

from __future__ import annotations

import time
from typing import Any

from wimdock.configmgr import Provider
from wimdock.errors import ImageBusy, RunRefused
from wimdock.servicing.preflight.check import Result
from wimdock.servicing.preflight.image_file import USE
from wimdock.servicing.preflight.run import PreflightOptions, preflight
from wimdock.site.images.reading import refresh
from wimdock.site.messages import phases
from wimdock.site.steps.context import RunContext

_PATIENCE = 60.0
_PAUSE = 1.0


def do(context: RunContext) -> dict[str, Any]:
    """Look at everything; ImageBusy where somebody writes the file, RunRefused for the rest."""
    phases.processing_image(context.log, context.package.id, str(context.file))
    refreshed = refresh(context.site, context.package.id, context.reporter)
    options = PreflightOptions(
        indexes=tuple(context.run.indexes), hosts=(Provider("wimdock", None),)
    )
    until = time.monotonic() + patience(context)
    while True:
        report = preflight(context.file, options, context.world())
        failed = [check for check in report.checks if check.result is Result.FAILED]
        busy = [check for check in failed if check.name == USE[0]]
        if not busy or time.monotonic() > until:
            break
        time.sleep(_PAUSE)
    if len(failed) > len(busy):
        check = next(each for each in failed if each not in busy)
        message = f"{context.package.id}: {check.reason.rstrip('.')}"
        raise RunRefused(message, hint=check.remedy)
    if busy:
        holder = busy[0].details[0] if busy[0].details else "another program"
        message = f"{context.file} is in use: {holder}"
        raise ImageBusy(message)
    return {
        "reloaded": refreshed.changed,
        "checks": {
            result.value: sum(check.result is result for check in report.checks)
            for result in Result
        },
    }


def patience(context: RunContext) -> float:
    """Give for how many seconds to wait for the file's lock.

    A run that was taken over may meet the last of its former worker, which ends by itself.
    """
    return _PATIENCE if context.run.attempt > 1 or context.attempt > 1 else 0.0
