"""`wimdock update`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "import": Lazy("wimdock.cli.update.importing", "import_", "Import update files and folders."),
    "list": Lazy("wimdock.cli.update.listing", "list_", "List the updates."),
    "show": Lazy("wimdock.cli.update.show", "show", "Show all that is known of an update."),
    "applicability": Lazy(
        "wimdock.cli.update.applicability",
        "applicability",
        "Show which updates are for which images.",
    ),
    "retire": Lazy("wimdock.cli.update.retire", "retire", "Take updates out of use."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def update() -> None:
    """Import updates into the library of a site, list, judge and retire them.

    Each has a number, by which schedules name it. The library keeps the files themselves, under
    their hashes: what was imported can go from where it was.
    """
