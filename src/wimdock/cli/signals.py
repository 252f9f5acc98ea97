"""Signals that tell a command to end in an orderly way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Protocol

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_JOIN_SECONDS = 1.0


class Stop(Protocol):
    """What ends the work; again, with `at_once`."""

    def __call__(self, *, at_once: bool = False) -> None:
        """End."""


def run_until_signalled(run: Callable[[], None], stop: Stop) -> None:
    """Run something; SIGTERM or SIGINT calls `stop`, each further one `stop` with `at_once`.

    It runs in a thread of its own: a handler may take no lock that the code it interrupts holds.
    What it raises is raised here.
    """
    heard = 0
    raised: list[BaseException] = []

    def hear(_signal: int, _frame: FrameType | None) -> None:
        nonlocal heard
        heard += 1
        stop(at_once=heard > 1)

    def work() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - it is raised again below
            raised.append(error)

    thread = threading.Thread(target=work, name="work", daemon=True)
    before = {number: signal.signal(number, hear) for number in _SIGNALS}
    try:
        thread.start()
        while thread.is_alive():
            thread.join(_JOIN_SECONDS)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raised:
        raise raised[0]
