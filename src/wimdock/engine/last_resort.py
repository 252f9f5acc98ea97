"""The last resort for a worker that was taken for dead: its process ends, come what may.

Such a worker stops what it executes and ends by itself. Where that hangs, in a library or in the
kernel, the process would be there for ever and serve nobody, and nothing would start it again.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable

from wimdock.errors import LeaseLost

SECONDS = 45.0
"""For how long a worker may take to end; stopping the engine has its own limits, below this."""


class LastResort:
    """Ends this process with the status of LeaseLost some time after `begin`, unless cancelled.

    Nothing is lost by that: the leases of the worker are void, and its children end with it.
    """

    def __init__(self, before: Callable[[], None], seconds: float = SECONDS) -> None:
        """Take what is done right before the end, and the seconds until then."""
        self._before = before
        self._seconds = seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """Let the time run, once."""
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(self._seconds, self._end)
                self._timer.daemon = True
                self._timer.start()

    def cancel(self) -> None:
        """Let the process live: the worker has ended by itself."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def _end(self) -> None:
        try:
            self._before()
            # Not by the reporter: what hangs may hold it.
            sys.stderr.write(
                "the worker was taken for dead, or its heartbeat failed, and it did not end by "
                "itself: its process ends now. Report it, with these lines:\n"
            )
            faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
            sys.stderr.flush()
        finally:
            os._exit(LeaseLost.exit_code)
