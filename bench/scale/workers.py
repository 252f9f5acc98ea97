"""Workers of the simulation: they claim runs, beat, die, stand still and come back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bench.scale.course import Files, SimulatedCourse
from bench.scale.memory_engine import Ledger, MemoryEngine
from bench.scale.meter import Meter
from bench.scale.timeline import Timeline
from wimdock.engine.port import RunKey
from wimdock.site.runs.queue import (
    HeartbeatWatch,
    WorkerOffer,
    bury,
    claim,
    heartbeat,
    register_worker,
    requeue,
    requeue_orphans,
)
from wimdock.site.runs.watching import list_workers
from wimdock.site.site import Site

BEAT_SECONDS = 3600.0
LEASE_SECONDS = 3 * BEAT_SECONDS
"""Beats are rarer than in earnest, in the proportion of a lease, so that a month can be played."""

_LOOK_SECONDS = 1800.0
_ORPHAN_SECONDS = 1200.0
_LONGEST_AWAY = 4 * LEASE_SECONDS


@dataclass
class Crowd:
    """What all workers share, and what became of them."""

    site: Site
    timeline: Timeline
    meter: Meter
    chance: random.Random
    files: Files = field(default_factory=Files)
    deaths: int = 0
    pauses: int = 0
    burials: int = 0
    workers: list[SimulatedWorker] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the ledger that the engines share."""
        self.ledger = Ledger(self.timeline, self.chance)
        self.watch = HeartbeatWatch(self.timeline.monotonic)

    def gather(self, count: int) -> None:
        """Let workers begin, and one of them look after the others."""
        for _ in range(count):
            worker = SimulatedWorker(self)
            worker.begin()
            self.workers.append(worker)
        self.timeline.after(_LOOK_SECONDS, self.look)

    def serve(self) -> None:
        """Let idle workers claim, one after the other, until one finds nothing."""
        for worker in self.chance.sample(self.workers, len(self.workers)):
            if worker.is_free and not worker.claim():
                return

    def look(self) -> None:
        """Bury workers that have been silent for too long, as the first live worker does."""
        self.timeline.after(_LOOK_SECONDS, self.look)
        heir = next((each for each in self.workers if each.is_awake), None)
        if heir is None:
            return
        with self.meter.measure("look"):
            for dead in self.watch.overdue(list_workers(self.site)):
                if bury(self.site, dead.id) is not None:
                    self.burials += 1
                    heir.engine.take_over(dead.id)
            requeue_orphans(self.site, _ORPHAN_SECONDS)

    def trouble(self, *, dies: bool) -> None:
        """Let a worker, a busy one if there is any, die or stand still for a while."""
        awake = [worker for worker in self.workers if worker.is_awake]
        busy = [worker for worker in awake if worker.engine.running()]
        if not awake:
            return
        chosen = self.chance.choice(busy or awake)
        away = self.chance.uniform(60, _LONGEST_AWAY)
        if dies:
            self.deaths += 1
            chosen.die(away)
        else:
            self.pauses += 1
            chosen.pause(away)


class SimulatedWorker:
    """A place where a worker runs: a process, and after its death another one."""

    def __init__(self, crowd: Crowd) -> None:
        """Take what it shares with the others."""
        self._crowd = crowd
        self._id = ""
        self._room = 1
        self._pulse = 0
        self.engine = MemoryEngine(crowd.ledger)
        self.is_awake = False

    @property
    def is_free(self) -> bool:
        """Tell whether it could take a run."""
        return self.is_awake and len(self.engine.running()) < self._room

    def begin(self) -> None:
        """Begin as a new process."""
        crowd = self._crowd
        self._room = crowd.chance.choice((1, 1, 2, 4))
        offer = WorkerOffer("host", "boot", 1, concurrency=self._room, lease_seconds=LEASE_SECONDS)
        self._id = register_worker(crowd.site, offer)
        self.engine = MemoryEngine(crowd.ledger)
        course = SimulatedCourse(
            crowd.site,
            self._id,
            crowd.files,
            crowd.meter,
            crowd.chance,
            has_room=lambda key: len(self.engine.running() | {key}) <= self._room,
            ended=lambda: crowd.timeline.after(1.0, self._go_on),
        )
        self.engine.open(self._id, course)
        self.is_awake = True
        self._beat_after(crowd.chance.uniform(0, BEAT_SECONDS))
        self.claim()

    def claim(self) -> bool:
        """Take as many runs as there is room for; tell whether there was one."""
        crowd = self._crowd
        free = self._room - len(self.engine.running())
        with crowd.meter.measure("claim") as measured:
            found = claim(crowd.site, self._id, free)
            measured.kind = "claim" if found else "idle claim"
        for each in found:
            if not self.engine.start(RunKey(each.run_id, each.attempt)):
                requeue(crowd.site, each.run_id, each.attempt, self._id)
        return bool(found)

    def die(self, away: float) -> None:
        """End without a word; another process takes its place later."""
        self.is_awake = False
        self.engine.close()
        self._crowd.timeline.after(away, self.begin)

    def pause(self, away: float) -> None:
        """Stand still, and go on later as if nothing had been."""
        self.is_awake = False
        self.engine.pause()
        self._crowd.timeline.after(away, self._wake)

    def _wake(self) -> None:
        # The worst order: what it was doing goes on before it learns that it was taken for dead.
        self.is_awake = True
        self.engine.wake()
        self._beat_after(0)

    def _go_on(self) -> None:
        if self.is_free:
            self.claim()

    def _beat_after(self, seconds: float) -> None:
        """Beat after some seconds, and from then on; what beat before beats no more."""
        self._pulse += 1
        pulse = self._pulse
        self._crowd.timeline.after(seconds, lambda: self._beat(pulse))

    def _beat(self, pulse: int) -> None:
        if not self.is_awake or pulse != self._pulse:
            return
        with self._crowd.meter.measure("heartbeat"):
            lives = heartbeat(self._crowd.site, self._id)
        if lives:
            self._beat_after(BEAT_SECONDS)
        else:
            self.engine.close()
            self.begin()
