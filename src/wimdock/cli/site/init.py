"""`wimdock site init`: a new site."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from wimdock.cli.options import FILE, examples, json_option
from wimdock.cli.output import print_document, print_text, visible

_EXAMPLES = examples(
    "wimdock site init /srv/wimdock --code CAS",
    "wimdock site init /srv/wimdock --code CAS --database postgresql://wimdock@db1/wimdock",
)


@click.command(epilog=_EXAMPLES)
@click.argument("folder", type=FILE, metavar="FOLDER")
@click.option(
    "--code",
    required=True,
    metavar="CODE",
    help="The site's code, three letters or digits: image packages are named by it.",
)
@click.option(
    "--database",
    "url",
    metavar="URL",
    help="An empty PostgreSQL database; without it the site has SQLite in its folder.",
)
@json_option
def init(*, folder: Path, code: str, url: str | None, as_json: bool) -> None:
    """Make a site in a folder.

    FOLDER is made where it is missing; other files in it are left alone. It gets wimdock.toml,
    which lists every setting, the update library and the logs. A password in URL is kept in
    wimdock.toml, which only its owner can read; WIMDOCK_DATABASE_PASSWORD, the setting
    password_file and PostgreSQL's own ~/.pgpass do without.

    Run again after it was stopped half way, it goes on from there.
    """
    from wimdock.site.opening import Place, create_site
    from wimdock.site.settings import SETTINGS_NAME

    site = create_site(Place(folder, url), code.upper())
    try:
        content = {
            "code": site.code,
            "uuid": site.uuid,
            "folder": str(site.folder),
            "database": site.database.shown,
            "settings": str(site.folder / SETTINGS_NAME),
        }
    finally:
        site.close()
    if as_json:
        print_document("site_init", content)
        return
    print_text(f"site {site.code} in {visible(str(site.folder))}, database {site.database.shown}")
    print_text(f"  settings: {visible(str(content['settings']))}")
    named = visible(shlex.quote(str(site.folder)))
    print_text(f"  next:     export WIMDOCK_SITE={named}, or give every command --site {named};")
    print_text("            then wimdock image add FILE, wimdock update import FILE")
