"""`wimdock status`: what happened, looked up and exported."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import insert

from tests.cli.site_command import SiteCommand
from wimdock.cli.status.export import harmless
from wimdock.clock import FixedClock
from wimdock.errors import NoSuchRecord, StorageError, UsageError
from wimdock.site.messages import say, table
from wimdock.site.models import StatusMessageRow

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
START = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MANY = 100_000
LATER = "cannot be reached and is tried again later"
SOON = 0.5


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without status messages."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


@pytest.fixture
def told(command: SiteCommand) -> SiteCommand:
    """Give a site that has said three things."""
    site = replace(command.site, clock=FixedClock(START))
    say(site, table.RUN_STARTED, 16777217, run_id=4, schedule_id=16777217, package_id="CAS00001")
    site = replace(site, clock=FixedClock(START + timedelta(hours=1)))
    failed = ("4", "CAS00001", "=cmd|' /C calc'!A0\x1b[31m", "0x80070070")
    say(site, table.RUN_FAILED, *failed, run_id=4, package_id="CAS00001")
    site = replace(site, clock=FixedClock(START + timedelta(hours=2)))
    say(site, table.POINT_DOWN, "branch", "no route to host")
    return command


def check(name: str, document: object) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)


def numbers(command: SiteCommand, *words: str) -> list[int]:
    ended = command("status", "list", "--json", *words)
    assert (ended.status, ended.err) == (0, "")
    check("status_messages", ended.document)
    return [each["number"] for each in ended.document["messages"]]


def test_the_list_begins_with_the_newest(told: SiteCommand) -> None:
    ended = told("status", "list")
    head, *rows = ended.out.splitlines()
    assert head.split() == ["number", "time", "severity", "id", "what"]
    assert [row.split()[0] for row in rows] == ["3", "2", "1"]
    assert rows[0].split(None, 5) == [
        "3",
        "2026-11-03",
        "14:00:00Z",
        "warning",
        "42052",
        f"The distribution point branch {LATER}: no route to host.",
    ]
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(
    "words, expected",
    [
        ((), [3, 2, 1]),
        (("--last", "2"), [3, 2]),
        (("--id", "42001"), [2]),
        (("--id", "42001", "--id", "7900"), [2, 1]),
        (("--severity", "error"), [2]),
        (("--severity", "error", "--severity", "warning"), [3, 2]),
        (("--run", "4"), [2, 1]),
        (("--run", "5"), []),
        (("--image", "cas00001"), [2, 1]),
        (("--schedule", "16777217"), [1]),
        (("--since", "2026-11-03T13:00"), [3, 2]),
        (("--since", "2026-11-03T15:00+02:00"), [3, 2]),
        (("--since", "2026-11-03T13:00:01Z"), [3]),
        (("--since", "2026-11-03"), [3, 2, 1]),
        (("--severity", "error", "--image", "CAS00002"), []),
    ],
)
def test_only_what_fits_all_that_is_asked_for(
    told: SiteCommand, words: tuple[str, ...], expected: list[int]
) -> None:
    assert numbers(told, *words) == expected


def test_a_span_counts_back_from_now(command: SiteCommand) -> None:
    now = datetime.now(UTC)
    for age in (timedelta(days=2), timedelta(minutes=30)):
        site = replace(command.site, clock=FixedClock(now - age))
        say(site, table.BACKUP_MADE, "b.tar")
    assert numbers(command, "--since", "1h") == [2]
    assert numbers(command, "--since", "3d") == [2, 1]
    assert numbers(command, "--since", "999999w") == [2, 1]


@pytest.mark.parametrize("text", ["yesterday", "24", "24x", "2026-13-01", "-1h", ""])
def test_a_time_that_is_none_is_refused(command: SiteCommand, text: str) -> None:
    ended = command("status", "list", "--since", text)
    assert ended.status == UsageError.exit_code
    assert "neither a time" in ended.err


def test_nothing_is_said_so(command: SiteCommand) -> None:
    assert command("status", "list").out == "There is no such status message.\n"


def test_one_is_shown_with_all_its_fields(told: SiteCommand) -> None:
    lines = told("status", "show", "2").out.splitlines()
    assert lines[0] == (
        "Run 4 of image package CAS00001 has failed: =cmd|' /C calc'!A0\\x1b[31m (0x80070070)."
    )
    shown = {name.strip(): value.strip() for name, _, value in map(_parted, lines[2:])}
    assert shown["id"] == "42001 (run-failed)"
    assert (shown["severity"], shown["component"]) == ("error", "WIMDOCK")
    assert (shown["run"], shown["image package"]) == ("4", "CAS00001")
    assert shown["ISTR3 hresult"] == "0x80070070"
    assert "schedule" not in shown
    document = told("status", "show", "2", "--json").document
    check("status_message", document)
    assert document["strings"][0] == "4"


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def test_one_that_is_not_there_is_an_error_of_ours(command: SiteCommand) -> None:
    ended = command("status", "show", "2", "--json")
    assert ended.status == NoSuchRecord.exit_code
    assert ended.document["errors"][0]["type"] == "NoSuchRecord"


def test_an_id_that_the_table_has_not_can_be_read(told: SiteCommand) -> None:
    """A newer wimdock may have said it."""
    with told.site.writing() as session:
        row = session.get(StatusMessageRow, 3)
        assert row is not None
        row.message_id = 42099
    assert "branch; no route to host" in told("status", "list").out
    document = told("status", "show", "3", "--json").document
    check("status_message", document)
    assert document["name"] is None


def test_json_is_exported_oldest_first(told: SiteCommand, tmp_path: Path) -> None:
    out = tmp_path / "messages.json"
    out.write_text("what was there before")
    ended = told("status", "export", "--format", "json", str(out), "--json")
    check("status_export", ended.document)
    assert ended.document["messages"] == 3
    written = json.loads(out.read_text(encoding="utf-8"))
    check("status_messages", written)
    assert [each["number"] for each in written["messages"]] == [1, 2, 3]
    listed = told("status", "list", "--json").document
    assert written["messages"] == listed["messages"][::-1]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["messages.json"]


def test_csv_is_exported_and_no_cell_is_a_formula(told: SiteCommand, tmp_path: Path) -> None:
    out = tmp_path / "messages.csv"
    ended = told("status", "export", "--format", "csv", "--id", "42001", str(out))
    assert ended.out == f"{out}: 1 status message\n"
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["number"], row["id"], row["name"]) == ("2", "42001", "run-failed")
    assert row["time"] == "2026-11-03T13:00:00Z"
    assert row["string2"] == "'=cmd|' /C calc'!A0\x1b[31m"
    assert row["string9"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_what_begins_a_formula_is_made_harmless(start: str) -> None:
    assert harmless(f"{start}1") == f"'{start}1"
    assert harmless(f"1{start}") == f"1{start}"


def test_what_is_no_text_stays_what_it_is() -> None:
    assert harmless(-1) == -1
    assert harmless(None) is None


def test_export_can_go_to_stdout(told: SiteCommand) -> None:
    ended = told("status", "export", "--format", "csv", "-")
    rows = list(csv.DictReader(io.StringIO(ended.out, newline="")))
    assert [row["id"] for row in rows] == ["7900", "42001", "42052"]
    ended = told("status", "export", "--format", "json", "-", "--json")
    assert ended.status == UsageError.exit_code


def test_an_export_that_fails_leaves_what_was_there(
    told: SiteCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "messages.csv"
    out.write_text("what was there before")

    def fail(_cell: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wimdock.cli.status.export.harmless", fail)
    ended = told("status", "export", "--format", "csv", str(out))
    assert ended.status == StorageError.exit_code
    assert out.read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["messages.csv"]


def test_a_folder_that_is_not_there_is_an_error_of_ours(told: SiteCommand, tmp_path: Path) -> None:
    out = tmp_path / "none" / "messages.csv"
    ended = told("status", "export", "--format", "csv", str(out))
    assert ended.status == StorageError.exit_code


def fill(command: SiteCommand) -> None:
    """Put so many status messages into the site."""
    kinds = [kind for kind in table.TABLE.values() if kind.sent]
    messages = [
        {
            "message_id": kinds[number % len(kinds)].id,
            "severity": kinds[number % len(kinds)].severity,
            "component": "WIMDOCK",
            "machine": "host",
            "site_code": "CAS",
            "at": START + timedelta(seconds=number),
            "pid": 1,
            "tid": 1,
            "strings": ["x"] * len(kinds[number % len(kinds)].strings),
            "run_id": number // 10 + 1,
            "schedule_id": 16777217,
            "package_id": f"CAS{number % 1000:05X}",
        }
        for number in range(MANY)
    ]
    with command.site.writing() as session:
        session.execute(insert(StatusMessageRow), messages)


def test_lists_are_soon_there_among_many(command: SiteCommand, tmp_path: Path) -> None:
    fill(command)
    for words, rows in (
        (("status", "list"), 50),
        (("status", "list", "--image", "CAS003E7"), 50),
        (("status", "list", "--run", "10000"), 10),
        (("status", "list", "--id", "42001", "--severity", "error"), 50),
        (("status", "list", "--since", "2026-11-04T15:00"), 50),
        (("status", "list", "--run", "99999"), 0),
        (("status", "list", "--id", "42099"), 0),
    ):
        begin = time.perf_counter()
        ended = command(*words, "--json")
        took = time.perf_counter() - begin
        assert len(ended.document["messages"]) == rows
        assert took < SOON, words
    out = tmp_path / "all.csv"
    assert command("status", "export", "--format", "csv", str(out)).status == 0
    with out.open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == MANY + 1


def test_an_export_follows_no_link_that_stands_where_it_writes(
    told: SiteCommand, tmp_path: Path
) -> None:
    out, other = tmp_path / "messages.csv", tmp_path / "other"
    other.write_text("somebody's file")
    (tmp_path / f".messages.csv.{os.getpid()}").symlink_to(other)
    ended = told("status", "export", "--format", "csv", str(out))
    assert ended.status == StorageError.exit_code
    assert other.read_text() == "somebody's file"
