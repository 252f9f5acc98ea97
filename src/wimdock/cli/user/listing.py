"""`wimdock user list`: the users of a site."""

from __future__ import annotations

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.user.document import user_content

_EXAMPLES = examples("wimdock user list", "wimdock user list --json")


@click.command("list", epilog=_EXAMPLES)
@site_options
@json_option
def list_(*, place: SitePlace, as_json: bool) -> None:
    """List the users, with how many of their tokens can be used."""
    from wimdock.site.people import list_users

    with place.opened() as site:
        found = list_users(site)
    if as_json:
        users = [user_content(each.user) | {"usable_tokens": each.tokens} for each in found]
        print_document("users", {"users": users})
        return
    if not found:
        print_text("There is no user: `wimdock user add` adds one.")
        return
    columns = ("name", "role", Column("tokens", right=True), "added", "disabled", "mail")
    print_summary(
        columns,
        [
            (
                each.user.name,
                each.user.role.value,
                each.tokens,
                moment(each.user.created_at),
                moment(each.user.disabled_at),
                each.user.mail,
            )
            for each in found
        ],
    )
