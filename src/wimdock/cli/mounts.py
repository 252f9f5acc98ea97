"""`wimdock mounts`: what is mounted where, and what is left of mounts that are over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, moment, print_document, print_text, visible

if TYPE_CHECKING:
    from wimdock.servicing.mounts import Cleared, Mounted

_EXAMPLES = examples("wimdock mounts", "wimdock mounts --cleanup", "wimdock mounts --json")
_COLUMNS = ("state", Column("index", right=True), "mode", "owner", "since", "image", "directory")


@click.command(epilog=_EXAMPLES)
@click.option(
    "--cleanup",
    is_flag=True,
    help="First clear away what is left of wimdock's mounts that are over; live ones stay.",
)
@json_option
def mounts(*, cleanup: bool, as_json: bool) -> None:
    """List the mounted images and what is left of mounts that are over.

    An image is `mounted`; or its mount is `stale` where its process has ended or the machine was
    restarted, or `invalid` where it cannot be mounted again as it was. The owner is `wimlib`
    where wimdock did not mount it, or another user did.
    """
    from wimdock.servicing.mounts import cleanup_mountpoints, list_mounts

    cleared = cleanup_mountpoints() if cleanup else ()
    found = list_mounts()
    abandoned = _abandoned(found)
    if as_json:
        content = {
            "mounts": [_content(each) for each in found],
            "cleared": [
                {"directory": each.record.directory, "image": each.record.image, "done": each.done}
                for each in cleared
            ],
            "abandoned_staging": abandoned,
        }
        print_document("mounts", content)
        return
    _print_cleared(cleared)
    if not found:
        print_text("No image is mounted.")
    else:
        print_summary(_COLUMNS, [_row(each) for each in found])
    for each in found:
        if each.note:
            print_text(f"{visible(str(each.directory))}: {visible(each.note)}")
    for folder in abandoned:
        print_text(
            f"{visible(str(folder))} was left by a mount that wimdock did not make: remove it "
            "yourself when you are sure that nobody needs the changes in it."
        )
    if any(each.record is not None and not each.is_live for each in found):
        print_text("`wimdock mounts --cleanup` clears away what is left of wimdock's own mounts.")


def _abandoned(found: Sequence[Mounted]) -> list[Path]:
    from wimdock.servicing.mounts.staging import abandoned_staging

    images = dict.fromkeys(each.image for each in found if each.image is not None)
    return [folder for image in images for folder in abandoned_staging(image)]


def _print_cleared(cleared: Sequence[Cleared]) -> None:
    for each in cleared:
        print_text(visible(f"{each.record.directory}: {', '.join(each.done)}"))


def _mode(mounted: Mounted) -> str:
    return "read/write" if mounted.writable else "read-only"


def _row(each: Mounted) -> tuple[object, ...]:
    since = "" if each.record is None else moment(each.record.since)
    image = "?" if each.image is None else each.image
    return each.state.value, each.index, _mode(each), each.owner, since, image, each.directory


def _content(each: Mounted) -> dict[str, object]:
    record = each.record
    return {
        "directory": each.directory,
        "image": each.image,
        "index": each.index,
        "writable": each.writable,
        "state": each.state,
        "owner": each.owner,
        "since": None if record is None else record.since,
        "host": None if record is None or record.host is None else str(record.host),
        "typed": "" if record is None else record.typed,
        "note": each.note,
    }
