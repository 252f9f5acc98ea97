"""`wimdock user`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "add": Lazy("wimdock.cli.user.add", "add", "Add a user."),
    "list": Lazy("wimdock.cli.user.listing", "list_", "List the users."),
    "show": Lazy("wimdock.cli.user.show", "show", "Show a user and the tokens."),
    "disable": Lazy("wimdock.cli.user.enabling", "disable", "Let users in no more."),
    "enable": Lazy("wimdock.cli.user.enabling", "enable", "Let users in again."),
    "token": Lazy("wimdock.cli.user.token", "token", "Make a token for a user."),
    "revoke": Lazy("wimdock.cli.user.token", "revoke", "Revoke tokens, for good."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def user() -> None:
    """Add users and the tokens by which programs speak for them.

    Who runs `wimdock` on a machine with the site's folder or database needs no user: the database
    lets them in. Users are for those who come otherwise. Nothing in this version lets anybody come
    otherwise: roles and tokens are kept for a server that is to come, and no command checks them.
    """
