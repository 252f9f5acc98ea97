"""`wimdock distribution verify`: every byte at a point, read and compared."""

from __future__ import annotations

import sys

import click

from wimdock.cli.distribution.document import error_content
from wimdock.cli.failure import failures
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock distribution verify hamburg", "wimdock distribution verify hamburg CAS00001 --json"
)


@click.command(epilog=_EXAMPLES)
@click.argument("point", metavar="POINT")
@click.argument("packages", nargs=-1, metavar="[ID]...")
@site_options
@json_option
def verify(*, point: str, packages: tuple[str, ...], place: SitePlace, as_json: bool) -> int:
    """Read all that a distribution point holds.

    The SHA-256 of each file there, or of those that are named, is compared with that of the same
    state at the source. What is damaged or was changed is sent again as a whole, by
    `wimdock distribution update` or by itself.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.distribution import verify_point
    from wimdock.site.images.records import package_of

    with place.opened() as site, Terminal() as terminal:
        with site.reading() as session:
            ids = [package_of(session, each, removed=True).id for each in packages]
        done = verify_point(site, point, ids, Reporter(terminal))
    failed = [failure for each in done if each.error for failure in failures(each.error)]
    for failure in failed:
        for line in failure.lines():
            sys.stderr.write(line + "\n")
    if as_json:
        content = {
            "point": point,
            "verified": [
                {
                    "image_package": each.package_id,
                    "as_sent": each.error is None,
                    "length": each.length or None,
                    "sha256": each.sha256 or None,
                    "error": error_content(each.error),
                }
                for each in done
            ],
        }
        print_document("distribution_verified", content)
    else:
        if not done:
            print_text("It holds no image package.")
        for each in done:
            words = f"as it was sent, {size(each.length)}, SHA-256 {each.sha256}"
            print_text(visible(f"{each.package_id}: {'NOT as sent' if each.error else words}"))
    return failed[0].exit_code if failed else 0
