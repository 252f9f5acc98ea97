"""Regular expressions of rules, which anybody may have written: one on one record has its time.

An expression such as `(a+)+$` can take longer than anybody lives. Python's own gives no limit, but
heeds signals: a timer ends it, where the system has one and the main thread is at work. On Windows
there is none, and Ctrl-C ends it.
"""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

from wimdock.errors import RuleError

MOST_SECONDS = 2.0
"""So long may the search in one record take."""

_HAS_TIMER = hasattr(signal, "setitimer")


class Expression:
    """A compiled expression that knows where it stands: `pattern` is its text.

    `is_limited` says whether its time is watched, which costs more than most searches.
    """

    def __init__(self, compiled: re.Pattern[str], where: str) -> None:
        """Take the expression, and its file and place there."""
        self.pattern = compiled.pattern
        self._compiled = compiled
        self._where = where
        self.is_limited = True

    def __eq__(self, other: object) -> bool:
        """Tell whether both look for the same."""
        return isinstance(other, Expression) and self._compiled == other._compiled

    def __hash__(self) -> int:
        """Go by what is looked for."""
        return hash(self._compiled)

    def found_in(self, text: str) -> bool:
        """Tell whether it is found; raises RuleError where that cannot be told in time."""
        on_main = self.is_limited and threading.current_thread() is threading.main_thread()
        if not (_HAS_TIMER and on_main):
            return self._compiled.search(text) is not None
        before = signal.signal(signal.SIGALRM, self._end)
        try:
            signal.setitimer(signal.ITIMER_REAL, MOST_SECONDS)
            return self._compiled.search(text) is not None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        message = f"{self._where}: the expression takes more than {MOST_SECONDS:g} s on one record"
        raise RuleError(message, hint="Write it without repetitions inside of repetitions.")
