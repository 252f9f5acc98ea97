"""The server form, written: OfflineServicingMgr.log as Configuration Manager's servers write it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from wimdock.clock import Clock, SystemClock
from wimdock.doctor.logs.appending import AppendedLog, LogEnd, one_line
from wimdock.doctor.logs.server_lines import END_MARKER, TILDE

MOST_BYTES = 2 << 20
"""How large a log grows before it is renamed to `.lo_`."""

_THREADS = 1 << 32


class ServerLog(AppendedLog):
    """Appends records in the server form.

    A message may hold anything and is read back as it was given, but for NUL (written as its
    symbol), surrogates without their partner (written as escapes), U+FEFF at the start of a line,
    and what is longer than 64 KiB or 1,000 lines. A line end within it is written with `~` before
    it, the sign that these components use for a line end.
    """

    def __init__(
        self,
        target: Path | TextIO,
        component: str,
        clock: Clock | None = None,
        *,
        thread: int | None = None,
        bias: int = 0,
        most: int | None = MOST_BYTES,
    ) -> None:
        """Open the log for appending; raise StorageError where that fails.

        `thread` is that of the caller where it is not given. `bias` is in minutes, UTC = local +
        bias. A file that would grow beyond `most` bytes becomes `.lo_` first; None never does.
        """
        super().__init__(LogEnd(target, most=most, marker=END_MARKER + "\r\n"))
        self._component = component
        self._clock = clock or SystemClock()
        self._thread = thread
        self._bias = bias

    def write(
        self,
        message: str,
        *,
        component: str | None = None,
        thread: int | None = None,
        at: datetime | None = None,
    ) -> None:
        """Append one record and have it in the file; raise StorageError where that fails.

        Component, thread and time are those of the log where they are not given; `at` is aware.
        """
        number = thread if thread is not None else self._thread
        if number is None:
            number = threading.get_native_id()
        number %= _THREADS
        name = _name(self._component if component is None else component)
        text = message.replace("\n", f"{TILDE}\r\n")
        stamp = self._stamp(at or self._clock.now())
        self._end.append(f"{text}  $$<{name}><{stamp}><thread={number} (0x{number:X})>\r\n")

    def _stamp(self, at: datetime) -> str:
        local = at - timedelta(minutes=self._bias)
        day, time = f"{local:%m-%d-}{local.year:04}", f"{local:%H:%M:%S}"
        return f"{day} {time}.{local.microsecond // 1000:03}{self._bias:+04}"


def _name(component: str) -> str:
    """Give a component's name without what ends its field."""
    return one_line(component).replace("<", "(").replace(">", ")")
