"""What plan and apply share: the options of servicing, and its results as plain facts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wimdock.servicing.options import ServiceOptions, read_dictionary
from wimdock.servicing.outcome import Outcome, ServiceReport, UpdateResult
from wimdock.site.steps.context import RunContext
from wimdock.site.updates.library import file_of_update


def update_files(context: RunContext) -> dict[Path, int]:
    """Give the files of the updates, in their order, with their IDs."""
    return {file_of_update(context.site, update): update.id for update in context.updates}


def service_options(context: RunContext, **others: Any) -> ServiceOptions:
    """Give the options of servicing that the run asks for."""
    return ServiceOptions(
        indexes=tuple(context.run.indexes),
        allow_unsigned=bool(context.option("allow_unsigned")),
        on_copy=bool(context.option("on_copy")),
        dictionary=read_dictionary(None),
        only_applicable=True,
        **others,
    )


def results_in(report: ServiceReport, files: dict[Path, int]) -> list[dict[str, Any]]:
    """Give one plain record for every update in every image."""
    return [_record(result, files[result.update]) for result in report.results]


def _record(result: UpdateResult, update_id: int) -> dict[str, Any]:
    return {
        "index": result.index,
        "update": update_id,
        "package": result.package,
        "outcome": result.outcome.value,
        "reason": result.reason,
        "hresult": result.hresult,
        "added": result.added,
    }


def brings_something(results: list[dict[str, Any]]) -> bool:
    """Tell whether there is anything to apply."""
    return any(each["outcome"] == Outcome.PLANNED.value for each in results)
