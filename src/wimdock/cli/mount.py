"""`wimdock mount`: an image of a file in a folder, to look at and to change with any program."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from wimdock.cli.options import FILE, examples, image_argument, index_option, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.cli.terminal import Terminal
from wimdock.errors import UsageError
from wimdock.events import Reporter

_EXAMPLES = examples(
    "wimdock mount golden.wim /mnt/golden",
    "wimdock mount golden.wim /mnt/golden --index 2 --write",
)


@click.command(epilog=_EXAMPLES)
@image_argument
@click.argument("directory", type=FILE, metavar="DIR")
@index_option
@click.option("--write", is_flag=True, help="Let files be changed; unmount commits or discards.")
@json_option
def mount(*, image: Path, directory: Path, index: int | None, write: bool, as_json: bool) -> None:
    """Mount an image in an empty folder, through wimlib and FUSE.

    Without --write nothing can be changed. With it, changes are kept beside the image file until
    `wimdock unmount` puts them in or gives them up, and nobody else can write the file meanwhile.

    Servicing needs no mount: this is for looking around, and for changes by hand.
    """
    from wimdock.servicing.mounts import mount as mount_image
    from wimdock.servicing.options import surroundings

    chosen = _only_index(image) if index is None else index
    with Terminal() as terminal:
        world = surroundings(Reporter(terminal))
        record = mount_image(image, chosen, directory, writable=write, world=world)
    if as_json:
        content = {
            "image": record.image,
            "index": record.index,
            "directory": record.directory,
            "writable": record.writable,
            "since": record.since,
            "staging": record.staging,
        }
        print_document("mount", content)
        return
    how = "read/write" if write else "read-only"
    print_text(
        f"Image {record.index} of {visible(record.image.name)} is mounted {how} in "
        f"{visible(str(record.directory))}."
    )
    way = "--commit` ends it and keeps the changes, --discard loses them." if write else ""
    command = f"`wimdock unmount {visible(shlex.quote(str(directory)))}"
    print_text(f"{command} {way or '--discard` ends it.'}")


def _only_index(image: Path) -> int:
    """Give the index of the only image of a file; UsageError where there are several."""
    from wimdock.files import naming
    from wimdock.wim import Archive

    with naming(image), Archive.open(image) as archive:
        if archive.image_count != 1:
            message = f"{image} holds {archive.image_count} images"
            hint = "Say which one with --index; `wimdock inspect` lists them."
            raise UsageError(message, hint=hint)
    return 1
