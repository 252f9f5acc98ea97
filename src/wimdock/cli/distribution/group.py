"""`wimdock distribution`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_HERE = "wimdock.cli.distribution"
_COMMANDS = {
    "add": Lazy(f"{_HERE}.add", "add", "Add a distribution point: a folder or an object store."),
    "list": Lazy(f"{_HERE}.listing", "list_", "List the distribution points."),
    "show": Lazy(f"{_HERE}.listing", "show", "Show a distribution point and what it holds."),
    "remove": Lazy(f"{_HERE}.remove", "remove", "Remove a distribution point."),
    "enable": Lazy(f"{_HERE}.switch", "enable", "Send to a distribution point again."),
    "disable": Lazy(f"{_HERE}.switch", "disable", "Send nothing more to a distribution point."),
    "follow": Lazy(
        f"{_HERE}.switch", "follow", "Let a distribution point get every new state by itself."
    ),
    "send": Lazy(f"{_HERE}.send", "send", "Send image packages to distribution points."),
    "update": Lazy(
        f"{_HERE}.send", "update", "Bring what distribution points hold up to date, now."
    ),
    "status": Lazy(f"{_HERE}.status", "status", "Show which image package is where."),
    "verify": Lazy(f"{_HERE}.verify", "verify", "Read all that a distribution point holds."),
    "withdraw": Lazy(
        f"{_HERE}.withdraw", "withdraw", "Take image packages from a distribution point."
    ),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def distribution() -> None:
    """Bring image packages to the places that serve them, and check what is there.

    Of a new state of an image only what was appended is sent, then its header.
    """
