"""`wimdock status list`: the newest status messages of a site."""

from __future__ import annotations

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.status.options import Chosen, filter_options, message_content, severity_word

_EXAMPLES = examples(
    "wimdock status list",
    "wimdock status list --severity error --severity warning --since 24h",
    "wimdock status list --id 42001 --image CAS00001 --last 5 --json",
)


@click.command("list", epilog=_EXAMPLES)
@filter_options
@click.option(
    "--last", type=Number(1), default=50, show_default=True, help="How many of the newest."
)
@site_options
@json_option
def list_(*, chosen: Chosen, last: int, place: SitePlace, as_json: bool) -> None:
    """List status messages, the newest first.

    Only those are listed that fit all options; docs/reference/status-messages.md has the IDs.
    """
    from wimdock.site.messages import text_of
    from wimdock.site.messages.listing import list_messages

    with place.opened() as site:
        found = list_messages(site, chosen.filter_for(site), last)
    if as_json:
        content = {"messages": [message_content(row) for row in found]}
        print_document("status_messages", content)
        return
    if not found:
        print_text("There is no such status message.")
        return
    columns = (Column("number", right=True), "time", "severity", Column("id", right=True), "what")
    print_summary(
        columns,
        [
            (row.id, moment(row.at), severity_word(row), row.message_id, text_of(row))
            for row in found
        ],
    )
