"""`wimdock rehearse`: what Configuration Manager would do with an image on a given provider."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.failure import EXIT_UNCERTAIN
from wimdock.cli.options import (
    FILE,
    dictionary_option,
    examples,
    image_argument,
    indexes_option,
    json_option,
    unsigned_option,
)
from wimdock.cli.output import Column, print_document, print_text, visible
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.rehearsal.report import RehearsalReport

_EXAMPLES = examples(
    "wimdock rehearse golden.wim --provider CM01=6.3.9600",
    "wimdock rehearse golden.wim --provider 'CM02=Server 2019' --update kb5001330.cab",
    "wimdock rehearse golden.wim --provider CM01=6.3.9600 --staging /srv/d --package-id CAS00123",
)


@click.command(epilog=_EXAMPLES)
@image_argument
@click.option(
    "--provider",
    "providers",
    multiple=True,
    required=True,
    metavar="NAME=BUILD",
    help="The host to play, such as CM01=6.3.9600 or 'CM01=Server 2012 R2'; or wimdock.",
)
@click.option(
    "--update",
    "updates",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="An update to put in first; may be given several times, in order.",
)
@click.option(
    "--staging",
    type=FILE,
    default=Path(),
    metavar="DIR",
    help="The folder that plays the root of the staging drive; the current one by default.",
)
@click.option(
    "--package-id",
    default="CAS00123",
    show_default=True,
    metavar="ID",
    help="The ID of the image package.",
)
@indexes_option(default="all")
@click.option(
    "--drive",
    default="D",
    show_default=True,
    metavar="LETTER",
    help="The drive that the staging folder plays, for paths in the logs.",
)
@click.option(
    "--continue-on-error", is_flag=True, help="Go on with the next update where one fails."
)
@click.option(
    "--remove-superseded",
    is_flag=True,
    help="Remove superseded components before the commit; this version refuses it.",
)
@unsigned_option
@dictionary_option
@json_option
def rehearse(
    *,
    image: Path,
    providers: tuple[str, ...],
    updates: tuple[Path, ...],
    staging: Path,
    package_id: str,
    index: int | None,
    drive: str,
    continue_on_error: bool,
    remove_superseded: bool,
    allow_unsigned: bool,
    manifest_dictionary: Path | None,
    as_json: bool,
) -> int:
    """Play on a copy what Configuration Manager would do with an image on a given provider.

    It copies image and updates to ConfigMgr_OfflineImageServicing, services and mounts them there,
    and commits as that provider's Windows could. A commit that fails leaves what the original
    leaves: the logs, the mounted image, the folder. The image file itself is only read.

    The exit status is 0 where all was done, 59 where the commit succeeded here and nobody knows
    whether it would there, else that of the first failure.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.configmgr import parse_provider
    from wimdock.events import Reporter
    from wimdock.rehearsal.options import RehearsalOptions
    from wimdock.rehearsal.rehearsal import rehearse as play
    from wimdock.rehearsal.report import Ending
    from wimdock.servicing.options import read_dictionary, surroundings

    if remove_superseded:
        message = "removing superseded components is not possible in this version"
        raise UsageError(message, hint="Leave --remove-superseded out; nothing was touched.")
    if len(providers) > 1:
        message = f"a rehearsal plays one provider, and {len(providers)} are named"
        hint = "Run it once for each of them; `wimdock preflight` judges several at once."
        raise UsageError(message, hint=hint)
    options = RehearsalOptions(
        provider=parse_provider(providers[0]),
        staging=staging,
        updates=updates,
        indexes=() if index is None else (index,),
        package_id=package_id.upper(),
        drive=drive.rstrip(":\\").upper(),
        continue_on_error=continue_on_error,
        allow_unsigned=allow_unsigned,
        dictionary=read_dictionary(manifest_dictionary),
    )
    with Terminal() as terminal:
        report = play(image, options, surroundings(Reporter(terminal)))
    if as_json:
        print_document("rehearse", _document(image, options.provider.name, report))
    else:
        _show(report, options.provider.name)
    if report.failure is not None:
        if not as_json:
            raise report.failure
        return report.failure.exit_code
    return EXIT_UNCERTAIN if report.ending is Ending.PERHAPS else 0


def _show(report: RehearsalReport, provider: str) -> None:
    rows = [
        (played.index, played.update.name, played.ending.value, played.reason)
        for played in report.updates
    ]
    if rows:
        print_summary((Column("index", right=True), "update", "result", "why"), rows)
    for index, verdict in report.verdicts:
        name = visible(provider)
        print_text(f"image {index}: {name} {verdict.ability.value}. {visible(verdict.reason)}")
    for path in report.logs:
        print_text(f"log: {visible(str(path))}")
    if report.mount_directory is not None:
        print_text(f"still mounted: {visible(str(report.mount_directory))}")
    if report.result is not None:
        print_text(f"{report.ending.value}: {visible(str(report.result))}")


def _document(image: Path, provider: str, report: RehearsalReport) -> dict[str, object]:
    error = report.error
    return {
        "image": str(image),
        "provider": provider,
        "package_id": report.package_id,
        "ending": report.ending.name.lower(),
        "updates": [
            {
                "index": played.index,
                "update": str(played.update),
                "result": played.ending.name.lower(),
                "reason": played.reason,
                "hresult": _code(played.hresult),
            }
            for played in report.updates
        ],
        "verdicts": [
            {
                "index": index,
                "ability": verdict.ability.name.lower(),
                "reason": verdict.reason,
                "newer_than_host": verdict.strong,
                "unusual": verdict.weak,
            }
            for index, verdict in report.verdicts
        ],
        "status_messages": [
            {
                "id": message.id,
                "severity": message.severity,
                "time": message.time,
                "insertion_strings": list(message.insertions),
            }
            for message in report.status_messages
        ],
        "logs": [str(path) for path in report.logs],
        "staging": str(report.staging),
        "mount_directory": None if report.mount_directory is None else str(report.mount_directory),
        "result": None if report.result is None else str(report.result),
        "error": None
        if error is None
        else {
            "type": type(error).__name__,
            "message": error.message,
            "hresult": _code(error.hresult),
            "exit_code": error.exit_code,
            "what_to_do": error.hint,
        },
    }


def _code(hresult: int | None) -> str | None:
    return None if hresult is None else f"0x{hresult:08X}"
