"""`wimdock image rollback`: an image package, taken back to a generation of its file."""

from __future__ import annotations

import click

from wimdock.cli.image.document import package_content
from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock image rollback CAS00001", "wimdock image rollback CAS00001 --to 1")


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@click.option(
    "--to",
    type=Number(1),
    metavar="N",
    help="The generation to go to: the one before the current unless given.",
)
@site_options
@json_option
def rollback(*, package_id: str, to: int | None, place: SitePlace, as_json: bool) -> None:
    """Take an image package back to a generation.

    At once, by writing an older header back. Runs wait meanwhile. The distribution points that
    serve it are brought up to date as after a run. Until the next run one can go forward again.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.images.going_back import rollback_package
    from wimdock.site.images.records import package_of
    from wimdock.site.runs.lease import hold

    with place.opened() as site, Terminal() as terminal:
        with site.reading() as session:
            package_id = package_of(session, package_id).id
        with hold(site, package_id, f"wimdock image rollback {package_id}"):
            found = rollback_package(site, package_id, to, reporter=Reporter(terminal))
    if as_json:
        content = {
            "from": found.left,
            "to": found.reached,
            "image_package": package_content(found.package),
        }
        print_document("image_rollback", content)
        return
    print_text(
        f"{package_id} is in generation {found.reached} again; until the next run, "
        f"--to {found.left} undoes this."
    )
