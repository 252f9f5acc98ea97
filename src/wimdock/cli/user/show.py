"""`wimdock user show`: a user and the tokens."""

from __future__ import annotations

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.user.document import token_content, token_state, user_content

_EXAMPLES = examples("wimdock user show anna", "wimdock user show anna --json")


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME")
@site_options
@json_option
def show(*, name: str, place: SitePlace, as_json: bool) -> None:
    """Show a user and the tokens: when they were made, used last, and end. Secrets are not kept."""
    from wimdock.site.people import tokens_of, user_of

    with place.opened() as site, site.reading() as session:
        user = user_of(session, name)
        tokens = tokens_of(session, user)
        now = site.now()
    if as_json:
        content = user_content(user) | {"tokens": [token_content(each, now) for each in tokens]}
        print_document("user", content)
        return
    mail = f", {visible(user.mail)}" if user.mail else ""
    print_text(f"{user.name}: {user.role.value}{mail}, added on {moment(user.created_at)}")
    if user.disabled_at is not None:
        print_text(f"  disabled on {moment(user.disabled_at)}")
    if not tokens:
        print_text("  no tokens")
        return
    columns = (Column("token", right=True), "state", "made", "used last", "expires", "name")
    print_summary(
        columns,
        [
            (
                each.id,
                token_state(each, now),
                moment(each.created_at),
                moment(each.last_used_at),
                moment(each.expires_at),
                each.name,
            )
            for each in tokens
        ],
    )
