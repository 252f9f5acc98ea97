"""`wimdock site backup`: all that a site knows, in one file."""

from __future__ import annotations

from pathlib import Path

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import count, print_document, print_text, size, visible
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock site backup /backup",
    "wimdock site backup cas.tar.gz --with-updates --with-secrets",
)


@click.command(epilog=_EXAMPLES)
@click.argument("out", type=FILE, metavar="OUT")
@click.option("--with-updates", is_flag=True, help="Also keep the files of the update library.")
@click.option(
    "--with-secrets", is_flag=True, help="Also keep passwords and keys that wimdock.toml holds."
)
@site_options
@json_option
def backup(
    *, out: Path, with_updates: bool, with_secrets: bool, place: SitePlace, as_json: bool
) -> None:
    """Write all that a site knows to one file, while it is in use.

    OUT is a file that does not exist yet, or a folder: then the file is named by code and time. It
    holds every table as of one moment and the settings, and can be restored to either kind of
    database. Image files are not in it, and neither are the logs.
    """
    from wimdock.cli.terminal import Terminal
    from wimdock.events import Reporter
    from wimdock.site.backup.creation import BackupOptions, backup_site

    options = BackupOptions(secrets=with_secrets, updates=with_updates)
    with place.opened() as site, Terminal() as terminal:
        made = backup_site(site, out, options, reporter=Reporter(terminal))
    members = made.manifest.members
    rows = sum(member.rows for member in members)
    updates = [member.size for member in members if member.update]
    if as_json:
        content = {
            "file": str(made.path),
            "bytes": made.size,
            "code": made.manifest.code,
            "schema": made.manifest.schema,
            "time": made.manifest.created_at,
            "rows": rows,
            "updates": len(updates),
            "with_updates": with_updates,
            "with_secrets": with_secrets,
        }
        print_document("site_backup", content)
        return
    parts = [count(rows, "row")]
    if with_updates:
        parts.append(f"{count(len(updates), 'update')} of {size(sum(updates))}")
    print_text(f"{visible(str(made.path))}: {size(made.size)}, {', '.join(parts)}")
