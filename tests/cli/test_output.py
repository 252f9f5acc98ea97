"""Documents, tables, numbers in words, and names that cannot steer the terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cli import output
from wimdock.events import Severity
from wimdock.paths import ImagePath


@given(st.text(st.characters()))
def test_visible_text_is_printable(text: str) -> None:
    shown = output.visible(text)
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    "text, shown",
    [
        ("plain name.txt", "plain name.txt"),
        ("größer 日本", "größer 日本"),
        ("\x1b]0;x\x07", r"\x1b]0;x\x07"),
        ("exe\u202egpj", r"exe\u202egpj"),
        ("\udc00\u2066\u200b", r"\udc00\u2066\u200b"),
        ("a\nb", r"a\nb"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert output.visible(text) == shown


@pytest.mark.parametrize(
    "number, words",
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (3_565_158, "3.4 MiB"),
        (5 << 30, "5.0 GiB"),
        (1 << 70, "1048576.0 PiB"),
    ],
)
def test_size(number: int, words: str) -> None:
    assert output.size(number) == words


@pytest.mark.parametrize(
    "seconds, words",
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (42, "42 s"), (185, "3 min 05 s"), (3725, "1 h 02 min")],
)
def test_duration(seconds: float, words: str) -> None:
    assert output.duration(seconds) == words


def test_moment() -> None:
    eastern = timezone(timedelta(hours=-5))
    assert output.moment(datetime(2024, 5, 1, 7, tzinfo=eastern)) == "2024-05-01 12:00:00Z"
    assert output.moment(None) == ""


def test_count() -> None:
    assert output.count(1, "file") == "1 file"
    assert output.count(12345, "file") == "12,345 files"
    assert output.count(2, "entry", "entries") == "2 entries"


@dataclass(frozen=True)
class Sample:
    """Something with fields."""

    path: ImagePath
    raw: bytes


def test_document_holds_what_commands_have() -> None:
    text = output.document(
        "sample",
        {
            "at": datetime(2024, 5, 1, 12, tzinfo=UTC),
            "sample": Sample(ImagePath(r"\Windows\ü"), b"\x01\xff"),
            "file": Path("/a/b"),
            "severity": Severity.WARNING,
            "tags": {"b", "a"},
            "name": "\ud800\u202e",
        },
        version=3,
    )
    assert text.isascii()
    assert json.loads(text) == {
        "wimdock": {"document": "sample", "version": 3},
        "at": "2024-05-01T12:00:00Z",
        "sample": {"path": "\\Windows\\ü", "raw": "01ff"},
        "file": "/a/b",
        "severity": "warning",
        "tags": ["a", "b"],
        "name": "\ud800\u202e",
    }
    with pytest.raises(TypeError, match="object has no JSON form"):
        output.document("sample", {"x": object()})


def test_a_piped_table_is_as_wide_as_it_needs_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    long = "\\Windows\\" + "long" * 100 + "[bold]"
    output.print_table(
        ["path", output.Column("size", right=True)],
        [(long, 1), ("x\x1b", None), ("y", 1000)],
        title="Files",
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Files"
    assert lines[1].split() == ["path", "size"]
    assert lines[2] == f"{long}     1"
    assert lines[3] == "x\\x1b"
    assert lines[4].split() == ["y", "1000"]


def test_a_table_on_a_terminal_folds_and_keeps_everything(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "dumb")
    output.print_table(["path"], [("abcdefghij" * 10,)])
    printed = capsys.readouterr().out
    assert printed.replace("\n", "").replace(" ", "").endswith("abcdefghij" * 10)
    assert "…" not in printed
