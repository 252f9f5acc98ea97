"""Measures every command that lists, and a tick, on a site that is large: scripts/load.

On SQLite and on PostgreSQL a site is filled with 1,000 image packages, 100,000 rows of history and
all that belongs to them. Each command is run as whole processes, from the cold start to the end,
and within one process, where only its own work counts.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bench.figure import Figure, Range
from bench.load_rows import QUICK, LoadScale, fill
from bench.process import WIMDOCK, BenchError, timed
from bench.results import machine, table
from tests.site.postgres import PostgresServer, programs
from wimdock.cli.main import run
from wimdock.site.metrics import metrics_text
from wimdock.site.notifications import send_due
from wimdock.site.opening import Place, create_site, open_site
from wimdock.site.schedules.tick import tick
from wimdock.site.site import Site

LIST_SECONDS = 0.5
TICK_SECONDS = 1.0

COMMANDS = (
    "image list",
    "image show CAS00002",
    "image history CAS00002",
    "update list",
    "update show 16777217",
    "update applicability CAS00002",
    "schedule list",
    "schedule show 16777217",
    "schedule explain 16777217",
    "run list",
    "run list --state failed --image CAS00003",
    "run show 500",
    "run log 500",
    "status list",
    "status list --severity error",
    "status list --image CAS00003",
    "status list --run 500",
    "provider list",
    "distribution list",
    "distribution status CAS00002",
    "notification list",
    "notification list --state waiting",
    "worker list",
    "site status",
    "site audit",
    "user list",
)
"""What is measured: every command that lists, and those that show one thing among many."""

Say = Callable[[str], None]


class MovedClock:
    """The machine's clock, moved to some time ahead."""

    def __init__(self) -> None:
        """Start with the machine's time."""
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Give the time."""
        from wimdock.clock import SystemClock

        return SystemClock().now() + self.ahead


@dataclass
class Load:
    """A filled site, and what was measured on it. `figures` has seconds."""

    site: Site
    clock: MovedClock
    rounds: int
    say: Say
    figures: list[Figure] = field(default_factory=list)

    @property
    def database(self) -> str:
        """The kind of database, for tables."""
        return "SQLite" if self.site.database.is_sqlite else "PostgreSQL"

    def measure(self, commands: Sequence[str] = COMMANDS) -> None:
        """Measure everything, commands first: ticks make runs."""
        for command in commands:
            self.say(f"{self.database}: wimdock {command}")
            words = [*command.split(), "--site", str(self.site.folder)]
            self._note(command, [self.within(words) for _ in range(self.rounds)], LIST_SECONDS)
            whole = [timed(WIMDOCK, *words).seconds for _ in range(self.rounds)]
            self._note(f"{command}, whole process", whole, LIST_SECONDS)
        self._note("metrics", self._repeated(lambda: metrics_text(self.site)), LIST_SECONDS)
        self._note("sending no notification", self._repeated(lambda: send_due(self.site)), None)
        self._ticks()

    def _ticks(self) -> None:
        self.say(f"{self.database}: ticks")
        self._note("tick, nothing due", self._repeated(lambda: tick(self.site)), TICK_SECONDS)
        taken = []
        for _ in range(self.rounds):
            self.clock.ahead += timedelta(days=35)
            began = time.perf_counter()
            done = tick(self.site)
            taken.append(time.perf_counter() - began)
            if not done.started:
                message = "a schedule that is due was not started"
                raise BenchError(message)
        self._note(f"tick, {len(done.started):,} runs due", taken, TICK_SECONDS)

    def _note(self, name: str, seconds: Sequence[float], goal: float | None) -> None:
        self.figures.append(
            Figure(name, self.database, Range.of(seconds), goal, unit="s", rounds=len(seconds))
        )

    def _repeated(self, what: Callable[[], object]) -> list[float]:
        what()
        taken = []
        for _ in range(self.rounds):
            began = time.perf_counter()
            what()
            taken.append(time.perf_counter() - began)
        return taken

    def within(self, words: Sequence[str]) -> float:
        """Run a command in this process; what it imports is there after the first time."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            began = time.perf_counter()
            status = run(list(words))
            taken = time.perf_counter() - began
        if status or not out.getvalue():
            message = f"wimdock {' '.join(words)} ended with {status}: {err.getvalue()}"
            raise BenchError(message)
        return taken


@contextlib.contextmanager
def filled_site(
    folder: Path, url: str | None, scale: LoadScale, say: Say
) -> Iterator[tuple[Site, MovedClock]]:
    """Make a site and fill it; it is closed at the end."""
    clock = MovedClock()
    create_site(Place(folder / "site", url), "CAS").close()
    site = open_site(Place(folder / "site"), clock)
    try:
        fill(site, folder / "images", scale, say)
        yield site, clock
    finally:
        site.close()


@contextlib.contextmanager
def database_of(kind: str, given: str | None) -> Iterator[str | None]:
    """Give the URL of an empty database; None for SQLite."""
    if kind == "sqlite" or given is not None:
        yield given if kind == "postgresql" else None
        return
    binaries = programs()
    if binaries is None:
        message = "no PostgreSQL server is installed: name an empty database with --database"
        raise BenchError(message)
    # The server's own account must be able to reach it.
    home = Path(tempfile.mkdtemp(prefix="wimdock-load-"))
    home.chmod(0o755)
    server = PostgresServer(home / "server", binaries)
    server.start()
    try:
        yield server.new_database()
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def main(words: list[str] | None = None) -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="scripts/load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small site: shows that it runs")
    parser.add_argument("--rounds", type=int, default=5, help="of every command (%(default)s)")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="only this database")
    parser.add_argument("--database", metavar="URL", help="an empty PostgreSQL database to fill")
    given = parser.parse_args(words)
    scale = QUICK if given.quick else LoadScale()
    figures: list[Figure] = []
    for kind in ("sqlite", "postgresql"):
        if given.only not in (None, kind):
            continue
        with (
            tempfile.TemporaryDirectory(prefix="wimdock-load-") as folder,
            database_of(kind, given.database) as url,
            filled_site(Path(folder), url, scale, _say) as (site, clock),
        ):
            load = Load(site, clock, given.rounds, _say)
            load.measure()
            figures += load.figures
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"\n{table(figures)}")
    return 1 if any(figure.met is False for figure in figures) else 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.environ.pop("WIMDOCK_SITE", None)
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"load: {error}")
