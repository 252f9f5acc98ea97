"""What a child process does: one step of a run, with the site opened anew.

Everything that a step needs is imported here, so that the fork server has it ready.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from wimdock.clock import Clock
from wimdock.site.database import Database
from wimdock.site.models import StepName
from wimdock.site.settings import Settings
from wimdock.site.site import Site
from wimdock.site.steps.perform import perform

PRELOAD = (__name__, "wimdock.cli.main")
"""The modules that the fork server imports: the second is what each child's main program is."""


@dataclass(frozen=True, slots=True)
class SiteHandle:
    """An open site without its connections: another process can open it without looking for it."""

    folder: Path
    code: str
    uuid: str
    url: URL
    settings: Settings
    clock: Clock
    operator: str
    host: str

    @classmethod
    def of(cls, site: Site) -> SiteHandle:
        """Give the handle of a site."""
        return cls(
            site.folder,
            site.code,
            site.uuid,
            site.database.url,
            site.settings,
            site.clock,
            site.operator,
            site.host,
        )

    def open(self) -> Site:
        """Open it; the caller closes it."""
        return Site(
            self.folder,
            self.code,
            self.uuid,
            Database(self.url),
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
