"""A site of a test's own and its commands, run in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.ended import Ended
from wimdock.cli.main import run
from wimdock.site.opening import Place, create_site
from wimdock.site.site import Site


class SiteCommand:
    """Runs commands of one site and gives how they ended."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Make the site, on SQLite."""
        self.site: Site = create_site(Place(folder), "CAS")
        self._capsys = capsys

    def __call__(self, *words: str) -> Ended:
        """Run a command line, with --site."""
        status = run([*words, "--site", str(self.site.folder)])
        printed = self._capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    def close(self) -> None:
        """Close the site."""
        self.site.close()
