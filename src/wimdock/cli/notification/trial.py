"""`wimdock notification test`: a trial, sent at once."""

from __future__ import annotations

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock notification test ops", "wimdock notification test people --json")


@click.command(epilog=_EXAMPLES)
@click.argument("target", metavar="TARGET")
@site_options
@json_option
def test(*, target: str, place: SitePlace, as_json: bool) -> None:
    """Send a trial to a target, now and once.

    It goes the way that every notification goes, with the event "test". What is wrong is told; the
    trial is not tried again.
    """
    from wimdock.site.notifications import send_trial

    with place.opened() as site:
        found, note = send_trial(site, target)
    if as_json:
        content = {"target": found.name, "kind": found.kind, "note": note or None}
        print_document("notification_test", content)
        return
    print_text(f"{visible(found.name)} has taken it" + (f"; {visible(note)}" if note else ""))
