"""What a child process does: one step of a run, with the site opened anew.

Everything that a step needs is imported here, so that the fork server has it ready.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wimdock.clock import Clock
from wimdock.site.database import Database, parse_url, sqlite_url
from wimdock.site.models import Base, StepName
from wimdock.site.settings import Settings
from wimdock.site.site import Site
from wimdock.site.steps.perform import perform

PRELOAD = (
    __name__,
    "wimdock.cli.main",
    "asn1crypto.cms",
    "encodings.utf_16_le",
    "libarchive",
    "lxml.etree",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
)
"""The modules that the fork server imports: this one, each child's main program, and what servicing
and the database would import when they first need it."""

Base.registry.configure()  # once for all children, not in each at its first question


@dataclass(frozen=True, slots=True)
class SiteHandle:
    """An open site without its connections: another process can open it without looking for it.

    `url` has the password in it; None stands for SQLite in the folder.
    """

    folder: Path
    code: str
    uuid: str
    url: str | None = field(repr=False)
    settings: Settings
    clock: Clock
    operator: str
    host: str

    @classmethod
    def of(cls, site: Site) -> SiteHandle:
        """Give the handle of a site."""
        database = site.database
        return cls(
            site.folder,
            site.code,
            site.uuid,
            None if database.is_sqlite else database.url.render_as_string(hide_password=False),
            site.settings,
            site.clock,
            site.operator,
            site.host,
        )

    def open(self) -> Site:
        """Open it; the caller closes it."""
        url = sqlite_url(self.folder) if self.url is None else parse_url(self.url)
        return Site(
            self.folder,
            self.code,
            self.uuid,
            Database(url),
            self.settings,
            self.clock,
            self.operator,
            self.host,
        )


def do_step(handle: SiteHandle, run_id: int, token: int, step: StepName) -> None:
    """Do a step of a run; how it ended is in its row, see `wimdock.site.steps.perform`."""
    site = handle.open()
    try:
        perform(site, run_id, token, step)
    finally:
        site.close()
