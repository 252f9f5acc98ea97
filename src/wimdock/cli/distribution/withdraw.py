"""`wimdock distribution withdraw`: image packages taken from a point."""

from __future__ import annotations

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock distribution withdraw CAS00001 --from hamburg")


@click.command(epilog=_EXAMPLES)
@click.argument("packages", nargs=-1, required=True, metavar="ID...")
@click.option("--from", "point", required=True, metavar="POINT", help="The distribution point.")
@site_options
@json_option
def withdraw(*, packages: tuple[str, ...], point: str, place: SitePlace, as_json: bool) -> None:
    """Take image packages from a distribution point.

    The files there are deleted; the image package itself stays. Where the point fails that is done
    later, by `wimdock serve` or a worker.
    """
    from wimdock.site.distribution import withdraw as take_away
    from wimdock.site.images.records import package_of

    with place.opened() as site:
        with site.reading() as session:
            ids = [package_of(session, each, removed=True).id for each in packages]
        take_away(site, ids, point)
    if as_json:
        print_document("distribution_withdrawn", {"point": point, "image_packages": ids})
        return
    for package_id in ids:
        print_text(f"{package_id}: withdrawn from {visible(point)}")
