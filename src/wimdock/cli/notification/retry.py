"""`wimdock notification retry`: what could not be sent, tried again at once."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import count, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock notification retry", "wimdock notification retry 12 13")


@click.command(epilog=_EXAMPLES)
@click.argument("numbers", nargs=-1, type=Number(1), metavar="[NUMBER]...")
@site_options
@json_option
def retry(*, numbers: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Try again what could not be sent, now.

    Without a NUMBER: all that was given up, and all that waits after a try that failed. They get
    all their tries anew; what else is due is sent along with them.
    """
    from wimdock.site.notifications import send_now, try_again

    with place.opened() as site:
        again = try_again(site, numbers)
        done = send_now(site)
    if as_json:
        content = {"numbers": again, "sent": done.sent, "failed": done.failed}
        print_document("notification_retry", content)
        return
    print_text(f"{count(len(again), 'notification')} to be tried again; {done.sent} sent")
    if done.failed:
        print_text(
            f"{count(done.failed, 'target')} did not take it: `wimdock notification list` says why"
        )
