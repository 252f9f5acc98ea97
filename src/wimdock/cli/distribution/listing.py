"""`wimdock distribution list` and `show`: the points of a site."""

from __future__ import annotations

import click

from wimdock.cli.distribution.document import (
    placed_content,
    point_content,
    print_placed,
    print_points,
)
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, size
from wimdock.cli.site_options import SitePlace, site_options

_LIST_EXAMPLES = examples("wimdock distribution list", "wimdock distribution list --json")
_SHOW_EXAMPLES = examples(
    "wimdock distribution show hamburg", "wimdock distribution show hamburg --json"
)


@click.command("list", epilog=_LIST_EXAMPLES)
@site_options
@json_option
def list_(*, place: SitePlace, as_json: bool) -> None:
    """List the distribution points.

    No point is asked: the list says how each was when it was last used, and when one that is down
    is tried again.
    """
    from wimdock.site.distribution import all_points

    with place.opened() as site, site.reading() as session:
        found = all_points(session)
    if as_json:
        print_document("distribution_points", {"points": [point_content(each) for each in found]})
        return
    if not found:
        print_text("There is no distribution point: `wimdock distribution add` adds one.")
        return
    print_points(found)


@click.command(epilog=_SHOW_EXAMPLES)
@click.argument("name", metavar="POINT")
@site_options
@json_option
def show(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Show a distribution point and what it holds."""
    from wimdock.site.distribution import placed, point_of

    with place.opened() as site, site.reading() as session:
        point = point_of(session, name)
        found = placed(session, points=[name])
    if as_json:
        contents = [placed_content(each) for each in found]
        content = {"point": point_content(point), "contents": contents}
        print_document("distribution_point", content)
        return
    print_points([point])
    print_text()
    print_text(f"{size(point.sent)} were sent to it in all.")
    if found:
        print_placed(found)
    else:
        print_text("It holds no image package.")
