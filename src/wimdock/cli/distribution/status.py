"""`wimdock distribution status`: which image package is where."""

from __future__ import annotations

import click

from wimdock.cli.distribution.document import placed_content, print_placed
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock distribution status", "wimdock distribution status CAS00001 --point hamburg --json"
)


@click.command(epilog=_EXAMPLES)
@click.argument("packages", nargs=-1, metavar="[ID]...")
@click.option(
    "--point",
    "points",
    multiple=True,
    metavar="POINT",
    help="Only at this distribution point; may be given several times.",
)
@site_options
@json_option
def status(
    *, packages: tuple[str, ...], points: tuple[str, ...], place: SitePlace, as_json: bool
) -> None:
    """Show which image package is where.

    Of all, or of those that are named: the version that the point holds and the newest one, when
    what is there was last verified, and what went wrong. No point is asked.
    """
    from wimdock.site.distribution import placed, point_of
    from wimdock.site.images.records import package_of

    with place.opened() as site, site.reading() as session:
        ids = [package_of(session, each, removed=True).id for each in packages]
        names = [point_of(session, each).name for each in points]
        found = placed(session, package_ids=ids, points=names)
    if as_json:
        content = {"contents": [placed_content(each) for each in found]}
        print_document("distribution_contents", content)
        return
    if not found:
        print_text("No image package is at a distribution point: `wimdock distribution send`.")
        return
    print_placed(found)
