"""`wimdock status export`: status messages as a file, for other programs."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import count, print_document, print_text, visible, writing
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.status.options import Chosen, filter_options, message_content
from wimdock.clock import iso_utc
from wimdock.errors import UsageError

if TYPE_CHECKING:
    from wimdock.site.models import StatusMessageRow

_EXAMPLES = examples(
    "wimdock status export --format csv messages.csv",
    "wimdock status export --format json --since 7d messages.json",
    "wimdock status export --format csv --severity error -",
)
_STDOUT = Path("-")
_STRINGS = 10
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADS = (
    *("number", "id", "name", "severity", "time", "text", "component", "machine", "site"),
    *("process", "thread", "run", "schedule", "image_package"),
)


@click.command(epilog=_EXAMPLES)
@click.option(
    "--format",
    "form",
    type=click.Choice(("json", "csv")),
    required=True,
    help="How to write them: one JSON document, or CSV with a line of titles.",
)
@filter_options
@click.argument("out", type=FILE, metavar="OUT")
@site_options
@json_option
def export(*, form: str, chosen: Chosen, out: Path, place: SitePlace, as_json: bool) -> None:
    """Write status messages to a file, JSON or CSV, the oldest first.

    OUT is written whole or not at all, over a file that is there; - stands for stdout. In CSV a
    cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    if out == _STDOUT and as_json:
        message = "--json says what was written, and stdout is where it was to be written"
        raise UsageError(message, hint="Name a file, or leave --json out.")
    from wimdock.site.messages.listing import streamed

    write = {"json": write_json, "csv": write_csv}[form]
    with (
        place.opened() as site,
        streamed(site, chosen.filter_for(site)) as rows,
        _opened(out) as file,
    ):
        number = write(file, rows)
    if as_json:
        content = {"file": str(out), "format": form, "messages": number}
        print_document("status_export", content)
    elif out != _STDOUT:
        print_text(f"{visible(str(out))}: {count(number, 'status message')}")


@contextmanager
def _opened(out: Path) -> Iterator[TextIO]:
    """Give the file to write; it takes its name when all of it is there."""
    from wimdock.files import storage_error

    if out == _STDOUT:
        with writing():
            yield sys.stdout
            sys.stdout.flush()
        return
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with unfinished.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                unfinished.replace(out)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, out) from error


def write_json(file: TextIO, rows: Iterator[StatusMessageRow]) -> int:
    """Write a document `status_messages` row by row, and give their number."""
    head = json.dumps({"wimdock": {"document": "status_messages", "version": 1}})
    file.write(f'{head[:-1]}, "messages": [')
    number = 0
    for row in rows:
        file.write(f"{',' if number else ''}\n{json.dumps(_plain(row))}")
        number += 1
    file.write("\n]}\n")
    return number


def write_csv(file: TextIO, rows: Iterator[StatusMessageRow]) -> int:
    """Write CSV row by row, and give the number of rows without that of the titles."""
    writer = csv.writer(file)
    writer.writerow((*_HEADS, *(f"string{place}" for place in range(_STRINGS))))
    number = 0
    for row in rows:
        content = _plain(row)
        strings = content["strings"]
        cells = [*(content[name] for name in _HEADS), *strings, *[""] * (_STRINGS - len(strings))]
        writer.writerow(list(map(harmless, cells)))
        number += 1
    return number


def harmless(cell: object) -> object:
    """Give a cell that no spreadsheet takes for a formula, by the rules of OWASP."""
    if isinstance(cell, str):
        text = cell.replace("\0", "\N{SYMBOL FOR NULL}")
        return f"'{text}" if text.startswith(_FORMULA) else text
    return cell


def _plain(row: StatusMessageRow) -> dict[str, Any]:
    content = message_content(row)
    content["time"] = iso_utc(row.at)
    return content
