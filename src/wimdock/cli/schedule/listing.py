"""`wimdock schedule list`: the schedules of a site."""

from __future__ import annotations

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text
from wimdock.cli.schedule.document import schedule_content
from wimdock.cli.schedule.text import state_of, targets_in_words
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock schedule list",
    "wimdock schedule list --image CAS00001",
    "wimdock schedule list --json",
)
_COLUMNS = (
    Column("schedule", right=True),
    "name",
    "state",
    "due next",
    "image packages",
    "updates",
    "when",
)


@click.command("list", epilog=_EXAMPLES)
@click.option("--image", "package_id", metavar="ID", help="Only those of this image package.")
@site_options
@json_option
def list_(*, package_id: str | None, place: SitePlace, as_json: bool) -> None:
    """List the schedules of a site."""
    from wimdock.site.schedules.records import list_schedules
    from wimdock.site.schedules.telling import tell

    with place.opened() as site:
        found = list_schedules(site, package_id=package_id)
    if as_json:
        content = {"schedules": [schedule_content(schedule) for schedule in found]}
        print_document("schedules", content)
        return
    if not found:
        print_text("There is no such schedule.")
        return
    rows = []
    for schedule in found:
        told = tell(schedule)
        rows.append(
            (
                schedule.id,
                schedule.name,
                state_of(schedule),
                moment(schedule.next_due),
                targets_in_words(schedule.targets),
                told.selection,
                told.recurrence,
            )
        )
    print_summary(_COLUMNS, rows)
