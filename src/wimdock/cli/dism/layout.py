"""DISM's layout of output, so that what reads DISM's output reads ours.

Labels, order and blank lines are DISM's; sentences that explain are our own. Times are written as
an English DISM writes them, month first and with AM or PM, always in UTC. Everything goes to
stdout, errors too, as DISM has it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from wimdock import __version__
from wimdock.cli.dism.progress import ProgressBar
from wimdock.cli.failure import Failure
from wimdock.cli.output import print_text, visible, writing

UNDEFINED = "<undefined>"

_WIN32 = 0x8007
_UNSPECIFIED = 0x80004005
_WORD = 16
_LOW_BYTE = 0xFF
_NOON = 12


def date_and_time(at: datetime | None) -> str:
    """Give a time as the details of an image show it: `4/1/2019 - 8:09:02 PM`, UTC."""
    if at is None:
        return UNDEFINED
    at = at.astimezone(UTC)
    return f"{_date(at)} - {_hour(at)}:{at:%M:%S} {_half(at)}"


def install_time(at: datetime | None) -> str:
    """Give a time as the list of packages shows it: `4/1/2019 8:09 PM`, UTC; nothing for None."""
    if at is None:
        return ""
    at = at.astimezone(UTC)
    return f"{_date(at)} {_hour(at)}:{at:%M} {_half(at)}"


def _date(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year}"


def _hour(at: datetime) -> int:
    return at.hour % _NOON or _NOON


def _half(at: datetime) -> str:
    return "AM" if at.hour < _NOON else "PM"


def error_number(hresult: int | None) -> str:
    """Give a code as DISM's error block shows it: a Win32 code in decimal, any other as 0x…."""
    code = _UNSPECIFIED if hresult is None else hresult & 0xFFFFFFFF
    return str(code & 0xFFFF) if code >> _WORD == _WIN32 else f"0x{code:08x}"


def exit_status(hresult: int | None) -> int:
    """Give the exit status for a code: its low byte, or 1 where that is zero.

    DISM ends with the code itself; the status of a Linux process has no more than 8 bits.
    """
    code = _UNSPECIFIED if hresult is None else hresult
    return code & _LOW_BYTE or 1


class Screen:
    """Where a run prints; with `quiet` only its errors."""

    def __init__(self, *, quiet: bool) -> None:
        """Print on stdout."""
        self.quiet = quiet
        self.bar = ProgressBar(sys.stdout, quiet=quiet)

    def line(self, text: str = "") -> None:
        """Print a line; whatever could steer a terminal is written out."""
        if not self.quiet:
            print_text(visible(text))

    def header(self) -> None:
        """Print what every run begins with: the tool's name and our own version."""
        self.line()
        self.line("Deployment Image Servicing and Management tool")
        self.line(f"Version: {__version__} (wimdock)")
        self.line()

    def fields(self, rows: Iterable[tuple[str, object]]) -> None:
        """Print `label : value` lines."""
        for label, value in rows:
            self.line(f"{label} : {value}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table with bars between its columns, a line of dashes below the titles."""
        cells = [[visible(cell) for cell in row] for row in rows]
        widths = [
            max(len(title), *(len(row[at]) for row in cells)) if cells else len(title)
            for at, title in enumerate(columns)
        ]
        rule = ["-" * width for width in widths]
        for row in (rule, list(columns), rule, *cells):
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line(" | ".join(padded).rstrip())

    def step_done(self) -> None:
        """Fill the progress bar of a step that has ended well."""
        with writing():
            self.bar.finish()

    def completed(self) -> None:
        """Print the sentence that every run without an error ends with."""
        self.line("The operation completed successfully.")

    def failed(self, found: Sequence[Failure], log_file: str) -> None:
        """Print the error block, also where everything else is suppressed."""
        with writing():
            self.bar.leave()
        for failure in found:
            print_text()
            print_text(f"Error: {error_number(failure.hresult)}")
            print_text()
            for text in (failure.message, *_reasons(failure), failure.hint):
                if text:
                    print_text(visible(text))
        print_text()
        if log_file:
            print_text(f"The DISM log file can be found at {visible(log_file)}")
        else:
            print_text("Logging is disabled: no log file could be written.")


def _reasons(failure: Failure) -> tuple[str, ...]:
    return () if failure.reasons == (failure.message,) else failure.reasons
