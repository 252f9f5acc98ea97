"""`wimdock run list`: the runs of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, duration, moment, print_document, print_text, size
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import Run, RunState

_STATES = (
    "queued",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "timed out",
    "image locked",
    "refused",
    "missed",
)
_EXAMPLES = examples(
    "wimdock run list",
    "wimdock run list --state failed --image CAS00001",
    "wimdock run list --json",
)


@click.command("list", epilog=_EXAMPLES)
@click.option(
    "--state",
    "states",
    type=click.Choice(_STATES),
    multiple=True,
    help="Only runs in this state; may be given several times.",
)
@click.option("--image", "package_id", metavar="ID", help="Only runs of this image package.")
@click.option("--schedule", "schedule_id", type=Number(1), help="Only runs of this schedule.")
@click.option(
    "--last", type=Number(1), default=50, show_default=True, help="How many of the newest."
)
@site_options
@json_option
def list_(
    *,
    states: tuple[str, ...],
    package_id: str | None,
    schedule_id: int | None,
    last: int,
    place: SitePlace,
    as_json: bool,
) -> None:
    """List runs, the newest first."""
    from wimdock.site.models import RunState
    from wimdock.site.runs.listing import RunFilter, list_runs

    chosen = tuple(RunState(state) for state in states)
    with place.opened() as site:
        found = list_runs(site, RunFilter(chosen, package_id, schedule_id, last))
    if as_json:
        print_document("runs", {"runs": [run_content(run) for run in found]})
        return
    if not found:
        print_text("There is no such run.")
        return
    columns = (
        Column("run", right=True),
        "image package",
        Column("schedule", right=True),
        "state",
        "step",
        "started",
        Column("took", right=True),
        Column("generation", right=True),
        Column("added", right=True),
    )
    print_summary(
        columns,
        [
            (
                run.id,
                run.package_id,
                run.schedule_id or "",
                run.state.value,
                run.step.value if run.step and not run.state.ended else "",
                moment(run.started_at),
                _took(run),
                run.generation,
                size(run.added) if run.added else "",
            )
            for run in found
        ],
    )


def _took(run: Run) -> str:
    if run.started_at is None or run.ended_at is None:
        return ""
    return duration(max((run.ended_at - run.started_at).total_seconds(), 0.0))


def run_content(run: Run) -> dict[str, Any]:
    """Give what JSON documents say of a run."""
    return {
        "id": run.id,
        "schedule": run.schedule_id,
        "image_package": run.package_id,
        "instant": run.instant,
        "state": run.state.value,
        "progress_status": _progress(run.state),
        "step": run.step.value if run.step else None,
        "queue": run.queue,
        "priority": run.priority,
        "indexes": run.indexes,
        "updates": run.update_ids,
        "options": run.options,
        "attempt": run.attempt,
        "failures": run.failures,
        "not_before": run.not_before,
        "begin_before": run.begin_before,
        "worker": run.worker_id,
        "cancel_requested": run.cancel_requested_at,
        "cancelled_by": run.cancelled_by,
        "created": run.created_at,
        "created_by": run.created_by,
        "started": run.started_at,
        "ended": run.ended_at,
        "generation": run.generation,
        "added_bytes": run.added,
        "retry_of": run.retry_of,
        "error": _error(run),
    }


def _progress(state: RunState) -> int | None:
    """Give Configuration Manager's ProgressStatus; None for a run that waits."""
    from wimdock.configmgr.image_servicing import ProgressStatus
    from wimdock.site.models import RunState

    if state is RunState.QUEUED:
        return None
    known = {RunState.RUNNING: ProgressStatus.RUNNING, RunState.SUCCEEDED: ProgressStatus.SUCCESS}
    return int(known.get(state, ProgressStatus.FAILED))


def _error(run: Run) -> dict[str, Any] | None:
    if not run.error:
        return None
    hresult = run.error.get("hresult")
    return {
        "type": run.error["class"],
        "message": run.error["message"],
        "what_to_do": run.error["hint"],
        "exit_code": run.error["exit_code"],
        "hresult": None if hresult is None else f"0x{hresult:08X}",
        "win32": run.error["win32"],
        "reasons": run.error.get("reasons", []),
    }
