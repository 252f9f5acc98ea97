"""`wimdock distribution enable`, `disable` and `follow`: how a point is used."""

from __future__ import annotations

import click

from wimdock.cli.distribution.document import placed_content, point_content, print_point
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document
from wimdock.cli.site_options import SitePlace, site_options


@click.command(epilog=examples("wimdock distribution enable hamburg"))
@click.argument("name", metavar="POINT")
@site_options
@json_option
def enable(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Send to a distribution point again.

    What was asked for meanwhile is sent by `wimdock serve`, or by `wimdock distribution update`. A
    folder that belongs to the site that this one was restored from is taken over.
    """
    _change(place, name, "enabled", as_json=as_json, enabled=True)


@click.command(epilog=examples("wimdock distribution disable hamburg"))
@click.argument("name", metavar="POINT")
@site_options
@json_option
def disable(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Send nothing more to a distribution point.

    What it holds stays. A transfer that is under way goes on to its end.
    """
    _change(place, name, "disabled", as_json=as_json, enabled=False)


@click.command(
    epilog=examples(
        "wimdock distribution follow hamburg", "wimdock distribution follow hamburg --off"
    )
)
@click.argument("name", metavar="POINT")
@click.option("--off", is_flag=True, help="Let it not follow any more.")
@site_options
@json_option
def follow(*, name: str, off: bool, place: SitePlace, as_json: bool) -> None:
    """Let a distribution point get every new state by itself.

    Of the image packages that it holds, whatever made the new state: a run whose schedule does not
    update distribution points, too, or another program.
    """
    _change(place, name, "follows no more" if off else "follows", as_json=as_json, follow=not off)


def _change(
    place: SitePlace,
    name: str,
    told: str,
    *,
    as_json: bool,
    enabled: bool | None = None,
    follow: bool | None = None,
) -> None:
    from wimdock.site.distribution import change_point, placed

    with place.opened() as site:
        point = change_point(site, name, enabled=enabled, follow=follow)
        with site.reading() as session:
            found = placed(session, points=[name])
    if as_json:
        contents = [placed_content(each) for each in found]
        content = {"point": point_content(point), "contents": contents}
        print_document("distribution_point", content)
        return
    print_point(point, told)
