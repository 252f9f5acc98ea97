"""`wimdock doctor`: what failed in the logs of servicing, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.options import FILE, examples, index_option, json_option
from wimdock.cli.output import count, print_document
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.doctor.diagnosis import Known
    from wimdock.doctor.examination import Examination, Reading
    from wimdock.doctor.image_facts import Images
    from wimdock.doctor.report import Report
    from wimdock.doctor.rule import Rule
    from wimdock.doctor.secrets import Secrets

_EXAMPLES = examples(
    "wimdock doctor OfflineServicingMgr.log dism.log CBS.log",
    "wimdock doctor logs/ --image golden.wim --provider CM01=6.3.9600",
    "wimdock doctor dism.log --redact --html ticket.html",
    "wimdock doctor --json logs/ | jq '.findings[] | {rule, confidence, clean_up}'",
)


@click.command(epilog=_EXAMPLES)
@click.argument("logs", nargs=-1, required=True, type=FILE, metavar="LOG...")
@click.option(
    "--image",
    type=FILE,
    metavar="IMAGE",
    help="The image file that was serviced: its version and reparse points are looked at as well.",
)
@index_option
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME=BUILD",
    help="A host with an SMS Provider, such as CM01=6.3.9600 or 'CM01=Server 2012 R2'; may be "
    "given several times.",
)
@click.option(
    "--rules",
    "folder",
    type=FILE,
    metavar="FOLDER",
    help="A folder with rule files of your own, used besides wimdock's.",
)
@click.option(
    "--encoding",
    metavar="NAME",
    help="The code page of logs that are neither UTF-8 nor UTF-16; cp1252 unless given.",
)
@click.option(
    "--redact",
    is_flag=True,
    help="Mask user names, SIDs, host and domain names and e-mail addresses in every output.",
)
@click.option(
    "--html",
    "page",
    type=FILE,
    metavar="FILE",
    help="Also write the report as one HTML file that needs nothing else.",
)
@json_option
def doctor(
    *,
    logs: tuple[Path, ...],
    image: Path | None,
    index: int | None,
    providers: tuple[str, ...],
    folder: Path | None,
    encoding: str | None,
    redact: bool,
    page: Path | None,
    as_json: bool,
) -> None:
    """Say what failed in the logs of servicing, why, and what to do about it.

    Each LOG is an OfflineServicingMgr.log, DISM.log or CBS.log, lines quoted from one, or a folder
    with them; older parts beside a log are read with it. Sessions are put together across the
    logs. Each failure is recognised by code and function, in whatever language the log is, and
    shown with its evidence, with what was ruled out, with what to do and with the commands that
    clean up after it. A failure that is not known is said to be unknown.

    Nothing is changed anywhere. The exit status is 0 where the logs could be read, whatever they
    tell.
    """
    from wimdock.configmgr.provider import parse_provider
    from wimdock.doctor.diagnosis import Known
    from wimdock.doctor.examination import Reading
    from wimdock.doctor.report import report
    from wimdock.doctor.rules import load_rules

    if index is not None and image is None:
        message = "--index says which image of --image IMAGE it is, and there is no --image"
        raise UsageError(message)
    rules = load_rules(folder)
    hosts = tuple(parse_provider(text) for text in providers)
    if page is not None:
        _check_page(page)
    secrets = _secrets(rules) if redact else None
    with _images(image, index) as images:
        known = Known(rules, hosts, images)
        # A user's rule may look for anything; wimdock's own look for codes and words of failure.
        reading = Reading(encoding=encoding, notable_only=folder is None)
        examination = _examine(logs, known, reading, secrets)
    found = report(examination, image=image, providers=hosts)
    if secrets is not None:
        from wimdock.doctor.redaction import redacted

        found = redacted(found, secrets)
    if page is not None:
        _write_page(page, found)
    if as_json:
        print_document("doctor", _content(found))
    else:
        from wimdock.cli.doctor_text import print_report

        print_report(found)


def _secrets(rules: tuple[Rule, ...]) -> Secrets:
    from wimdock.doctor.redaction import secrets_for

    return secrets_for(rules)


@contextmanager
def _images(path: Path | None, index: int | None) -> Iterator[Images | None]:
    """Open the image file, where one is given; nothing of its rooms is loaded where none is."""
    if path is None:
        yield None
        return
    from wimdock.doctor.image_facts import open_image

    with open_image(path, index) as images:
        yield images


def _examine(
    logs: tuple[Path, ...], known: Known, reading: Reading, secrets: Secrets | None
) -> Examination:
    from dataclasses import replace

    from wimdock.cli.terminal import Terminal
    from wimdock.doctor.examination import examine
    from wimdock.events import Reporter

    with Terminal() as terminal:
        reporter = Reporter(terminal)
        with reporter.step("Reading the logs") as step:
            watched = replace(
                reading,
                on_progress=reporter.progress,
                on_record=None if secrets is None else lambda record: secrets.learn(record.text),
            )
            examination = examine(logs, known.rules, known.providers, known.images, reading=watched)
            step.result = count(examination.gathered.records, "record")
    return examination


def _content(found: Report) -> dict[str, object]:
    return {name: getattr(found, name) for name in found.__dataclass_fields__}


def _check_page(page: Path) -> None:
    """Refuse to write over anything that is no report: a log given in the wrong place, say."""
    from wimdock.doctor.report_html import BEGINNING
    from wimdock.files import storage_error

    try:
        with page.open("rb") as file:
            is_report = file.read(len(BEGINNING)) == BEGINNING.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, page) from error
    if not is_report:
        message = f"{page} is there already and is no report of wimdock doctor"
        raise UsageError(message, hint="Give --html the name of a file that is not there yet.")


def _write_page(page: Path, found: Report) -> None:
    """Write the file whole or not at all."""
    import os

    from wimdock.doctor.report_html import page_of
    from wimdock.files import storage_error

    unfinished = page.with_name(f".{page.name}.{os.getpid()}")
    try:
        try:
            unfinished.write_text(page_of(found), encoding="utf-8")
            unfinished.replace(page)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, page) from error
