"""DISM's layout: bars, dates, error numbers, exit statuses."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cli.dism.layout import date_and_time, error_number, exit_status, install_time
from wimdock.cli.dism.progress import ProgressBar, bar
from wimdock.events import Event, Kind


def test_bars_as_dism_draws_them() -> None:
    assert bar(100) == "[==========================100.0%==========================]"
    assert bar(10) == "[=====                      10.0%                          ]"
    assert bar(36) == "[====================       36.0%                          ]"
    assert bar(62.3) == "[===========================62.3%====                      ]"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_bar_is_as_wide_as_another(percent: float) -> None:
    assert len(bar(percent)) == 60


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_moves_on_a_terminal_and_ends_full() -> None:
    stream = Terminal()
    shown = ProgressBar(stream, quiet=False)
    shown(Event(Kind.PROGRESS, done=1, total=10))
    shown(Event(Kind.PROGRESS, done=1, total=10))
    shown(Event(Kind.MESSAGE, text="nothing to show"))
    shown.finish()
    assert stream.getvalue() == f"\r{bar(10)}\r{bar(100)}\n"


def test_elsewhere_only_the_full_bar_is_printed() -> None:
    stream = io.StringIO()
    shown = ProgressBar(stream, quiet=False)
    shown(Event(Kind.PROGRESS, done=1, total=10))
    shown.leave()
    assert stream.getvalue() == ""
    shown.finish()
    assert stream.getvalue() == bar(100) + "\n"


def test_a_bar_that_is_left_ends_its_line() -> None:
    stream = Terminal()
    shown = ProgressBar(stream, quiet=False)
    shown.show(1, 2)
    shown.leave()
    assert stream.getvalue() == f"\r{bar(50)}\n"


def test_quiet_shows_no_bar() -> None:
    stream = Terminal()
    shown = ProgressBar(stream, quiet=True)
    shown.show(1, 2)
    shown.finish()
    shown.leave()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    "hresult, number, status",
    [
        (0x800700A1, "161", 161),
        (0x80070057, "87", 87),
        (0x80070667, "1639", 0x67),
        (0x80070100, "256", 1),
        (0xC1420117, "0xc1420117", 0x17),
        (0x800F081E, "0x800f081e", 0x1E),
        (0x800B0100, "0x800b0100", 1),
        (None, "0x80004005", 5),
    ],
)
def test_codes(hresult: int | None, number: str, status: int) -> None:
    assert error_number(hresult) == number
    assert exit_status(hresult) == status


@given(st.integers(0, 0xFFFFFFFF))
def test_an_error_never_ends_with_success(hresult: int) -> None:
    assert 1 <= exit_status(hresult) <= 255


def test_dates_are_written_month_first_in_utc() -> None:
    evening = datetime(2019, 4, 1, 20, 9, 2, tzinfo=UTC)
    assert date_and_time(evening) == "4/1/2019 - 8:09:02 PM"
    assert install_time(evening) == "4/1/2019 8:09 PM"
    midnight = datetime(2020, 12, 31, 0, 5, 0, tzinfo=UTC)
    assert date_and_time(midnight) == "12/31/2020 - 12:05:00 AM"
    assert install_time(midnight.replace(hour=12)) == "12/31/2020 12:05 PM"
    assert date_and_time(None) == "<undefined>"
    assert install_time(None) == ""
