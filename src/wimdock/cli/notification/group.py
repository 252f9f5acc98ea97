"""`wimdock notification`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "list": Lazy("wimdock.cli.notification.listing", "list_", "List what was and is to be sent."),
    "targets": Lazy("wimdock.cli.notification.targets", "targets", "List who hears of what."),
    "test": Lazy("wimdock.cli.notification.trial", "test", "Send a trial to a target, now."),
    "retry": Lazy(
        "wimdock.cli.notification.retry", "retry", "Try again what could not be sent, now."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def notification() -> None:
    """See who was told how runs ended, try it out, and try again.

    Targets, webhooks and mail addresses, are in the settings of the site:
    docs/guide/notifications.md.
    """
