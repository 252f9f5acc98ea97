"""`wimdock schedule run-now`: the runs of a schedule, made now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import count, print_document, print_text
from wimdock.cli.run.listing import run_content
from wimdock.cli.run.watch import print_endings
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import Run
    from wimdock.site.site import Site

_FEW = 10
_EXAMPLES = examples(
    "wimdock schedule run-now 16777217", "wimdock schedule run-now 16777217 --wait"
)


@click.command("run-now", epilog=_EXAMPLES)
@click.argument("schedule_id", type=Number(1), metavar="SCHEDULE")
@click.option("--wait", is_flag=True, help="Wait until the runs have ended.")
@site_options
@json_option
def run_now(*, schedule_id: int, wait: bool, place: SitePlace, as_json: bool) -> int:
    """Make the runs of a schedule now, whatever its window says.

    When it is due next stays as it is. With --wait, a site without workers executes them in this
    process; the exit status is that of the first run that did not succeed.
    """
    from wimdock.site.schedules.by_hand import run_now as make_runs
    from wimdock.site.schedules.by_hand import runs_of

    with place.opened() as site:
        ids = make_runs(site, schedule_id)
        if wait:
            return print_endings(wait_for(site, ids), as_json=as_json)
        runs = runs_of(site, ids)
    if as_json:
        print_document("runs", {"runs": [run_content(run) for run in runs]})
    else:
        print_text(tell_runs(runs))
    return 0


def wait_for(site: Site, ids: Sequence[int]) -> list[Run]:
    """Wait until runs have ended, with what happens in them on stderr."""
    from wimdock.cli.terminal import Terminal
    from wimdock.engine.waiting import wait_for_runs
    from wimdock.events import Reporter

    with Terminal() as terminal:
        return wait_for_runs(site, ids, Reporter(terminal))


def tell_runs(runs: Sequence[Run]) -> str:
    """Say which runs were made."""
    if len(runs) > _FEW:
        return f"{count(len(runs), 'run')} wait: {runs[0].id} to {runs[-1].id}"
    return "\n".join(f"run {run.id} of {run.package_id} waits" for run in runs)
