"""The duties of a site's service, each in a thread of its own: one that fails stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from wimdock.clock import Clock
from wimdock.errors import WimdockError
from wimdock.events import Reporter, Severity

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done again and again.

    `seconds` is how long to wait between two times; `aligned` begins at whole multiples of it by
    the clock. `do` gives what it has to say, "" for nothing; WimdockError is said once and tried
    again later. `do` may be called by several services at once: it must be idempotent.
    """

    name: str
    seconds: float
    do: Callable[[], str]
    aligned: bool = False


class DutyThread:
    """A duty that is done until it is stopped."""

    def __init__(self, duty: Duty, clock: Clock, reporter: Reporter) -> None:
        """Take the duty and where to say what."""
        self._duty = duty
        self._clock = clock
        self._reporter = reporter
        self._stop = threading.Event()
        self._trouble = ""
        self._thread = threading.Thread(target=self._work, name=duty.name, daemon=True)

    @property
    def name(self) -> str:
        """The name of the duty."""
        return self._duty.name

    @property
    def trouble(self) -> str:
        """Why it could not be done last time, or ""."""
        return self._trouble

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Say that it shall end; what it is doing now it still does."""
        self._stop.set()

    def join(self, until: float) -> bool:
        """Wait for its end up to a time of the monotonic clock; give whether it came."""
        self._thread.join(max(until - time.monotonic(), 0))
        return not self._thread.is_alive()

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            if self._once():
                pause = _FIRST_PAUSE
                self._stop.wait(self._until_next())
            else:
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _until_next(self) -> float:
        seconds = self._duty.seconds
        if not self._duty.aligned:
            return seconds
        return seconds - self._clock.now().timestamp() % seconds

    def _once(self) -> bool:
        try:
            said = self._duty.do()
        except WimdockError as error:
            self._tell(error.message)
            return False
        except Exception as error:  # noqa: BLE001 - an error in one duty stops no other
            self._tell(f"an error in wimdock itself: {type(error).__name__}: {error}")
            return False
        self._tell("")
        if said:
            self._reporter.message(f"{self._duty.name}: {said}")
        return True

    def _tell(self, trouble: str) -> None:
        """Say of an error when it comes, changes and goes, and not each time."""
        if trouble and trouble != self._trouble:
            self._reporter.message(f"{self._duty.name}: {trouble}", Severity.ERROR)
        elif self._trouble and not trouble:
            self._reporter.message(f"{self._duty.name}: in order again")
        self._trouble = trouble
