"""`wimdock image list`: the image packages of a site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.image.document import listed_content
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text, size
from wimdock.cli.site_options import SitePlace, site_options

if TYPE_CHECKING:
    from wimdock.site.images.listing import ListedPackage

_KINDS = {257: "image", 259: "upgrade"}
_SHOWN = 2
_EXAMPLES = examples("wimdock image list", "wimdock image list --removed --json")


@click.command("list", epilog=_EXAMPLES)
@click.option("--removed", is_flag=True, help="Those too that were removed.")
@site_options
@json_option
def list_(*, removed: bool, place: SitePlace, as_json: bool) -> None:
    """List the image packages.

    No file is read: the list says what is known since each was last read.
    """
    from wimdock.site.images.listing import list_packages

    with place.opened() as site:
        found = list_packages(site, removed=removed)
    if as_json:
        print_document(
            "image_packages", {"image_packages": [listed_content(each) for each in found]}
        )
        return
    if not found:
        print_text("There is no image package: `wimdock image add FILE` adds one.")
        return
    columns = (
        "id",
        "type",
        "name",
        Column("images", right=True),
        "architecture",
        "version",
        Column("size", right=True),
        Column("generation", right=True),
        Column("content version", right=True),
        "state",
        "last read",
    )
    print_summary(columns, [_row(each) for each in found])


def _row(package: ListedPackage) -> tuple[object, ...]:
    return (
        package.id,
        _KINDS[package.type],
        package.name,
        len(package.images),
        _short(package.architectures),
        _short(package.versions),
        size(package.length),
        package.generation,
        package.content_version,
        "removed" if package.removed_at is not None else package.state.value,
        moment(package.read_at),
    )


def _short(words: Sequence[str]) -> str:
    """Give the first few of several words."""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
