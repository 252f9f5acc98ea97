"""`wimdock run`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "list": Lazy("wimdock.cli.run.listing", "list_", "List runs, the newest first."),
    "show": Lazy("wimdock.cli.run.show", "show", "Show a run: steps, results, error."),
    "log": Lazy("wimdock.cli.run.log", "log", "Print the events of a run."),
    "watch": Lazy("wimdock.cli.run.watch", "watch", "Watch runs until they have ended."),
    "cancel": Lazy("wimdock.cli.run.cancel", "cancel", "Cancel runs: the image stays as it was."),
    "retry": Lazy("wimdock.cli.run.retry", "retry", "Make a run anew that has ended."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def run() -> None:
    """Look at the runs of a site, watch, cancel and retry them.

    A run is one execution of a schedule for one image package.
    """
