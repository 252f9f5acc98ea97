"""`wimdock status`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "list": Lazy("wimdock.cli.status.listing", "list_", "List status messages, the newest first."),
    "show": Lazy("wimdock.cli.status.show", "show", "Show a status message with all its fields."),
    "export": Lazy(
        "wimdock.cli.status.export", "export", "Write status messages to a file, JSON or CSV."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def status() -> None:
    """Look at the status messages of a site, and export them.

    docs/reference/status-messages.md lists every one there is.
    """
