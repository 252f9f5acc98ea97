"""`wimdock status show`: one status message, whole."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import moment, print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.status.options import message_content, severity_word

_EXAMPLES = examples("wimdock status show 12", "wimdock status show 12 --json")
_WIDTH = 16


@click.command(epilog=_EXAMPLES)
@click.argument("number", type=Number(1), metavar="NUMBER")
@site_options
@json_option
def show(*, number: int, place: SitePlace, as_json: bool) -> None:
    """Show a status message with all its fields.

    NUMBER is the one that `wimdock status list` shows first; the ID says of which kind it is.
    """
    from wimdock.site.messages import TABLE, name_of, text_of
    from wimdock.site.messages.listing import message_of

    with place.opened() as site:
        row = message_of(site, number)
    if as_json:
        print_document("status_message", message_content(row))
        return
    kind = TABLE.get(row.message_id)
    print_text(visible(text_of(row)))
    print_text()
    facts = [
        ("number", row.id),
        ("id", f"{row.message_id}{f' ({name_of(kind)})' if kind else ''}"),
        ("severity", severity_word(row)),
        ("time", moment(row.at)),
        ("component", row.component),
        ("machine", row.machine),
        ("site", row.site_code),
        ("process", row.pid),
        ("thread", row.tid),
        ("run", row.run_id),
        ("schedule", row.schedule_id),
        ("image package", row.package_id),
    ]
    names = kind.strings if kind else ()
    for place_of, string in enumerate(row.strings):
        name = names[place_of] if place_of < len(names) else ""
        facts.append((f"ISTR{place_of}{f' {name}' if name else ''}", string))
    for name, value in facts:
        if value is not None:
            print_text(visible(f"{name + ':':<{_WIDTH}}{value}"))
