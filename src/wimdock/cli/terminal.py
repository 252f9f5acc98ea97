"""Progress on stderr: nested, timed steps, and on a terminal a bar for the innermost of them.

A step that ends before anything else happens takes one line. One that holds others, or during which
something was said, gets its title before them and its result after them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from wimdock.cli.output import count, duration, size, visible
from wimdock.events import Event, Kind, Severity

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_INDENT = "  "
_SIGNS = {Severity.INFO: "", Severity.WARNING: "warning: ", Severity.ERROR: "error: "}


def _amount(done: int, total: int, unit: str) -> str:
    if unit == "bytes":
        return f"{size(done)} of {size(total)}" if total else size(done)
    return f"{done:,} of {total:,} {unit}" if total else count(done, unit, unit)


def _is_unicode(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().startswith("utf")


def _ending(event: Event) -> str:
    took = f"({duration(event.seconds)})"
    if event.kind is Kind.STEP_FAILED:
        return f"failed {took}"
    return f"{visible(event.text)} {took}" if event.text else took


class _Display(Protocol):
    """What shows lines and the step that is open."""

    def open(self, text: str) -> None:
        """Show the start of a line that `close` ends, or that another line breaks off."""

    def close(self, text: str) -> None:
        """End the open line."""

    def line(self, text: str) -> None:
        """Show a whole line."""

    def progress(self, event: Event) -> None:
        """Show how far the open step is."""

    def stop(self) -> None:
        """Leave nothing unfinished behind."""


class _PlainDisplay:
    """Lines only, no control codes: for logs, pipes and dumb terminals."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._unfinished = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def open(self, text: str) -> None:
        self.stop()
        self._write(f"{text} ...")
        self._unfinished = True

    def close(self, text: str) -> None:
        self._write(f" {text}\n")
        self._unfinished = False

    def line(self, text: str) -> None:
        self.stop()
        self._write(f"{text}\n")

    def progress(self, event: Event) -> None:
        """Show nothing: a log needs the result, not the way there."""

    def stop(self) -> None:
        if self._unfinished:
            self._write("\n")
            self._unfinished = False


class _LiveDisplay:
    """Finished lines that stay, and under them a bar for the open step."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress: Progress = Progress(
            SpinnerColumn("dots" if _is_unicode(stream) else "line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[amount]}", markup=False),
            console=Console(file=stream, highlight=False, markup=False, soft_wrap=True),
            transient=True,
            redirect_stdout=False,  # results go where the caller sent them
            redirect_stderr=False,
        )
        self._progress.start()
        self._task: TaskID | None = None
        self._text = ""

    def open(self, text: str) -> None:
        self.stop_task()
        self._text = text
        self._task = self._progress.add_task(text, total=None, amount="")

    def close(self, text: str) -> None:
        line = f"{self._text} ... {text}"
        self.stop_task(keep=False)
        self._progress.console.print(line)

    def line(self, text: str) -> None:
        self.stop_task()
        self._progress.console.print(text)

    def progress(self, event: Event) -> None:
        if self._task is None:
            # The step's title scrolled away under other lines: the bar brings it back.
            text = _INDENT * (len(event.step) - 1) + visible(event.step[-1]) if event.step else ""
            self._task = self._progress.add_task(text, total=None, amount="")
            self._text = ""
        amount = _amount(event.done, event.total, event.unit)
        self._progress.update(
            self._task, completed=event.done, total=event.total or None, amount=amount
        )

    def stop_task(self, *, keep: bool = True) -> None:
        """Take the bar away; its title stays as a line of its own where that was not shown yet."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
            if keep and self._text:
                self._progress.console.print(self._text)
        self._text = ""

    def stop(self) -> None:
        self.stop_task()
        self._progress.stop()


class Terminal:
    """Listens to events and shows them; use it in a `with` block and give it to a Reporter.

    Nothing is written to `stream` (stderr) before the first event.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """Show on `stream`: with a bar where it is a terminal, in plain lines elsewhere."""
        self._stream = sys.stderr if stream is None else stream
        self._shown: _Display | None = None
        self._open = 0

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take the bar away and end the line that was begun."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None

    @property
    def _display(self) -> _Display:
        if self._shown is None:
            make: Callable[[TextIO], _Display] = (
                _LiveDisplay if self._stream.isatty() else _PlainDisplay
            )
            self._shown = make(self._stream)
        return self._shown

    def __call__(self, event: Event) -> None:
        """Show one event."""
        depth = len(event.step)
        indent = _INDENT * max(depth - 1, 0)
        match event.kind:
            case Kind.STEP_STARTED:
                self._display.open(f"{indent}{visible(event.step[-1])}")
                self._open = depth
            case Kind.STEP_ENDED | Kind.STEP_FAILED:
                if self._open == depth:
                    self._display.close(_ending(event))
                else:
                    self._display.line(f"{indent}{visible(event.step[-1])}: {_ending(event)}")
                self._open = 0
            case Kind.PROGRESS:
                self._display.progress(event)
            case Kind.MESSAGE:
                deeper = _INDENT * depth
                self._display.line(f"{deeper}{_SIGNS[event.severity]}{visible(event.text)}")
                self._open = 0
