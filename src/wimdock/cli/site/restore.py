"""`wimdock site restore`: a site of a backup."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import count, moment, print_document, print_text, visible

_EXAMPLES = examples(
    "wimdock site restore /backup/CAS-20261103T120000Z.tar.gz /srv/wimdock",
    "wimdock site restore cas.tar.gz /srv/wimdock --database postgresql://wimdock@db2/wimdock",
)


@click.command(epilog=_EXAMPLES)
@click.argument("backup", type=FILE, metavar="BACKUP")
@click.argument("folder", type=FILE, metavar="FOLDER")
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="An empty PostgreSQL database; without it the site has SQLite in its folder.",
)
@json_option
def restore(*, backup: Path, folder: Path, url: str | None, as_json: bool) -> None:
    """Make a site of a backup, in an empty folder and an empty database.

    All of the backup is verified before anything is made, and what goes wrong leaves both places
    empty. The kind of database may be another one than before. Workers of the old site count as
    dead, and runs that they executed wait again.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.backup.restoration import restore_site
    from wimdock.site.opening import Place

    with Terminal() as terminal:
        done = restore_site(backup, Place(folder, url), reporter=Reporter(terminal))
    manifest = done.manifest
    if as_json:
        content = {
            "backup": str(backup),
            "code": manifest.code,
            "folder": str(done.folder),
            "database": done.database,
            "time": manifest.created_at,
            "with_updates": manifest.updates,
            "with_secrets": manifest.secrets,
            "runs_waiting_again": done.standstill.runs,
            "workers_dead": done.standstill.workers,
        }
        print_document("site_restore", content)
        return
    print_text(
        f"site {manifest.code} in {visible(str(done.folder))}, database {visible(done.database)}, "
        f"as of {moment(manifest.created_at)}"
    )
    if done.standstill.runs:
        print_text(f"  {count(done.standstill.runs, 'run')} that were under way wait again")
    filled = {each.table for each in manifest.members if each.rows}
    if "distribution_points" in filled:
        print_text(
            "  folders that are distribution points still belong to the old site: stop it, "
            "then wimdock distribution enable POINT"
        )
    if not manifest.updates and "updates" in filled:
        print_text("  the files of the update library are not in the backup: copy updates/ over")
    if not manifest.secrets:
        print_text("  passwords and keys are not in the backup: put them into wimdock.toml")
