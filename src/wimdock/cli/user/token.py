"""`wimdock user token` and `revoke`: tokens made and revoked."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.user.document import token_content

_LONGEST_DAYS = 4

_TOKEN_EXAMPLES = examples(
    "wimdock user token build-server --name nightly --expires 90d",
    "wimdock user token anna --expires 2027-12-31",
    "wimdock user token anna --json | jq -r .secret",
)


class Expiry(click.ParamType["datetime | timedelta"]):
    """A number of days such as 90d, or a date."""

    name = "expiry"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | timedelta:
        """Give the span, or the time: the end of a day where no time of day is given, UTC."""
        if isinstance(value, datetime | timedelta):
            return value
        text = str(value).strip()
        days = text.removesuffix("d")
        if days != text and days.isascii() and days.isdigit() and len(days) <= _LONGEST_DAYS:
            return timedelta(days=int(days))
        try:
            return _moment(text)
        except (ValueError, OverflowError):
            self.fail(f"{text[:40]!r} is neither days, such as 90d, nor a date", param, ctx)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if len(text) == len("2027-12-31"):
        found = found.replace(hour=23, minute=59, second=59)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


@click.command(epilog=_TOKEN_EXAMPLES)
@click.argument("user", metavar="NAME")
@click.option("--name", default="", metavar="TEXT", help="What it is for, for people.")
@click.option(
    "--expires",
    type=Expiry(),
    metavar="DAYSd|DATE",
    help="When it ends: after so many days, or at the end of a day, UTC; without it never.",
)
@site_options
@json_option
def token(
    *, user: str, name: str, expires: datetime | timedelta | None, place: SitePlace, as_json: bool
) -> None:
    """Make a token for a user.

    Its secret is printed this once, alone on stdout: the site keeps only a hash. Nothing in this
    version asks for one yet; who has it will speak for the user, until it expires or is revoked.
    """
    from wimdock.site.people import make_token

    with place.opened() as site:
        now = site.now()
        ends = now + expires if isinstance(expires, timedelta) else expires
        made = make_token(site, user, name=name, expires_at=ends)
    if as_json:
        print_document("user_token", token_content(made.token, now) | {"secret": made.secret})
        return
    print_text(made.secret)
    until = f"until {moment(ends)}" if ends else "until it is revoked"
    sys.stderr.write(
        f"Token {made.token.id} of {visible(user)} works {until}; nobody can show it again.\n"
    )


@click.command(epilog=examples("wimdock user revoke 3", "wimdock user revoke 3 4 --json"))
@click.argument("token_ids", type=Number(1), nargs=-1, required=True, metavar="TOKEN...")
@site_options
@json_option
def revoke(*, token_ids: tuple[int, ...], place: SitePlace, as_json: bool) -> None:
    """Revoke tokens, for good: all that are named, or none.

    `wimdock user show NAME` lists the numbers of a user's tokens.
    """
    from wimdock.site.people import revoke_tokens

    with place.opened() as site:
        tokens = revoke_tokens(site, token_ids)
        now = site.now()
    if as_json:
        print_document("user_revoke", {"tokens": [token_content(each, now) for each in tokens]})
        return
    for each in tokens:
        print_text(f"token {each.id} is revoked")
