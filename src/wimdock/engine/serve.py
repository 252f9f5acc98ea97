"""The service of a site: its clock, its library's door, its couriers, and on one machine a worker.

Any number of services may serve one site: whatever each does is idempotent in the database. Each
duty has a thread of its own; one that fails is tried again and holds up no other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from wimdock.engine.duties import Duty, DutyThread
from wimdock.engine.offer import WorkerOptions
from wimdock.engine.worker import Worker
from wimdock.errors import WimdockError
from wimdock.events import Reporter, Severity
from wimdock.site.distribution import retry_due
from wimdock.site.notifications import send_now
from wimdock.site.schedules.tick import tick
from wimdock.site.site import Site
from wimdock.site.updates.watching import watch_folder

_TICK_SECONDS = 60.0
_DISTRIBUTION_SECONDS = 30.0
_NOTIFICATION_SECONDS = 10.0
_STOP_SECONDS = 30.0
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


class Service:
    """The service in this process. `run` is its life; `stop` is for signals."""

    def __init__(self, site: Site, options: WorkerOptions | None, reporter: Reporter) -> None:
        """Take what the worker in it offers; None for none."""
        self._site = site
        self._options = options
        self._reporter = reporter
        self._stop = threading.Event()
        self._at_once = threading.Event()
        self._worker: Worker | None = None
        self._why_no_worker = ""
        self._threads: list[DutyThread] = []

    @property
    def trouble(self) -> str:
        """What is not as it should be now, in a few words, or ""."""
        found = [f"{each.name}: {each.trouble}" for each in self._threads if each.trouble]
        worker = self._worker
        trouble = self._why_no_worker if worker is None else worker.trouble
        if trouble:
            found.append(f"worker: {trouble}")
        return "; ".join(found)

    def stop(self, *, at_once: bool = False) -> None:
        """Tell it to end; runs may go on for the grace of the worker, or not."""
        if at_once:
            self._at_once.set()
        self._stop.set()
        worker = self._worker
        if worker is not None:
            worker.stop(at_once=at_once)

    def run(self) -> None:
        """Serve until told to end."""
        duties = [DutyThread(duty, self._site.clock, self._reporter) for duty in self.duties()]
        self._threads = duties
        for duty in duties:
            duty.start()
        self._reporter.message(f"serving site {self._site.code}")
        try:
            if self._options is None:
                self._stop.wait()
            else:
                self._keep_worker(self._options)
        finally:
            for duty in duties:
                duty.stop()
            until = time.monotonic() + _STOP_SECONDS
            late = [duty.name for duty in duties if not duty.join(until)]
            if late:
                text = f"not waiting for {', '.join(late)}: it is taken up again at the next start"
                self._reporter.message(text, Severity.WARNING)
            self._reporter.message("the service has ended")

    def duties(self) -> list[Duty]:
        """Give what a service does besides executing runs."""
        site = self._site
        found = [
            Duty("scheduler", _TICK_SECONDS, self._tick, aligned=True),
            Duty("distribution", _DISTRIBUTION_SECONDS, self._distribute),
            Duty("notifications", _NOTIFICATION_SECONDS, self._notify),
        ]
        watched = site.settings.scheduler
        if watched.watch:
            look = self._importer(Path(watched.watch))
            found.append(Duty("watched folder", watched.watch_seconds, look))
        return found

    def _keep_worker(self, options: WorkerOptions) -> None:
        """Work, and begin anew as another worker where that ended by an error."""
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            began = time.monotonic()
            self._worker = Worker(self._site, options, self._reporter)
            if self._stop.is_set():  # it was told to end before there was a worker to tell
                self._worker.stop(at_once=self._at_once.is_set())
            try:
                self._worker.run()
            except WimdockError as error:
                self._why_no_worker = error.message
            except Exception as error:  # noqa: BLE001 - an error in the worker stops no duty
                text = f"an error in wimdock itself: {type(error).__name__}: {error}"
                self._why_no_worker = text
            else:
                self._why_no_worker = ""
            finally:
                self._worker = None
            if self._why_no_worker:
                self._reporter.message(f"worker: {self._why_no_worker}", Severity.ERROR)
                if time.monotonic() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _tick(self) -> str:
        done = tick(self._site)
        words = []
        if done.started:
            words.append(f"started run {', '.join(map(str, done.started))}")
        if done.missed:
            words.append(f"missed {len(done.missed)}")
        return "; ".join(words)

    def _distribute(self) -> str:
        count = retry_due(self._site)
        return f"brought {count} up to date" if count else ""

    def _notify(self) -> str:
        done = send_now(self._site)
        words = [f"sent {done.sent}"] if done.sent else []
        if done.failed:
            words.append(f"{done.failed} not sent, tried again later")
        if done.given_up:
            words.append(f"gave up {done.given_up}")
        return ", ".join(words)

    def _importer(self, folder: Path) -> Callable[[], str]:
        def look() -> str:
            for one in watch_folder(self._site, folder):
                name = one.path.name
                if one.error is not None:
                    text = f"watched folder: {name}: {one.error.message}"
                    self._reporter.message(text, Severity.ERROR)
                else:
                    self._reporter.message(f"watched folder: {name}: {one.state.value}")
            return ""

        return look
