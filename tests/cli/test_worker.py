"""`wimdock worker`, `worker list` and `serve`: what they print, their document, their errors."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from tests.cli.site_command import SiteCommand
from wimdock.cli.service_log import ServiceLog
from wimdock.clock import FixedClock
from wimdock.errors import NoSite, UsageError
from wimdock.events import Event, Kind, Severity
from wimdock.site.runs.queue import WorkerOffer, bury, register_worker

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schemas" / "workers.json"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without workers."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def test_workers_are_listed(command: SiteCommand) -> None:
    assert command("worker", "list").out == "There is no worker.\n"
    offer = WorkerOffer(
        "host", "boot", 17, ("night",), ("amd64",), ("", "images"), memory=1 << 30, concurrency=2
    )
    living = register_worker(command.site, offer)
    dead = register_worker(command.site, WorkerOffer("other", "boot", 18))
    bury(command.site, dead)
    text = command("worker", "list").out
    assert living in text
    assert "0 of 2" in text
    assert dead not in text
    document = command("worker", "list", "--ended", "5", "--json").document
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(document, schema, format_checker=checker)
    first, second = document["workers"]
    assert (first["id"], first["state"], first["storage"]) == (living, "running", ["images"])
    assert (second["id"], second["state"]) == (dead, "dead")


@pytest.mark.parametrize(
    "words",
    [
        ("worker", "--storage", "images"),
        ("worker", "--storage", "images=relative"),
        ("worker", "--metrics", "9100"),
        ("worker", "--metrics", "host:70000"),
        ("worker", "--architecture", "mips"),
        ("worker", "--concurrency", "0"),
        ("serve", "--metrics", "host:"),
        ("serve", "--grace", "soon"),
    ],
)
def test_wrong_options_are_refused_before_anything_begins(
    command: SiteCommand, words: tuple[str, ...]
) -> None:
    ended = command(*words)
    assert ended.status == UsageError.exit_code
    assert words[-1] in ended.err
    assert command("worker", "list", "--ended", "9").out == "There is no worker.\n"


def test_without_a_site_there_is_nothing_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from wimdock.cli.main import run

    for name in ("worker", "serve"):
        assert run([name, "--site", str(tmp_path / "none")]) == NoSite.exit_code
        assert "there is no site" in capsys.readouterr().err


def test_what_runs_for_long_says_one_line_for_each_message() -> None:
    clock = FixedClock(datetime(2026, 11, 3, 12, 0, tzinfo=UTC))
    events = (
        Event(Kind.STEP_STARTED, ("apply",)),
        Event(Kind.MESSAGE, text="run 3 is handed back\x1b[0m", severity=Severity.WARNING),
    )
    plain, lines = io.StringIO(), io.StringIO()
    for event in events:
        ServiceLog(clock, stream=plain)(event)
        ServiceLog(clock, stream=lines, as_json=True)(event)
    assert plain.getvalue() == ("2026-11-03 12:00:00Z warning: run 3 is handed back\\x1b[0m\n")
    assert json.loads(lines.getvalue()) == {
        "time": "2026-11-03T12:00:00.000Z",
        "severity": "warning",
        "text": "run 3 is handed back\x1b[0m",
    }


def test_a_stream_that_is_gone_stops_no_work() -> None:
    stream = io.StringIO()
    stream.close()
    ServiceLog(FixedClock(datetime.now(UTC)), stream=stream)(Event(Kind.MESSAGE, text="x"))
