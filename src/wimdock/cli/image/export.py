"""`wimdock image export`: the images of a package in a new, compact file, or in parts."""

from __future__ import annotations

import re
from pathlib import Path

import click

from wimdock.cli.options import FILE, Number, examples, json_option
from wimdock.cli.output import print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options

_SIZE = re.compile(r"([0-9]{1,15}) ?([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_EXAMPLES = examples(
    "wimdock image export CAS00001 /srv/out/golden.wim",
    "wimdock image export CAS00001 /srv/out/pro.wim --index 2 --compress lzx",
    "wimdock image export CAS00001 /srv/usb/sources/install.swm --split 3800MiB",
)


class Size(click.ParamType[int]):
    """A number of bytes, with a unit of 1024: `3800MiB`, `4G`."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Give the bytes."""
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"{str(value)[:20]!r} is no size: write it like 3800MiB or 4G", param, ctx)
        return int(found[1]) << _UNITS[found[2].lower()]


@click.command(epilog=_EXAMPLES)
@click.argument("package_id", metavar="ID")
@click.argument("out", type=FILE, metavar="OUT")
@click.option("--index", type=Number(1), metavar="N", help="This image alone.")
@click.option(
    "--compress",
    "compression",
    type=click.Choice(["lzx", "xpress", "lzms", "none"]),
    help="Compress anew; as it is unless given.",
)
@click.option(
    "--split",
    "part_size",
    type=Size(),
    metavar="SIZE",
    help="In parts of at most this size, such as 3800MiB; OUT names the first.",
)
@site_options
@json_option
def export(
    *,
    package_id: str,
    out: Path,
    index: int | None,
    compression: str | None,
    part_size: int | None,
    place: SitePlace,
    as_json: bool,
) -> None:
    """Write an image package to a new, compact file.

    What older generations needed is left out. The registered file is only read, and nothing that
    stands at OUT is replaced.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.images.exporting import ExportOptions, export_package

    options = ExportOptions(index, compression, part_size)
    with place.opened() as site, Terminal() as terminal:
        found = export_package(site, package_id, out, options, reporter=Reporter(terminal))
    if as_json:
        content = {
            "id": found.package.id,
            "generation": found.package.generation,
            "content_version": found.package.content_version,
            "files": [
                {"file": str(file), "size": length}
                for file, length in zip(found.files, found.sizes, strict=True)
            ],
        }
        print_document("image_export", content)
        return
    for file, length in zip(found.files, found.sizes, strict=True):
        print_text(f"{visible(str(file))}: {size(length)}")
