"""`wimdock image history`: what was done to an image package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import Column, duration, moment, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.models import History

_EXAMPLES = examples(
    "wimdock image history CAS00001", "wimdock image history CAS00001 --last 5 --json"
)


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@click.option(
    "--last", type=Number(1), default=50, show_default=True, help="How many of the newest."
)
@site_options
@json_option
def history(*, package_id: str, last: int, place: SitePlace, as_json: bool) -> None:
    """Show what was done to an image package, the newest first.

    Each run with its generation, updates, result, operator and duration; and what was done by hand.
    An image package that was removed keeps its history.
    """
    from wimdock.site.messages import history_of

    package_id = package_id.upper()
    with place.opened() as site:
        found = history_of(site, package_id, last)
    if as_json:
        content = {"image_package": package_id, "history": list(map(history_content, found))}
        print_document("image_history", content)
        return
    if not found:
        print_text(f"Nothing was done to {package_id} yet.")
        return
    print_history(found)


def print_history(found: Sequence[History]) -> None:
    """Print entries of a history as a table."""
    columns = (
        "time",
        "what",
        "result",
        Column("generation", right=True),
        Column("run", right=True),
        Column("took", right=True),
        "operator",
        "details",
    )
    print_summary(
        columns,
        [
            (
                moment(each.at),
                each.action,
                each.result,
                each.generation,
                each.run_id,
                duration(each.seconds) if each.seconds else "",
                each.operator,
                _updates(each) or each.detail,
            )
            for each in found
        ],
    )


def _updates(entry: History) -> str:
    """Give the updates of an entry in a few words."""
    return ", ".join(f"{each['title']}: {each['result']}" for each in entry.updates)


def history_content(entry: History) -> dict[str, Any]:
    """Give what JSON documents say of an entry."""
    return {
        "time": entry.at,
        "action": entry.action,
        "result": entry.result,
        "generation": entry.generation,
        "run": entry.run_id,
        "operator": entry.operator,
        "seconds": entry.seconds,
        "updates": entry.updates,
        "detail": entry.detail,
    }
