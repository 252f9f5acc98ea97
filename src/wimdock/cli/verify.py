"""`wimdock verify`: every hash and structure of an image file, and all that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.options import examples, image_argument, json_option
from wimdock.cli.output import count, print_document, print_table, print_text, size, visible
from wimdock.cli.terminal import Terminal
from wimdock.errors import CorruptImage
from wimdock.events import Reporter
from wimdock.files import naming
from wimdock.wim.archive import Archive
from wimdock.wim.verification import Verification
from wimdock.wim.verification import verify as verify_archive

_EXAMPLES = examples(
    "wimdock verify golden.wim",
    "wimdock verify --json golden.wim | jq '.findings[] | select(.severity == \"error\")'",
)


@click.command(epilog=_EXAMPLES)
@image_argument
@json_option
def verify(image: Path, as_json: bool) -> int:
    """Check every hash and structure of an image file.

    Reads the whole file IMAGE and reports everything that is wrong with it, not only the first
    fault: damaged or missing content, impossible structures, names that Windows would not take,
    counts that do not agree, the integrity table. Nothing is written.

    The exit status is 0 where there are warnings and notes only, and 14 where there are errors.
    """
    with naming(image), Archive.open(image) as archive, Terminal() as terminal:
        result = verify_archive(archive, Reporter(terminal))
    if as_json:
        _print_json(image, result)
    else:
        _print_report(image, result)
    return 0 if result.sound else CorruptImage.exit_code


def _print_json(image: Path, result: Verification) -> None:
    content = {
        "image": image,
        "sound": result.sound,
        "images": result.images,
        "resources": result.resources,
        "bytes": result.size,
        "errors": result.count("error"),
        "warnings": result.count("warning"),
        "notes": result.count("note"),
        "findings": result.findings,
    }
    print_document("verify", content)


def _print_report(image: Path, result: Verification) -> None:
    if result.findings:
        rows = [(each.severity, each.code, each.where, each.text) for each in result.findings]
        print_table(("severity", "code", "where", "what"), rows)
        print_text()
    read = ", ".join(
        (count(result.images, "image"), count(result.resources, "resource"), size(result.size))
    )
    found = ", ".join(
        count(result.count(severity), severity)
        for severity in ("error", "warning", "note")
        if result.count(severity)
    )
    print_text(f"{visible(str(image))}: {read}: {found or 'no findings'}")
    if not result.sound:
        print_text("The file is damaged: take it from a backup, or go back to a sound generation.")
