"""`wimdock image`: the group of its commands."""

from __future__ import annotations

import click

from wimdock.cli.commands import Lazy, LazyGroup

_COMMANDS = {
    "add": Lazy("wimdock.cli.image.add", "add", "Register image files with the site."),
    "list": Lazy("wimdock.cli.image.listing", "list_", "List the image packages."),
    "show": Lazy("wimdock.cli.image.show", "show", "Show all that is known of an image package."),
    "history": Lazy(
        "wimdock.cli.image_history", "history", "Show what was done to an image package."
    ),
    "reload": Lazy("wimdock.cli.image.reload", "reload", "Read the file of an image package anew."),
    "rollback": Lazy(
        "wimdock.cli.image.rollback", "rollback", "Take an image package back to a generation."
    ),
    "export": Lazy(
        "wimdock.cli.image.export", "export", "Write an image package to a new, compact file."
    ),
    "remove": Lazy("wimdock.cli.image.remove", "remove", "Forget a file; it is not touched."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def image() -> None:
    """Register image files with a site, look at them, go back, export them.

    An image package is an image file under an ID such as CAS00001: the site's code and five
    hexadecimal digits.
    """
