"""How long what could not be sent waits: twice as long each time, up to a limit."""

from __future__ import annotations

from datetime import timedelta
from random import Random

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=6)
JITTER = 0.2
"""So much of a wait is left to chance, to either side: not all of them come back at once."""


def wait_after(tries: int, dice: Random, *, asked: timedelta | None = None) -> timedelta:
    """Give the time until the next try, after so many (from 1) that failed.

    `asked` is what the receiver asks for: it is waited for at least, as far as the limit goes.
    """
    doubled: timedelta = FIRST_WAIT * (1 << min(tries - 1, 16))
    wait = min(doubled, LONGEST_WAIT) * dice.uniform(1 - JITTER, 1 + JITTER)
    return max(wait, min(asked, LONGEST_WAIT)) if asked is not None else wait
