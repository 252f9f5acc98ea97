"""`wimdock user disable` and `enable`: users let in no more, or again."""

from __future__ import annotations

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.user.document import user_content


@click.command(epilog=examples("wimdock user disable anna", "wimdock user disable anna berta"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@site_options
@json_option
def disable(*, names: tuple[str, ...], place: SitePlace, as_json: bool) -> None:
    """Let users in no more: all that are named, or none.

    Their tokens do not work until they are enabled again. What they did keeps their names.
    """
    _set(place, names, enabled=False, as_json=as_json)


@click.command(epilog=examples("wimdock user enable anna"))
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@site_options
@json_option
def enable(*, names: tuple[str, ...], place: SitePlace, as_json: bool) -> None:
    """Let users in again: all that are named, or none."""
    _set(place, names, enabled=True, as_json=as_json)


def _set(place: SitePlace, names: tuple[str, ...], *, enabled: bool, as_json: bool) -> None:
    from wimdock.site.people import set_enabled

    with place.opened() as site:
        users = set_enabled(site, names, enabled=enabled)
    if as_json:
        print_document("user_change", {"users": [user_content(user) for user in users]})
        return
    for user in users:
        print_text(f"user {user.name} is {'enabled' if enabled else 'disabled'}")
