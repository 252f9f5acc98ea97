"""`wimdock notification targets`: who hears of what, without any secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.settings import Target

_EXAMPLES = examples("wimdock notification targets", "wimdock notification targets --json")


@click.command(epilog=_EXAMPLES)
@site_options
@json_option
def targets(*, place: SitePlace, as_json: bool) -> None:
    """List who hears of what, as the settings say.

    Of a webhook only the host is shown: its address often is a secret.
    """
    with place.opened() as site:
        found = [_content(each) for each in site.settings.notification]
    if as_json:
        print_document("notification_targets", {"targets": found})
        return
    if not found:
        print_text("The settings name nobody: docs/guide/notifications.md says how.")
        return
    columns = ("target", "kind", "hears of", "at")
    print_summary(
        columns,
        [
            (
                each["name"],
                each["kind"],
                ", ".join(each["events"]),
                each["host"] or ", ".join(each["to"]),
            )
            for each in found
        ],
    )


def _content(target: Target) -> dict[str, Any]:
    return {
        "name": target.name,
        "kind": target.kind,
        "events": list(target.events),
        "host": urlsplit(target.url).hostname if target.kind == "webhook" else None,
        "to": list(target.to),
    }
