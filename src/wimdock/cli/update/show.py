"""`wimdock update show`: all that is known of an update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import count, moment, print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.update.document import details_content, signature_words

if TYPE_CHECKING:
    from wimdock.site.updates.details import UpdateDetails

_EXAMPLES = examples(
    "wimdock update show 16777217",
    "wimdock update show 16777217 --json | jq .packages",
)


@click.command(epilog=_EXAMPLES)
@click.argument("update_id", type=Number(1), metavar="UPDATE")
@site_options
@json_option
def show(*, update_id: int, place: SitePlace, as_json: bool) -> None:
    """Show all that is known of an update.

    Its packages and what they ask for, who its catalog says has signed it, why wimdock cannot put
    it in, what replaces it, and the schedules that name it.
    """
    from wimdock.site.updates.details import details_of

    with place.opened() as site:
        found = details_of(site, update_id)
    if as_json:
        print_document("update", details_content(found))
        return
    for line in _lines(found):
        print_text(visible(line))


def _lines(found: UpdateDetails) -> Iterator[str]:
    update = found.update
    yield f"{update.id}: {update.title}"
    facts = [update.kb, update.classification, update.architecture, update.language]
    yield f"  {', '.join(filter(None, [*facts, f'version {update.version}']))}"
    yield f"  {update.identity}"
    yield f"  {update.file_name}, {size(update.size)}, SHA-256 {update.sha256}"
    if found.file:
        yield f"  its file cannot be used: {found.file}"
    signer = f"; its catalog names the signer {update.signer!r}" if update.signer else ""
    hashes = count(update.verified, "hash", "hashes")
    yield f"  {hashes} compared: {signature_words(update)}{signer}"
    if update.released_at:
        yield f"  newest date in the file: {moment(update.released_at)}"
    yield f"  imported on {moment(update.imported_at)} by {update.imported_by} from {update.source}"
    if update.retired_at:
        yield f"  retired on {moment(update.retired_at)}"
    yield from _around(found)
    if update.unsupported:
        yield "Wimdock cannot put it in:"
        yield from (f"  - {reason}" for reason in update.unsupported)
    yield "Packages"
    for package in update.packages:
        yield from _package(package)


def _around(found: UpdateDetails) -> Iterator[str]:
    if found.superseded_by is not None:
        yield f"  superseded by update {found.superseded_by}"
    if found.supersedes:
        yield f"  supersedes {_numbers('update', found.supersedes)}"
    if found.same:
        yield f"  the same package in other bytes: {_numbers('update', found.same)}"
    if found.schedules:
        yield f"  named by {_numbers('schedule', found.schedules)}"


def _numbers(noun: str, numbers: Sequence[int]) -> str:
    plural = noun if len(numbers) == 1 else f"{noun}s"
    return f"{plural} {', '.join(str(number) for number in numbers)}"


def _package(package: dict[str, Any]) -> Iterator[str]:
    covered = "" if package["catalogued"] else ", not covered by a catalog"
    yield f"  {package['identity']}{covered}"
    for parent in package["parents"]:
        yield f"    for {' or '.join(parent['any_of']) or 'a package that it does not name'}"
