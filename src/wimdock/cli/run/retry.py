"""`wimdock run retry`: a run that has ended, made anew."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.run.listing import run_content
from wimdock.cli.run.watch import print_endings
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.terminal import Terminal

_EXAMPLES = examples("wimdock run retry 12", "wimdock run retry 12 --wait")


@click.command(epilog=_EXAMPLES)
@click.argument("run_id", type=Number(1), metavar="RUN")
@click.option("--wait", is_flag=True, help="Wait until the new run has ended.")
@site_options
@json_option
def retry(*, run_id: int, wait: bool, place: SitePlace, as_json: bool) -> int:
    """Make a run anew that has ended: the same updates, for the same images."""
    from wimdock.events import Reporter
    from wimdock.site.runs.cancel import retry_run

    with place.opened() as site:
        run = retry_run(site, run_id)
        if wait:
            from wimdock.engine.waiting import wait_for_runs

            with Terminal() as terminal:
                ended = wait_for_runs(site, [run.id], Reporter(terminal))
            return print_endings(ended, as_json=as_json)
    if as_json:
        print_document("runs", {"runs": [run_content(run)]})
    else:
        print_text(f"run {run.id} does again what run {run_id} was to do")
    return 0
