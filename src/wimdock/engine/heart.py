"""The heartbeat of a worker: a thread of its own, so that no slow question holds it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from wimdock.errors import DatabaseUnavailable, EngineError, LeaseLost, WimdockError
from wimdock.site.runs.queue import heartbeat
from wimdock.site.site import Site


class Heart:
    """Shows that a worker lives, until it is stopped or finds itself declared dead."""

    def __init__(
        self, site: Site, worker_id: str, *, seconds: float, lease: float, lost: Callable[[], None]
    ) -> None:
        """Take how often to beat and for how long the worker may be silent, in seconds.

        `lost` is called when the worker was declared dead, or cannot show that it lives.
        """
        self._site = site
        self._worker_id = worker_id
        self._seconds = seconds
        self._lease = lease
        self._lost = lost
        self._stop = threading.Event()
        self._deaf = threading.Event()
        self._last = time.monotonic()
        self._error: WimdockError | None = None
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Beat no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(self._seconds + 1)

    def check(self) -> None:
        """Raise LeaseLost where the worker was declared dead, EngineError where no beat is left."""
        if self._error is not None:
            raise self._error

    def was_deaf(self) -> bool:
        """Tell once whether the heart stood still, so that others only seemed silent."""
        found = self._deaf.is_set()
        self._deaf.clear()
        return found

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds):
            try:
                lives = heartbeat(self._site, self._worker_id)
            except DatabaseUnavailable:
                self._deaf.set()
                continue
            except Exception as error:  # noqa: BLE001 - without a heart nobody tells it of its death
                text = f"the heartbeat failed: {type(error).__name__}: {error}"
                self._error = EngineError(text)
                self._lost()
                return
            now = time.monotonic()
            silent, self._last = now - self._last, now
            if silent > max(self._lease, 2 * self._seconds):
                self._deaf.set()
            if not lives:
                self._error = self._declared_dead(silent)
                self._lost()
                return

    def _declared_dead(self, silent: float) -> LeaseLost:
        return LeaseLost(
            f"worker {self._worker_id} was taken for dead: it was silent for {silent:.0f} s, and "
            f"its lease is {self._lease:g} s",
            hint="Its runs go on elsewhere; it wrote nothing more. Start it again.",
        )
