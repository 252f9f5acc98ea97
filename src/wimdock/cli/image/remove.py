"""`wimdock image remove`: an image package that is one no more."""

from __future__ import annotations

import click

from wimdock.cli.image.document import package_content
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock image remove CAS00001", "wimdock image remove CAS00001 --from-schedules"
)


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@click.option(
    "--from-schedules", is_flag=True, help="Take it out of the schedules that service it."
)
@site_options
@json_option
def remove(*, package_id: str, from_schedules: bool, place: SitePlace, as_json: bool) -> None:
    """Forget a file; it is not touched.

    The file can be registered again, under another ID. The history of the image package stays.
    While a run waits or works, and where a schedule services it, nothing is removed.
    """
    from wimdock.site.images.removing import remove_package

    with place.opened() as site:
        package = remove_package(site, package_id, from_schedules=from_schedules)
    if as_json:
        print_document("image_remove", {"image_package": package_content(package)})
        return
    print_text(f"{package.id} was removed; its file stays as it is.")
