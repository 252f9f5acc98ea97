"""`wimdock image reload`: the file of an image package, read anew."""

from __future__ import annotations

import click

from wimdock.cli.image.document import package_content
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock image reload CAS00001")


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@site_options
@json_option
def reload(*, package_id: str, place: SitePlace, as_json: bool) -> None:
    """Read the file of an image package anew.

    A file that another program changed is noticed and read anew by itself, before anything is done
    with it. This reads it whether it was changed or not, and repeats the preflight.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.images.reading import reload_package

    with place.opened() as site, Terminal() as terminal:
        found = reload_package(site, package_id, Reporter(terminal))
    package = found.package
    if as_json:
        content = {"changed": found.changed, "image_package": package_content(package)}
        print_document("image_reload", content)
        return
    how = "another program had changed it" if found.changed else "it is as it was recorded"
    readiness = package.preflight["readiness"]
    version = package.content_version
    print_text(f"{package.id} was read: {how}; content version {version}, {readiness}")
