"""`wimdock image add`: image files registered with the site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.failure import failures
from wimdock.cli.image.document import package_content
from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.errors import UsageError, WimdockError

if TYPE_CHECKING:
    from wimdock.site.models import ImagePackage

_EXAMPLES = examples(
    "wimdock image add /srv/images/golden.wim",
    "wimdock image add /srv/images/golden.wim --name 'Windows 11 24H2' --description 'as deployed'",
    "wimdock image add /srv/images/*.wim",
    "wimdock image add /srv/media/windows-11  # a folder with sources/install.wim",
)


@click.command(epilog=_EXAMPLES)
@click.argument("files", type=FILE, nargs=-1, required=True, metavar="FILE...")
@click.option("--name", default="", help="Its name for people; that of the file unless given.")
@click.option("--description", default="", help="What else people should know of it.")
@site_options
@json_option
def add(
    *, files: tuple[Path, ...], name: str, description: str, place: SitePlace, as_json: bool
) -> int:
    """Register image files with the site.

    Each gets the next package ID. Its images, their packages and reparse points are read, and what
    would stop a run is looked for. A folder with sources/install.wim becomes an operating system
    upgrade package. What servicing would refuse is refused here, and so is a file that is
    registered already, by whatever name.

    Of several files, those that cannot be added keep no others from it.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter, Severity
    from wimdock.site.images.adding import add_package

    if name and len(files) > 1:
        message = "one name cannot be that of several image packages"
        raise UsageError(message, hint="Add them one by one, or leave --name out.")
    added: list[ImagePackage] = []
    errors: list[WimdockError] = []
    with place.opened() as site, Terminal() as terminal:
        reporter = Reporter(terminal)
        for file in files:
            try:
                package = add_package(
                    site, file, name=name, description=description, reporter=reporter
                )
            except WimdockError as error:
                errors.append(error)
                continue
            added.append(package)
            if not as_json:
                _show(package)
        if errors and not added:
            raise errors[0] if len(errors) == 1 else ExceptionGroup("nothing was added", errors)
        for each in errors:
            reporter.message(str(each), Severity.ERROR)
            reporter.message(f"what to do: {each.hint}")
    failed = [failure for each in errors for failure in failures(each)]
    if as_json:
        content = {
            "added": [package_content(package) for package in added],
            "failed": [failure.content() for failure in failed],
        }
        print_document("image_add", content)
    return failed[0].exit_code if failed else 0


def _show(package: ImagePackage) -> None:
    readiness = package.preflight["readiness"]
    words = f"{package.id}: {visible(package.name)}, {size(package.length)}, {readiness}"
    if readiness != "ready":
        words += f": `wimdock image show {package.id}` says why"
    print_text(words)
