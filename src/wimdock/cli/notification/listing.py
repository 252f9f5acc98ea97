"""`wimdock notification list`: what was sent, what waits, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import Notification

_STATES = ("waiting", "sent", "given up")
_EXAMPLES = examples(
    "wimdock notification list",
    "wimdock notification list --state waiting",
    "wimdock notification list --state 'given up' --json",
)


@click.command("list", epilog=_EXAMPLES)
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option(
    "--last", type=Number(1), default=50, show_default=True, help="How many of the newest."
)
@site_options
@json_option
def list_(*, state: str | None, last: int, place: SitePlace, as_json: bool) -> None:
    """List what was and is to be sent, the newest first.

    What could not be sent waits, longer each time, and is given up after 20 tries, three days.
    """
    from wimdock.site.models import NotificationState
    from wimdock.site.notifications import outbox

    with place.opened() as site:
        found = outbox(site, state=NotificationState(state) if state else None, limit=last)
    if as_json:
        print_document("notifications", {"notifications": [content_of(row) for row in found]})
        return
    if not found:
        print_text("There is no such notification.")
        return
    columns = (
        Column("number", right=True),
        "target",
        "event",
        Column("run", right=True),
        "state",
        Column("tries", right=True),
        "made",
        "next try",
        "what went wrong",
    )
    print_summary(
        columns,
        [
            (
                row.id,
                row.target,
                row.event,
                row.run_id,
                row.state.value,
                row.attempts,
                moment(row.created_at),
                moment(row.next_try_at) if row.state is NotificationState.WAITING else "",
                row.error,
            )
            for row in found
        ],
    )


def content_of(row: Notification) -> dict[str, Any]:
    """Give what JSON documents say of a notification."""
    waits = row.state.value == "waiting"
    return {
        "number": row.id,
        "id": row.body["id"],
        "target": row.target,
        "event": row.event,
        "run": row.run_id,
        "attempt_of_run": row.attempt_of_run,
        "state": row.state.value,
        "tries": row.attempts,
        "created": row.created_at,
        "sent": row.sent_at,
        "next_try": row.next_try_at if waits else None,
        "error": row.error or None,
        "notice": row.body,
    }
