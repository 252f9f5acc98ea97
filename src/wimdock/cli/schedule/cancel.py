"""`wimdock schedule cancel`: the runs of a schedule, cancelled."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.run.listing import run_content
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock schedule cancel 16777217")


@click.command(epilog=_EXAMPLES)
@click.argument("schedule_id", type=Number(1), metavar="SCHEDULE")
@site_options
@json_option
def cancel(*, schedule_id: int, place: SitePlace, as_json: bool) -> None:
    """Cancel the runs of a schedule that wait or are under way: their images stay as they were.

    The schedule itself is due again as before: `wimdock schedule disable` switches it off.
    """
    from wimdock.site.schedules.by_hand import cancel_schedule, runs_of

    with place.opened() as site:
        runs = runs_of(site, cancel_schedule(site, schedule_id))
    if as_json:
        print_document("runs", {"runs": [run_content(run) for run in runs]})
        return
    if not runs:
        print_text(f"schedule {schedule_id} has no run that waits or is under way")
    for run in runs:
        what = "is cancelled" if run.state.ended else "is being stopped"
        print_text(f"run {run.id} of {run.package_id} {what}")
