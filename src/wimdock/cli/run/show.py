"""`wimdock run show`: one run, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import (
    Column,
    duration,
    moment,
    print_document,
    print_text,
    size,
    visible,
)
from wimdock.cli.run.listing import run_content
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import Run
    from wimdock.site.runs.listing import RunDetails

_EXAMPLES = examples("wimdock run show 12", "wimdock run show 12 --json")


@click.command(epilog=_EXAMPLES)
@click.argument("run_id", type=Number(1), metavar="RUN")
@site_options
@json_option
def show(*, run_id: int, place: SitePlace, as_json: bool) -> None:
    """Show a run: its steps, what became of every update in every image, its error."""
    from wimdock.site.runs.listing import run_details

    with place.opened() as site:
        details = run_details(site, run_id)
    if as_json:
        print_document("run", _content(details))
        return
    _print_head(details.run)
    if details.steps:
        print_text()
        _print_steps(details)
    if details.results:
        print_text()
        _print_results(details)
    error = details.run.error
    if error:
        print_text()
        hresult = error.get("hresult")
        code = "" if hresult is None else f" (0x{hresult:08X})"
        print_text(f"error: {visible(error['message'])}{code}")
        for reason in error.get("reasons", ()):
            print_text(f"  - {visible(reason)}")
        if error["hint"]:
            print_text(f"what to do: {visible(error['hint'])}")


def _content(details: RunDetails) -> dict[str, object]:
    return run_content(details.run) | {
        "steps": [
            {
                "name": step.name.value,
                "state": step.state.value,
                "attempt": step.attempt,
                "token": step.token,
                "started": step.started_at,
                "ended": step.ended_at,
                "result": step.result,
            }
            for step in details.steps
        ],
        "results": [
            {
                "index": each.index,
                "update": each.update_id,
                "title": details.titles.get(each.update_id, ""),
                "package": each.package,
                "update_status": each.status,
                "outcome": each.outcome,
                "reason": each.reason,
                "win32": each.win32,
                "hresult": None if each.hresult is None else f"0x{each.hresult:08X}",
                "added_bytes": each.added,
            }
            for each in details.results
        ],
    }


def _print_head(run: Run) -> None:
    whose = f"schedule {run.schedule_id}" if run.schedule_id else "no schedule"
    print_text(f"run {run.id} of {run.package_id} ({whose}): {run.state.value}")
    lines = (
        ("due", moment(run.instant)),
        ("asked for by", run.created_by),
        ("worker", run.worker_id or ""),
        ("attempt", str(run.attempt) if run.attempt > 1 else ""),
        ("not before", moment(run.not_before)),
        ("begin before", moment(run.begin_before)),
        ("started", moment(run.started_at)),
        ("ended", moment(run.ended_at)),
        ("cancelled by", run.cancelled_by or ""),
        ("generation", str(run.generation) if run.generation else ""),
        ("added", size(run.added) if run.added else ""),
        ("tries again run", str(run.retry_of) if run.retry_of else ""),
    )
    for name, value in lines:
        if value:
            print_text(f"  {name + ':':<17}{visible(value)}")


def _print_steps(details: RunDetails) -> None:
    rows = []
    for step in details.steps:
        took = (
            ""
            if step.ended_at is None
            else duration(max((step.ended_at - step.started_at).total_seconds(), 0.0))
        )
        said = step.error.get("message") or step.result.get("skipped") or ""
        rows.append((step.name.value, step.state.value, took, said))
    print_summary(("step", "state", Column("took", right=True), "what"), rows)


def _print_results(details: RunDetails) -> None:
    columns = (
        Column("image", right=True),
        Column("update", right=True),
        "package",
        "outcome",
        "HRESULT",
        Column("added", right=True),
        "why",
    )
    rows = [
        (
            each.index,
            each.update_id,
            each.package or details.titles.get(each.update_id, ""),
            each.outcome,
            "" if each.hresult is None else f"0x{each.hresult:08X}",
            size(each.added) if each.added else "",
            each.reason,
        )
        for each in details.results
    ]
    print_summary(columns, rows)
