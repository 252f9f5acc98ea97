"""`wimdock schedule`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "add": Lazy("wimdock.cli.schedule.add", "add", "Add a schedule."),
    "list": Lazy("wimdock.cli.schedule.listing", "list_", "List the schedules of a site."),
    "show": Lazy("wimdock.cli.schedule.show", "show", "Show a schedule, and what became of it."),
    "explain": Lazy(
        "wimdock.cli.schedule.explain", "explain", "Say when it is due next, and what it would do."
    ),
    "enable": Lazy("wimdock.cli.schedule.switch", "enable", "Switch schedules on."),
    "disable": Lazy("wimdock.cli.schedule.switch", "disable", "Switch schedules off."),
    "run-now": Lazy("wimdock.cli.schedule.run_now", "run_now", "Make the runs of a schedule now."),
    "cancel": Lazy("wimdock.cli.schedule.cancel", "cancel", "Cancel the runs of a schedule."),
    "remove": Lazy("wimdock.cli.schedule.switch", "remove", "Remove schedules."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def schedule() -> None:
    """Put updates into image packages at given times; say when, and what is done then.

    A schedule says which updates go into which image packages, when, how often and in which window.
    Each instant at which it is due makes one run for each image package.
    """
