"""`wimdock unmount`: the end of a mount, with its changes put into the image file or given up."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import print_document, print_text, size, visible
from wimdock.cli.terminal import Terminal
from wimdock.errors import UsageError
from wimdock.events import Reporter

_EXAMPLES = examples(
    "wimdock unmount /mnt/golden --commit",
    "wimdock unmount /mnt/golden --discard",
)


@click.command(epilog=_EXAMPLES)
@click.argument("directory", type=FILE, metavar="DIR")
@click.option("--commit", is_flag=True, help="Put the changes into the image file.")
@click.option("--discard", is_flag=True, help="Give the changes up: the image stays as it is.")
@json_option
def unmount(*, directory: Path, commit: bool, discard: bool, as_json: bool) -> None:
    """End a mount, with its changes put into the image file or given up.

    A commit is a new generation of the image file: `wimdock rollback` undoes it. While programs
    work in the folder it stays mounted, and they are named. --discard also clears away what is left
    of a mount whose process has ended.
    """
    from wimdock.servicing.mounts import unmount as end_mount
    from wimdock.servicing.options import surroundings

    if commit == discard:
        message = "say what becomes of the changes"
        raise UsageError(message, hint="Give one of --commit and --discard.")
    with Terminal() as terminal:
        done = end_mount(directory, commit=commit, world=surroundings(Reporter(terminal)))
    generation = done.generation
    if as_json:
        content = {
            "directory": done.directory,
            "image": done.image,
            "index": done.index,
            "committed": done.committed,
            "generation": None if generation is None else generation.number,
            "added_bytes": 0 if generation is None else generation.added,
            "note": done.note,
        }
        print_document("unmount", content)
        return
    place = visible(str(done.directory))
    if generation is None:
        print_text(f"{place} is unmounted; the image is as it was.")
    else:
        name = "" if done.image is None else visible(done.image.name)
        print_text(
            f"{place} is unmounted; {name} is in generation {generation.number} "
            f"({size(generation.added)} added)."
        )
    if done.note:
        print_text(visible(done.note))
