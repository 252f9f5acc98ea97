"""`wimdock distribution remove`: a point that is used no more."""

from __future__ import annotations

import click

from wimdock.cli.distribution.document import point_content, print_point
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock distribution remove hamburg", "wimdock distribution remove hamburg --forget"
)


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="POINT")
@click.option("--forget", is_flag=True, help="Though it holds image packages: they stay there.")
@site_options
@json_option
def remove(*, name: str, forget: bool, place: SitePlace, as_json: bool) -> None:
    """Remove a distribution point.

    It must be there and hold no image packages. With --forget neither matters: whatever is there
    stays, and nobody keeps it current any more.
    """
    from wimdock.site.distribution import remove_point

    with place.opened() as site:
        point = remove_point(site, name, forget=forget)
    if as_json:
        print_document("distribution_point", {"point": point_content(point), "contents": []})
        return
    print_point(point, "removed")
