"""`wimdock update retire`: updates taken out of use."""

from __future__ import annotations

import click

from wimdock.cli.options import Number, examples, json_option
from wimdock.cli.output import print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.update.document import update_content

_EXAMPLES = examples(
    "wimdock update retire 16777217", "wimdock update retire 16777217 16777218 --delete-file"
)


@click.command(epilog=_EXAMPLES)
@click.argument("update_ids", type=Number(1), nargs=-1, required=True, metavar="UPDATE...")
@click.option("--delete-file", is_flag=True, help="Delete their files from the library too.")
@site_options
@json_option
def retire(
    *, update_ids: tuple[int, ...], delete_file: bool, place: SitePlace, as_json: bool
) -> None:
    """Take updates out of use: all that are named, or none.

    No rule chooses a retired update, and no schedule can name it any more. What is known of it
    stays, for the history of the images that have it. Importing its file again brings it back. It
    is refused while a schedule names it, and --delete-file while a run takes it.
    """
    from wimdock.site.updates.retiring import retire as retire_updates

    with place.opened() as site:
        found = retire_updates(site, update_ids, delete_file=delete_file)
    if as_json:
        content = {
            "retired": [
                update_content(each.update)
                | {"was_retired": each.was_retired, "freed_bytes": each.freed}
                for each in found
            ]
        }
        print_document("update_retire", content)
        return
    for each in found:
        done = "was retired already" if each.was_retired else "is retired"
        freed = f", {size(each.freed)} freed" if each.freed else ""
        print_text(f"update {each.update.id} ({visible(each.update.title)}) {done}{freed}")
