"""`wimdock site`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "init": Lazy("wimdock.cli.site.init", "init", "Make a site in a folder."),
    "status": Lazy(
        "wimdock.cli.site.status", "status", "Say how a site is, and what is wrong with it."
    ),
    "backup": Lazy("wimdock.cli.site.backup", "backup", "Write all that a site knows to one file."),
    "restore": Lazy("wimdock.cli.site.restore", "restore", "Make a site of a backup."),
    "upgrade": Lazy(
        "wimdock.cli.site.upgrade", "upgrade", "Bring a site's database to this version of wimdock."
    ),
    "audit": Lazy("wimdock.cli.site.audit", "audit", "List who changed what, the newest first."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def site() -> None:
    """Make a site, look at it, back it up and restore it.

    A site is a folder with settings, update library and logs, and a database: SQLite in the folder,
    or PostgreSQL.
    """
