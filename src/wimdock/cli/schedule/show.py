"""`wimdock schedule show`: one schedule, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text
from wimdock.cli.schedule.document import details_content
from wimdock.cli.schedule.text import tell_schedule
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.schedules.explain import ScheduleDetails

_EXAMPLES = examples(
    "wimdock schedule show 16777217", "wimdock schedule show 16777217 --last 100 --json"
)


@click.command(epilog=_EXAMPLES)
@click.argument("schedule_id", type=Number(1), metavar="SCHEDULE")
@click.option(
    "--last",
    type=Number(0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many of the newest instants that are over.",
)
@site_options
@json_option
def show(*, schedule_id: int, last: int, place: SitePlace, as_json: bool) -> None:
    """Show a schedule, its schedule token where one can say it, and what became of its instants."""
    from wimdock.site.schedules.explain import details_of

    with place.opened() as site:
        found = details_of(site, schedule_id, last)
    if as_json:
        print_document("schedule", details_content(found))
        return
    tell_schedule(found.schedule, token=found.token)
    if found.occurrences:
        print_text()
        _print_occurrences(found)


def _print_occurrences(found: ScheduleDetails) -> None:
    rows = [(moment(each.instant), each.outcome.value, each.reason) for each in found.occurrences]
    print_summary(("due", "what became of it", "why"), rows)
