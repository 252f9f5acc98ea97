"""`wimdock user add`: a user added."""

from __future__ import annotations

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.user.document import user_content

_ROLES = ("administrator", "operator", "reader")
_EXAMPLES = examples(
    "wimdock user add anna --role administrator --mail anna@example.org",
    "wimdock user add build-server --role operator",
)


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME")
@click.option(
    "--role",
    type=click.Choice(_ROLES),
    required=True,
    help="What the user is to be let do, by a server that is to come; checked nowhere yet.",
)
@click.option("--mail", metavar="ADDRESS", help="Where the user can be reached.")
@site_options
@json_option
def add(*, name: str, role: str, mail: str | None, place: SitePlace, as_json: bool) -> None:
    """Add a user.

    The name has letters, digits and . _ @ -, and is kept in lower case. The role is kept and, in
    this version, checked nowhere: see `wimdock user --help`.
    """
    from wimdock.site.models import Role
    from wimdock.site.people import add_user

    with place.opened() as site:
        user = add_user(site, name, Role(role), mail)
    if as_json:
        print_document("user_change", {"users": [user_content(user)]})
    else:
        print_text(f"user {user.name}, {user.role.value}, is added")
