"""A limit on all that a connection does: time-outs of libraries begin anew with every byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_AGAIN = 1.0


@contextmanager
def time_limit(
    seconds: float, connection: Callable[[], socket.socket | None]
) -> Iterator[threading.Event]:
    """Cut the connection that there is when the time is up, and any that is made later.

    Whoever waits for it then finds it ended. Given is an event that is set once the time is up.
    """
    over, done = threading.Event(), threading.Event()

    def watch() -> None:
        if done.wait(seconds):
            return
        over.set()
        while True:
            line = connection()
            if line is not None:
                with suppress(OSError):  # it ended by itself
                    # Of the plain socket: TLS would take its state from under whoever reads.
                    socket.socket.shutdown(line, socket.SHUT_RDWR)
            if done.wait(_AGAIN):
                return

    watcher = threading.Thread(target=watch, name="time limit", daemon=True)
    watcher.start()
    try:
        yield over
    finally:
        done.set()
        watcher.join()
