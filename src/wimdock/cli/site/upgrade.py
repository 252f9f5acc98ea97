"""`wimdock site upgrade`: the database of an older version."""

from __future__ import annotations

import click

from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document, print_text, visible
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples("wimdock site upgrade", "wimdock site upgrade --site /srv/wimdock --json")


@click.command(epilog=_EXAMPLES)
@site_options
@json_option
def upgrade(*, place: SitePlace, as_json: bool) -> None:
    """Bring a site's database to this version of wimdock.

    Nothing may work with the site: it is refused while a worker lives. SQLite's database is copied
    first, to a file beside it; of PostgreSQL make a copy with its own tools. What goes wrong leaves
    the database as it was.
    """
    from wimdock.site.opening import Place
    from wimdock.site.upgrade import upgrade_site

    done = upgrade_site(Place(place.folder, place.url))
    copy = None if done.copy is None else str(done.copy)
    if as_json:
        content = {
            "database": done.database,
            "before": done.before,
            "after": done.after,
            "upgraded": done.before != done.after,
            "copy": copy,
        }
        print_document("site_upgrade", content)
        return
    if done.before == done.after:
        print_text(f"The database has schema {done.after}: nothing is to be done.")
        return
    print_text(f"The database has schema {done.after} now; it had {done.before}.")
    if copy is not None:
        print_text(f"  as it was: {visible(copy)}")
