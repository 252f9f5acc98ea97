"""`wimdock rollback`: back to an older state of an image file, at once."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.options import Number, examples, image_argument, json_option
from wimdock.cli.output import print_document, print_text, visible

_EXAMPLES = examples("wimdock rollback golden.wim", "wimdock rollback golden.wim --to 1")


@click.command(epilog=_EXAMPLES)
@image_argument
@click.option(
    "--to",
    type=Number(1),
    metavar="N",
    help="The generation to go to: the one before the current unless given.",
)
@json_option
def rollback(*, image: Path, to: int | None, as_json: bool) -> None:
    """Write an older header back: the file is again what it was then.

    Nothing is cut off. Until the next write one can go forward again with --to.
    """
    from wimdock.wim.rollback import rollback as go_back

    left, target = go_back(image, to)
    if as_json:
        content = {"image": str(image), "from": left.number, "to": target.number}
        print_document("rollback", content)
        return
    print_text(
        f"{visible(image.name)} is in generation {target.number} again "
        f"({visible(target.note)}); until the next write, --to {left.number} undoes this."
    )
