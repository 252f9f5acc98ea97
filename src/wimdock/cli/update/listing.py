"""`wimdock update list`: the updates of the library."""

from __future__ import annotations

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import Column, print_document, print_text, size
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.update.document import listed_content
from wimdock.errors import ScheduleError, UsageError

_EXAMPLES = examples(
    "wimdock update list",
    "wimdock update list --kb KB5000802 --architecture amd64",
    "wimdock update list --family Package_for_RollupFix",
    "wimdock update list --retired --json",
)


@click.command("list", epilog=_EXAMPLES)
@click.option("--kb", metavar="KB", help="Only updates of this KB number, such as KB5000802.")
@click.option("--architecture", metavar="NAME", help="Only updates for it, such as amd64.")
@click.option("--family", metavar="NAME", help="Only updates whose package's name begins so.")
@click.option("--retired", is_flag=True, help="Those that were retired, instead of the others.")
@click.option("--unsupported", is_flag=True, help="Only those that wimdock cannot put in.")
@site_options
@json_option
def list_(
    *,
    kb: str | None,
    architecture: str | None,
    family: str | None,
    retired: bool,
    unsupported: bool,
    place: SitePlace,
    as_json: bool,
) -> None:
    """List the updates.

    `superseded by` names the newest update of the library that replaces one: of the same family,
    and for everything that it is for. The signature is not verified: what a catalog covers has the
    hashes that the catalog lists.
    """
    from wimdock.site.updates.listing import UpdateFilter, list_updates
    from wimdock.site.updates.selection import kb_of

    try:
        number = kb_of(kb) if kb else ""
    except ScheduleError as error:
        raise UsageError(error.message, hint=error.hint) from error
    wanted = UpdateFilter(
        kb=number,
        architecture=architecture or "",
        family=family or "",
        retired=retired,
        unsupported=unsupported or None,
    )
    with place.opened() as site, site.reading() as session:
        found = list_updates(session, wanted)
    if as_json:
        print_document("updates", {"updates": [listed_content(each) for each in found]})
        return
    if not found:
        print_text("There is no such update: `wimdock update import` brings some.")
        return
    columns = (
        Column("update", right=True),
        "KB",
        "architecture",
        "version",
        "language",
        "classification",
        Column("size", right=True),
        "released",
        "state",
        "title",
    )
    print_summary(
        columns,
        [
            (
                each.id,
                each.kb,
                each.architecture,
                each.version,
                each.language,
                each.classification,
                size(each.size),
                f"{each.released_at:%Y-%m-%d}" if each.released_at else "",
                _state(each.unsupported, each.superseded_by, catalogued=each.catalogued),
                each.title,
            )
            for each in found
        ],
    )


def _state(unsupported: int, superseded_by: int | None, *, catalogued: bool) -> str:
    words = []
    if unsupported:
        words.append("unsupported")
    if superseded_by is not None:
        words.append(f"superseded by {superseded_by}")
    if not catalogued:
        words.append("unsigned")
    return ", ".join(words)
