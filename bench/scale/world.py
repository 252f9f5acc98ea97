"""The simulation: a site, schedulers that tick each minute, workers, and what befalls them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bench.scale.fleet import Planned, add_packages, add_schedules
from bench.scale.meter import Meter
from bench.scale.timeline import Timeline
from bench.scale.workers import Crowd
from wimdock.site.opening import Place, create_site, open_site
from wimdock.site.schedules.tick import tick
from wimdock.site.site import Site

START = datetime(2026, 11, 1, tzinfo=UTC)
_MINUTE = 60.0
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Size:
    """How large the simulation is: `group` image packages share a schedule.

    `troubles` is how often a day a worker dies, and how often one stands still. For `outage` hours
    in the middle no scheduler runs; else two of them tick after every so many `minutes`.
    """

    packages: int = 10_000
    workers: int = 500
    days: int = 30
    group: int = 250
    troubles: int = 24
    outage: int = 30
    minutes: int = 1
    seed: int = 1


class World:
    """A site in simulated time."""

    def __init__(self, folder: Path, size: Size) -> None:
        """Make the site, its image packages and schedules, and its workers."""
        self.size = size
        self.timeline = Timeline(START)
        self.meter = Meter(self.timeline, size.days)
        self.end = START + timedelta(days=size.days)
        self.outage = (
            START + timedelta(days=size.days / 2),
            START + timedelta(days=size.days / 2, hours=size.outage),
        )
        self._chance = random.Random(size.seed)
        self.site = _fast(create_site(Place(folder), "CAS", self.timeline))
        self._other = _fast(open_site(Place(folder), self.timeline))
        packages = add_packages(self.site, size.packages)
        self.schedules: list[Planned] = add_schedules(self.site, packages, size.group, START)
        self.crowd = Crowd(self.site, self.timeline, self.meter, self._chance)
        self.crowd.gather(size.workers)
        self.runs_made = 0
        self._tell: Callable[[str], None] = lambda _: None

    def close(self) -> None:
        """Stop the engines that still stand, and close the site."""
        for worker in self.crowd.workers:
            worker.engine.close()
        self.site.close()
        self._other.close()

    def play(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Let all days pass, then let the workers end what is left; `tell` hears of each day."""
        self._tell = tell
        self.timeline.after(self.size.minutes * _MINUTE, self._tick)
        self.timeline.after(_DAY_SECONDS, self._tidy)
        for dies in (True, False):
            self._trouble(dies=dies)
        self.timeline.run(self.end)
        self.timeline.run(self.end + timedelta(days=2))

    def _tick(self) -> None:
        """Let two schedulers tick at the same time, in changing order."""
        now = self.timeline.now()
        self.timeline.after(self.size.minutes * _MINUTE, self._tick)
        if now > self.end:
            self.crowd.serve()
            return
        if not self.outage[0] <= now < self.outage[1]:
            for site in self._chance.sample([self.site, self._other], 2):
                self._tick_once(site)
        self.crowd.serve()

    def _tick_once(self, site: Site) -> None:
        with self.meter.measure("tick") as measured:
            done = tick(site)
            measured.kind = "tick" if done.settled else "idle tick"
        self.runs_made += len(done.started)

    def _tidy(self) -> None:
        """Let the engines forget what is over, as workers do."""
        self.timeline.after(_DAY_SECONDS, self._tidy)
        before = self.timeline.now() - timedelta(days=1)
        self._tell(f"{self.timeline.now():%Y-%m-%d}: {self.runs_made:,} runs were made")
        self.crowd.workers[0].engine.forget(before)

    def _trouble(self, *, dies: bool) -> None:
        if self.timeline.now() > self.end:
            return
        pause = self._chance.expovariate(self.size.troubles / _DAY_SECONDS)

        def strike() -> None:
            self.crowd.trouble(dies=dies)
            self._trouble(dies=dies)

        self.timeline.after(pause, strike)


def _fast(site: Site) -> Site:
    """Let SQLite not wait for the disk: what is simulated are no power cuts."""

    def prepare(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    event.listen(site.database.engine, "connect", prepare)
    site.database.engine.dispose()
    return site
