"""A worker: it claims runs, sees to it that they are executed, watches them and the other workers.

One thread asks the database a few small questions about once a second; the runs themselves are the
engine's. Whatever this process forgets when it dies stands in the database: another worker takes
its runs on. A database that is away is waited for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from wimdock.engine.child import Children
from wimdock.engine.course import RunCourse, Slots
from wimdock.engine.dbos import DbosEngine
from wimdock.engine.heart import Heart
from wimdock.engine.last_resort import LastResort
from wimdock.engine.offer import WorkerOptions, offer_of, site_of_worker
from wimdock.engine.port import Engine, RunKey
from wimdock.engine.step_process import PRELOAD
from wimdock.engine.succession import Succession
from wimdock.errors import DatabaseUnavailable, LeaseLost, WimdockError
from wimdock.events import Reporter, Severity
from wimdock.site.messages.report import say
from wimdock.site.messages.table import WORKER_STARTED, WORKER_STOPPED
from wimdock.site.runs.queue import (
    claim,
    register_worker,
    requeue,
    stop_claiming,
    stop_worker,
)
from wimdock.site.runs.watching import held_runs
from wimdock.site.site import Site

_BUSY_SECONDS = 0.5
_IDLE_SECONDS = 1.0
_HAND_BACK_SECONDS = 8.0
_FORGET_EVERY = 3600.0
_REMEMBER = timedelta(days=7)
_FIRST_PAUSE = 0.5

_Result = TypeVar("_Result")


class Worker:
    """A worker in this process. `run` is its life; `stop` is for other threads and signals."""

    def __init__(
        self,
        site: Site,
        options: WorkerOptions,
        reporter: Reporter,
        *,
        only: Sequence[int] | None = None,
    ) -> None:
        """Take what it works for and what it may; `only` gives the runs that it is there for."""
        self._site = site_of_worker(site, options)
        self._options = options
        self._only = only
        self._offer = offer_of(self._site, options)
        self._reporter = reporter
        self._engine: Engine = DbosEngine(self._site)
        self._children = Children(PRELOAD)
        self._slots = Slots(self._offer.concurrency, self._engine.running)
        self._beat_seconds = min(site.settings.worker.heartbeat, self._offer.lease_seconds / 3)
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._at_once = threading.Event()
        self._missing: set[RunKey] = set()
        self._stopping: set[RunKey] = set()
        self._last_look = 0.0
        self._last_forget = time.monotonic()
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """What keeps it from working now, in a few words, or ""."""
        return self._trouble

    def stop(self, *, at_once: bool = False) -> None:
        """Tell it to end: it claims nothing more; runs may go on for the grace, or not."""
        if at_once:
            self._at_once.set()
        self._stop.set()
        self._wake.set()

    def run(self, enough: Callable[[], bool] | None = None) -> None:
        """Work until it is told to end, or until `enough` says so, asked about every second.

        LeaseLost where it was taken for dead meanwhile: it has stopped everything then.
        """
        worker_id = self._insist(lambda: register_worker(self._site, self._offer))
        if worker_id is None:
            return
        resort = LastResort(self._children.kill)

        def lost() -> None:
            resort.begin()
            self._wake.set()

        heart = Heart(
            self._site,
            worker_id,
            seconds=self._beat_seconds,
            lease=self._offer.lease_seconds,
            lost=lost,
        )
        heart.start()
        try:
            if self._insist(lambda: self._open(worker_id)):
                self._work(worker_id, heart, enough)
                self._wind_down(worker_id, heart)
        except LeaseLost:
            raise
        except BaseException:  # interrupted, or an error in wimdock: the runs need not wait for us
            self.stop(at_once=True)
            with suppress(WimdockError):
                self._wind_down(worker_id, heart)
            raise
        finally:
            heart.stop()
            self._engine.close()
            self._children.kill()
            resort.cancel()

    def _open(self, worker_id: str) -> bool:
        self._course = RunCourse(
            self._site, worker_id, self._children, self._slots.has_room, self._wake.set
        )
        self._engine.open(worker_id, self._course)
        say(self._site, WORKER_STARTED, worker_id, self._site.host)
        self._reporter.message(f"worker {worker_id} serves {', '.join(self._offer.queues)}")
        return True

    def _work(self, worker_id: str, heart: Heart, enough: Callable[[], bool] | None) -> None:
        succession = Succession(self._site, self._engine, worker_id)
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            heart.check()
            if heart.was_deaf():
                succession.forget()
            try:
                if enough is not None and enough():
                    return
                self._turn(worker_id, succession)
            except DatabaseUnavailable as error:
                pause = self._wait_for_database(error, pause)
                continue
            self._tell_trouble("")
            pause = _FIRST_PAUSE
            self._wake.wait(_BUSY_SECONDS if self._engine.running() else _IDLE_SECONDS)
            self._wake.clear()

    def _turn(self, worker_id: str, succession: Succession) -> None:
        """Do what is due."""
        self._watch(worker_id)
        self._claim(worker_id)
        now = time.monotonic()
        if now - self._last_look >= self._beat_seconds:
            self._last_look = now
            for dead in succession.look():
                text = f"worker {dead.id} is dead; its runs go on elsewhere"
                self._reporter.message(text, Severity.WARNING)
        if now - self._last_forget >= _FORGET_EVERY:
            self._last_forget = now
            self._engine.forget(self._site.now() - _REMEMBER)

    def _watch(self, worker_id: str) -> None:
        """Stop the runs that are cancelled or late; hand back what the engine knows nothing of."""
        running = self._engine.running()
        is_soon = time.monotonic() - self._last_look < self._beat_seconds
        if not running and not self._missing and is_soon:
            return
        held = {RunKey(one.run_id, one.attempt): one for one in held_runs(self._site, worker_id)}
        running = self._engine.running()
        for key, one in held.items():
            if key not in running or key in self._stopping:
                continue
            if one.must_end(self._course.seconds(key)):
                self._engine.cancel(key)
                self._stopping.add(key)
        self._stopping &= running
        # What ends right now is missing once; what is missing twice is not executed by anybody.
        missing = held.keys() - running
        for key in missing & self._missing:
            requeue(self._site, key.run_id, key.attempt, worker_id)
        self._missing = set(missing)

    def _claim(self, worker_id: str) -> None:
        free = self._slots.reserve()
        try:
            for one in claim(self._site, worker_id, free, only=self._only):
                key = RunKey(one.run_id, one.attempt)
                if not self._engine.start(key):
                    requeue(self._site, key.run_id, key.attempt, worker_id)
        finally:
            self._slots.release()

    # The end

    def _wind_down(self, worker_id: str, heart: Heart) -> None:
        """Let runs end within the grace, hand back the others, and say good-bye."""
        try:
            stop_claiming(self._site, worker_id)
            if self._stop.is_set():
                self._let_end(worker_id, heart)
            self._hand_back(worker_id)
            stop_worker(self._site, worker_id)
            say(self._site, WORKER_STOPPED, worker_id, self._site.host)
        except DatabaseUnavailable as error:
            # Another worker finds this one silent, and takes its runs on.
            self._reporter.message(f"{error.message}; other workers see to it", Severity.WARNING)

    def _let_end(self, worker_id: str, heart: Heart) -> None:
        until = time.monotonic() + self._options.grace
        names = ", ".join(str(key.run_id) for key in sorted(self._engine.running()))
        if names and not self._at_once.is_set():
            self._reporter.message(f"waiting for run {names}; a second signal hands back at once")
        while self._engine.running() and not self._at_once.is_set() and time.monotonic() < until:
            heart.check()
            self._watch(worker_id)
            self._wake.clear()
            self._wake.wait(_BUSY_SECONDS)

    def _hand_back(self, worker_id: str) -> None:
        """Put the runs that still go on back into their queue; their images stay as they were."""
        for key in self._engine.running():
            # Cancelling reaches an attempt wherever it runs: never one that another worker has now.
            if requeue(self._site, key.run_id, key.attempt, worker_id):
                self._engine.cancel(key)
                self._reporter.message(f"run {key.run_id} is handed back", Severity.WARNING)
        self._engine.drain(_HAND_BACK_SECONDS)

    # A database that is away

    def _insist(self, question: Callable[[], _Result]) -> _Result | None:
        """Ask until the database answers; None where the worker is told to end before."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                found = question()
            except DatabaseUnavailable as error:
                pause = self._wait_for_database(error, pause)
            else:
                self._tell_trouble("")
                return found
        return None

    def _wait_for_database(self, error: DatabaseUnavailable, pause: float) -> float:
        """Wait a while and give how long to wait next: never longer than between heartbeats."""
        self._tell_trouble(error.message)
        self._stop.wait(pause)
        return min(pause * 2, max(self._beat_seconds, _FIRST_PAUSE))

    def _tell_trouble(self, text: str) -> None:
        """Say that the database went away or came back, once each."""
        if text and not self._trouble:
            self._reporter.message(f"{text}; waiting for it", Severity.WARNING)
        elif self._trouble and not text:
            self._reporter.message("the database is back")
        self._trouble = text
