"""`wimdock update import`: files and folders into the update library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wimdock.cli.columns import print_summary
from wimdock.cli.failure import failures
from wimdock.cli.options import FILE, dictionary_option, examples, json_option
from wimdock.cli.output import Column, count, print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options
from wimdock.cli.update.document import update_content
from wimdock.errors import WimdockError

if TYPE_CHECKING:
    from wimdock.site.updates.importing import Imported

_EXAMPLES = examples(
    "wimdock update import windows10.0-kb5000802-x64.msu",
    "wimdock update import /srv/downloads",
    "wimdock update import OpenSSH-Server.cab --manifest-dictionary manifest-dictionary.bin",
)


@click.command("import", epilog=_EXAMPLES)
@click.argument("paths", type=FILE, nargs=-1, required=True, metavar="FILE|FOLDER...")
@dictionary_option
@site_options
@json_option
def import_(
    *,
    paths: tuple[Path, ...],
    manifest_dictionary: Path | None,
    place: SitePlace,
    as_json: bool,
) -> int:
    """Import update files and folders.

    A file is copied into the library under its SHA-256 and read: identity, KB number, architecture,
    version, parents, and every hash that its manifests and catalogs list. Of a folder, all .cab and
    .msu files in it and below. A file that is known already is not kept twice; one whose copy in
    the library is damaged mends it; one that was retired comes back into use.

    An update that wimdock cannot put into an image is kept all the same, with its reasons, and no
    rule of a schedule chooses it. Compressed manifests need the dictionary of a servicing stack:
    that of an image of the site unless --manifest-dictionary names a file.

    Of several files, those that cannot be imported keep no others from it.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.servicing.options import read_dictionary
    from wimdock.site.updates.importing import ImportOptions, import_updates

    options = ImportOptions(read_dictionary(manifest_dictionary))
    found: list[Imported] = []
    errors: list[WimdockError] = []
    with place.opened() as site, Terminal() as terminal:
        reporter = Reporter(terminal)
        for path in dict.fromkeys(paths):
            try:
                found += import_updates(site, path, options, reporter)
            except WimdockError as error:
                if len(paths) == 1:
                    raise
                errors.append(error)
    errors += [each.error for each in found if each.error is not None]
    if errors and len(errors) == len(found):
        raise errors[0] if len(errors) == 1 else ExceptionGroup("nothing was imported", errors)
    failed = [failure for error in errors for failure in failures(error)]
    for failure in failed:
        for line in failure.lines():
            sys.stderr.write(line + "\n")
    if as_json:
        content = {
            "imported": [_content(each) for each in found if each.update is not None],
            "failed": [failure.content() for failure in failed],
        }
        print_document("update_import", content)
    else:
        _show(found)
    return failed[0].exit_code if failed else 0


def _content(imported: Imported) -> dict[str, object]:
    return {
        "file": imported.path,
        "result": imported.state.value,
        "notes": list(imported.notes),
        "update": update_content(imported.update) if imported.update else None,
    }


def _show(found: list[Imported]) -> None:
    columns = (
        Column("update", right=True),
        "result",
        "KB",
        "architecture",
        "version",
        Column("size", right=True),
        "title",
        "file",
    )
    done = [(each, each.update) for each in found if each.update is not None]
    print_summary(
        columns,
        [
            (
                update.id,
                each.state.value,
                update.kb,
                update.architecture,
                update.version,
                size(update.size),
                update.title,
                each.path.name,
            )
            for each, update in done
        ],
    )
    for each, update in done:
        for note in each.notes:
            print_text(f"update {update.id}: {visible(note)}")
    failed = len(found) - len(done)
    if failed:
        print_text(f"{count(failed, 'file')} could not be imported.")
