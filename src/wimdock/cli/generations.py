"""`wimdock generations`: the states of an image file that can be gone back to."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, image_argument, json_option
from wimdock.cli.output import Column, moment, print_document, print_text, size, visible

_EXAMPLES = examples("wimdock generations golden.wim", "wimdock generations golden.wim --json")


@click.command(epilog=_EXAMPLES)
@image_argument
@json_option
def generations(*, image: Path, as_json: bool) -> None:
    """List the committed states of an image file, oldest first."""
    from wimdock.wim.rollback import list_generations

    found, current = list_generations(image)
    rows = [
        (
            generation,
            generation is current,
            generation.committed or generation is current,
        )
        for generation in found
    ]
    if as_json:
        content = {
            "image": str(image),
            "current": None if current is None else current.number,
            "generations": [
                {
                    "number": g.number,
                    "current": is_current,
                    "committed": committed,
                    "length": g.length,
                    "added_bytes": g.added,
                    "time": g.time,
                    "note": g.note,
                    "header": g.name,
                }
                for g, is_current, committed in rows
            ],
        }
        print_document("generations", content)
        return
    if not found:
        print_text(
            f"No generation is recorded beside {visible(str(image))}: wimdock has not written it "
            f"yet, or {visible(image.name)}.generations was left behind."
        )
        return
    columns = (
        Column("generation", right=True),
        "time",
        Column("file", right=True),
        Column("added", right=True),
        "state",
        "what",
    )
    states = {(True, True): "current", (False, True): "", (False, False): "not committed"}
    print_summary(
        columns,
        [
            (g.number, moment(g.time), size(g.length), size(g.added), states[now, done], g.note)
            for g, now, done in rows
        ],
    )
    if current is None:
        print_text("Another program changed the file since: none of these can be gone back to.")
