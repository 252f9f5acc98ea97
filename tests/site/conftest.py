"""Sites for tests, each on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.site.postgres import PostgresServer, programs
from wimdock.site.opening import Place, create_site
from wimdock.site.site import Site


class SetClock:
    """A clock that tests set."""

    def __init__(self, at: datetime) -> None:
        """Start at `at`."""
        self.at = at

    def now(self) -> datetime:
        """Give the time it was set to."""
        return self.at

    def advance(self, **span: float) -> None:
        """Go on by a timedelta's arguments."""
        self.at += timedelta(**span)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Give a running server."""
    binaries = programs()
    if binaries is None:
        skip_or_fail("no PostgreSQL server is installed")
    # The server's own account must be able to reach it, which pytest's folders do not allow.
    folder = Path(tempfile.mkdtemp(prefix="wimdock-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "server", binaries)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clock() -> SetClock:
    """Give the clock of the site: a Tuesday."""
    return SetClock(datetime(2026, 11, 3, 12, 0, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """Give the URL of an empty database; None stands for SQLite in the site's folder."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def make_site(tmp_path: Path, clock: SetClock) -> Iterator[Callable[[str | None], Site]]:
    """Give a function that makes a site on a database."""
    made: list[Site] = []

    def make(url: str | None = None) -> Site:
        site = create_site(Place(tmp_path / f"site{len(made)}", url), "CAS", clock)
        made.append(site)
        return site

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: Callable[[str | None], Site], database_url: str | None) -> Site:
    """Give a site: the test runs once on each kind of database."""
    return make_site(database_url)
