"""DISM's progress bar: 58 columns between brackets, the percentage in the middle of them.

On a terminal it moves on one line; elsewhere only the full bar of a finished step is printed, so
that a log holds no line for every tenth of a per cent.
"""

from __future__ import annotations

from typing import TextIO

from wimdock.events import Event, Kind

_WIDTH = 58
_TEXT_END = 32
_ALL = 100.0


def bar(percent: float) -> str:
    """Give the bar for 0 to 100 per cent."""
    percent = min(max(percent, 0.0), _ALL)
    text = f"{percent:.1f}%"
    filled = "=" * int(_WIDTH * percent / _ALL)
    line = filled.ljust(_WIDTH)
    begin = _TEXT_END - len(text)
    return f"[{line[:begin]}{text}{line[_TEXT_END:]}]"


class ProgressBar:
    """Listens to events and moves a bar; `finish` fills it and ends its line."""

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        """Show on `stream`, or with `quiet` nothing at all."""
        self._stream = stream
        self._quiet = quiet
        self._moves = not quiet and stream.isatty()
        self._shown = ""

    def __call__(self, event: Event) -> None:
        """Show how far an event says the work is."""
        if event.kind is Kind.PROGRESS:
            self.show(event.done, event.total)

    def show(self, done: int, total: int) -> None:
        """Show that so much of a total is done."""
        if self._moves and total:
            self._show(bar(_ALL * done / total))

    def _show(self, text: str) -> None:
        if text != self._shown:
            self._stream.write(f"\r{text}")
            self._stream.flush()
            self._shown = text

    def finish(self) -> None:
        """Fill the bar and end its line: the step is done."""
        if self._quiet:
            return
        if self._moves:
            self._show(bar(_ALL))
            self._stream.write("\n")
            self._shown = ""
        else:
            self._stream.write(bar(_ALL) + "\n")

    def leave(self) -> None:
        """End the line of a bar that will not be full, where there is one."""
        if self._shown:
            self._stream.write("\n")
            self._shown = ""
