"""What wimdock itself would make of the updates: a dry run of servicing, told as checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from wimdock.servicing.options import ServiceOptions, Surroundings
from wimdock.servicing.outcome import Outcome, UpdateResult
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.service import service

NAME = "wimdock-plan"
TITLE = "wimdock's plan"

_GOOD = (Outcome.PLANNED, Outcome.ALREADY_INSTALLED)


def check_own_plan(
    image: Path, updates: Sequence[Path], indexes: tuple[int, ...], world: Surroundings
) -> Iterator[Check]:
    """Plan the updates for the images as `wimdock service` would, and write nothing."""
    options = ServiceOptions(
        indexes=indexes, dry_run=True, continue_on_error=True, allow_unsigned=True
    )
    report = service(image, updates, options, world)
    for result in report.results:
        yield _check(result, catalogued=report.catalogued.get(result.update, True))


def _check(result: UpdateResult, *, catalogued: bool) -> Check:
    found, reason, remedy = Result.PASSED, "wimdock would put it in.", ""
    details: tuple[str, ...] = ()
    if result.outcome is Outcome.ALREADY_INSTALLED:
        reason = "it is installed already: wimdock would pass it over."
    elif result.outcome not in _GOOD:
        code = "" if result.hresult is None else f" (0x{result.hresult:08X})"
        found = Result.WARNING if result.outcome is Outcome.SUPERSEDED else Result.FAILED
        reason = f"wimdock would not put it in: {result.reason.rstrip('.')}{code}."
        remedy = result.error.hint if result.error else ""
        details = () if result.error is None else result.error.reasons
    elif not catalogued:
        found, reason = Result.WARNING, "no catalog covers it: wimdock takes it when told to."
        remedy = "Give --allow-unsigned when you service, if you made the update yourself."
    return Check(
        NAME,
        TITLE,
        found,
        reason,
        remedy,
        index=result.index,
        update=result.update.name,
        details=details,
    )
