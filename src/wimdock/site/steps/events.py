"""The events of a run, put into the database while it goes on.

They are written a few at a time: at the end of every step, with every message, else about once a
second. Losing some of them loses nothing but words: a database that is away stops no step here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from sqlalchemy import insert

from wimdock.errors import DatabaseUnavailable
from wimdock.events import Event, Kind
from wimdock.site.models import RunEvent
from wimdock.site.site import Site
from wimdock.site.stored_text import storable, storable_text

_SECONDS = 1.0
_MOST = 1_000


class EventRecorder:
    """A listener that keeps what it hears: a context manager, whose end writes the rest."""

    def __init__(
        self, site: Site, run_id: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the run; `monotonic` tells when it is time to write."""
        self._site = site
        self._run_id = run_id
        self._monotonic = monotonic
        self._written = monotonic()
        self._progress: dict[str, Any] | None = None
        self._waiting: list[dict[str, Any]] = []

    def __call__(self, event: Event) -> None:
        """Keep an event; of progress, the newest only."""
        # No object of the session: one that could not be kept would keep the key it was given.
        row = {
            "run_id": self._run_id,
            "at": self._site.now(),
            "kind": event.kind.value,
            "step": storable(event.step),
            "text": storable_text(event.text),
            "severity": event.severity.value,
            "done": event.done,
            "total": event.total,
            "unit": event.unit,
            "seconds": event.seconds,
        }
        if event.kind is Kind.PROGRESS:
            self._progress = row
        else:
            self._waiting.append(row)
        late = self._monotonic() - self._written >= _SECONDS
        if late or event.kind in {Kind.MESSAGE, Kind.STEP_FAILED}:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._progress is not None:
            self._waiting.append(self._progress)
            self._progress = None
        self._written = self._monotonic()
        if not self._waiting:
            return
        try:
            with self._site.writing() as session:
                session.execute(insert(RunEvent), self._waiting)
        except DatabaseUnavailable:
            self._waiting = self._waiting[-_MOST:]
        else:
            self._waiting = []

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the rest."""
        self.flush()
