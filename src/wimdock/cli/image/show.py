"""`wimdock image show`: all that is known of an image package."""

from __future__ import annotations

import click

from wimdock.cli.image.document import details_content
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.errors import ImageError, RegistryError, SettingsError, StorageError

_EXAMPLES = examples(
    "wimdock image show CAS00001",
    "wimdock image show CAS00001 --last 100",
    "wimdock image show CAS00001 --json | jq .preflight.checks",
)


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@click.option(
    "--last",
    type=Number(1),
    default=20,
    show_default=True,
    help="How many of the newest entries of its history.",
)
@site_options
@json_option
def show(*, package_id: str, last: int, place: SitePlace, as_json: bool) -> None:
    """Show all that is known of an image package: images, preflight, generations, history.

    The file is looked at first, and read anew where it is another than was recorded. One that was
    removed is shown as it was.
    """
    from wimdock.cli.image.text import print_details
    from wimdock.cli.image_history import history_content
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.images.details import details_of
    from wimdock.site.images.reading import refresh

    with place.opened() as site, Terminal() as terminal:
        found = details_of(site, package_id, last)
        if found.file is not None:
            try:
                changed = refresh(site, package_id, Reporter(terminal)).changed
            except (StorageError, ImageError, RegistryError, SettingsError):
                changed = True  # the package's state tells why
            if changed:
                found = details_of(site, package_id, last)
    if as_json:
        history = [history_content(entry) for entry in found.history]
        print_document("image_package", details_content(found) | {"history": history})
    else:
        print_details(found)
