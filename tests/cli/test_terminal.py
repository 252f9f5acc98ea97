"""Steps and bars on stderr, and plain lines where stderr is no terminal."""

from __future__ import annotations

import io
import re

import pytest

from wimdock.cli.terminal import Terminal
from wimdock.events import Reporter, Severity

TIME = re.compile(r"\d+\.\d s")


class TerminalStream(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def work(reporter: Reporter) -> None:
    with reporter.step("Servicing golden.wim"):
        with reporter.step("Reading") as step:
            reporter.progress(1, 2, "files")
            step.result = "2 files"
        with reporter.step("Writing\x1b"):
            reporter.progress(512, 2048)
            reporter.message("slow disk", Severity.WARNING)
            reporter.progress(2048, 2048)
        reporter.message("almost done")


def shown(stream: io.StringIO) -> list[str]:
    return [TIME.sub("T", line) for line in stream.getvalue().splitlines()]


def test_plain_lines() -> None:
    stream = io.StringIO()
    with Terminal(stream) as terminal:
        work(Reporter(terminal))
    assert shown(stream) == [
        "Servicing golden.wim ...",
        "  Reading ... 2 files (T)",
        r"  Writing\x1b ...",
        "    warning: slow disk",
        r"  Writing\x1b: (T)",
        "  almost done",
        "Servicing golden.wim: (T)",
    ]
    assert "\x1b" not in stream.getvalue()


def fail(stream: io.StringIO) -> None:
    with Terminal(stream) as terminal:
        reporter = Reporter(terminal)
        with reporter.step("Outer"), reporter.step("Inner"):
            raise ZeroDivisionError


def test_a_failed_step_says_so() -> None:
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        fail(stream)
    assert shown(stream) == ["Outer ...", "  Inner ... failed (T)", "Outer: failed (T)"]


def test_a_line_that_was_begun_is_ended() -> None:
    stream = io.StringIO()
    with Terminal(stream) as terminal:
        opened = Reporter(terminal).step("Open")
        opened.__enter__()
    assert stream.getvalue() == "Open ...\n"


def test_nothing_happens_without_events() -> None:
    stream = TerminalStream()
    with Terminal(stream):
        pass
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = TerminalStream()
    with Terminal(stream) as terminal:
        reporter = Reporter(terminal)
        work(reporter)
        with reporter.step("Checking"):
            reporter.progress(1 << 20, 0)
    # What stays on the screen: the text after the last erasure of each line.
    lines = [
        TIME.sub("T", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.rsplit("\x1b[2K", 1)[-1])).rstrip()
        for line in stream.getvalue().replace("\r", "").split("\n")
    ]
    for line in (
        "Servicing golden.wim",
        "  Reading ... 2 files (T)",
        r"  Writing\x1b",
        "    warning: slow disk",
        r"  Writing\x1b: (T)",
        "  almost done",
        "Servicing golden.wim: (T)",
        "Checking ... (T)",
    ):
        assert line in lines, lines


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_terminal_without_unicode_gets_none(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, errors="backslashreplace")
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    with Terminal(stream) as terminal, Reporter(terminal).step("Reading"):
        pass
    stream.flush()
    assert b"\\u" not in buffer.getvalue()
    assert buffer.getvalue().isascii() == (encoding == "ascii")
