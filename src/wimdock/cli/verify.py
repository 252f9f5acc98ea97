"""`wimdock verify`: every hash and structure of an image file, and all that is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from wimdock.cli.options import examples, image_argument, json_option
from wimdock.cli.output import count, print_document, print_text, size, visible
from wimdock.cli.terminal import Terminal
from wimdock.errors import CorruptImage
from wimdock.events import Reporter
from wimdock.files import naming
from wimdock.wim.archive import Archive
from wimdock.wim.findings import Finding
from wimdock.wim.verification import Verification
from wimdock.wim.verification import verify as verify_archive

_EXAMPLES = examples(
    "wimdock verify golden.wim",
    "wimdock verify --json golden.wim | jq '.findings[] | select(.severity == \"error\")'",
)

# So many places of one kind are listed on a terminal.
_SHOWN = 20
_INDENT = " " * 9


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


def _print_findings(findings: Sequence[Finding], shown: int | None) -> None:
    """Print each finding, with what is found in many places said once.

    With `shown`, no more places are listed of each kind than that.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for each in findings:
        groups.setdefault((each.severity, each.code, each.text), []).append(each.where)
    for (severity, code, text), places in groups.items():
        head = f"{severity:<7}  {code}: "
        if len(places) == 1:
            where = f"{places[0]}: " if places[0] else ""
            print_text(visible(f"{head}{where}{text}"))
            continue
        print_text(visible(f"{head}{text}, {len(places):,} times"))
        for where in places[:shown]:
            print_text(visible(f"{_INDENT}{where}"))
        if len(places[:shown]) < len(places):
            print_text(f"{_INDENT}and {len(places[shown:]):,} more: `| less` or --json lists them")


def _print_report(image: Path, result: Verification) -> None:
    if result.findings:
        _print_findings(result.findings, _SHOWN if sys.stdout.isatty() else None)
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
