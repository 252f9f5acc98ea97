"""What a command that runs for long says on stderr: one line for each message, with its time."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import suppress
from typing import TextIO

from wimdock.cli.output import moment, visible
from wimdock.clock import Clock, iso_utc
from wimdock.events import Event, Kind, Severity

_SIGNS = {Severity.INFO: "", Severity.WARNING: "warning: ", Severity.ERROR: "error: "}


class ServiceLog:
    """Listens to events of any thread; of steps and progress it says nothing: runs record theirs.

    A line is `2026-11-03 12:00:00Z text`, or with `as_json` an object with `time`, `severity` and
    `text`. A stream that nobody reads any more stops no work.
    """

    def __init__(
        self, clock: Clock, *, as_json: bool = False, stream: TextIO | None = None
    ) -> None:
        """Write on `stream`, else on stderr."""
        self._clock = clock
        self._as_json = as_json
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write one message."""
        if event.kind is not Kind.MESSAGE:
            return
        now = self._clock.now()
        if self._as_json:
            line = json.dumps(
                {
                    "time": iso_utc(now, "milliseconds"),
                    "severity": event.severity.value,
                    "text": event.text,
                }
            )
        else:
            line = f"{moment(now)} {_SIGNS[event.severity]}{visible(event.text)}"
        with self._lock, suppress(OSError, ValueError):
            self._stream.write(line + "\n")
            self._stream.flush()
