"""`wimdock image history`: what was done to an image package."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from sqlalchemy import insert

from tests.cli.ended import Ended
from tests.cli.site_command import SiteCommand
from wimdock.clock import FixedClock
from wimdock.errors import NoSuchRecord
from wimdock.site.messages import remember
from wimdock.site.models import History

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "schemas" / "image_history.json"
START = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
MANY = 100_000
SOON = 0.5


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site to which nothing was done."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def history_of(command: SiteCommand, *words: str) -> Ended:
    return command("image", "history", *words, "--json")


def test_the_history_of_an_image_package(command: SiteCommand) -> None:
    site = replace(command.site, clock=FixedClock(START), operator="ann")
    updates = [{"id": 16777217, "title": "KB5", "result": "installed"}]
    with site.writing() as session:
        entry = remember(
            session,
            site,
            "CAS00001",
            action="service",
            result="succeeded",
            generation=3,
            run_id=12,
            seconds=62,
            updates=updates,
        )
    site = replace(site, clock=FixedClock(START + timedelta(hours=1)))
    with site.writing() as session:
        remember(session, site, "CAS00001", action="rollback", result="succeeded", generation=2)
    head, newest, oldest = command("image", "history", "cas00001").out.splitlines()
    assert head.split()[:4] == ["time", "what", "result", "generation"]
    assert newest.split()[2:] == ["rollback", "succeeded", "2", "ann"]
    assert oldest.split()[2:] == [
        *("service", "succeeded", "3", "12", "1", "min", "02", "s", "ann", "KB5:", "installed")
    ]
    document = history_of(command, "CAS00001").document
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [each["action"] for each in document["history"]] == ["rollback", "service"]
    assert document["history"][1]["updates"] == updates
    assert entry.run_id == document["history"][1]["run"]
    assert len(history_of(command, "CAS00001", "--last", "1").document["history"]) == 1


def test_an_image_package_that_never_was_has_no_history(command: SiteCommand) -> None:
    assert history_of(command, "CAS00009").status == NoSuchRecord.exit_code


def test_it_is_soon_there_among_many(command: SiteCommand) -> None:
    entries = [
        {
            "package_id": f"CAS{number % 1000:05X}",
            "at": START + timedelta(seconds=number),
            "action": "service",
            "result": "succeeded",
            "generation": number // 1000,
            "run_id": number + 1,
            "operator": "ann",
            "seconds": 4.0,
            "updates": [{"id": 16777217, "title": "KB5", "result": "installed"}],
            "detail": "",
        }
        for number in range(MANY)
    ]
    with command.site.writing() as session:
        session.execute(insert(History), entries)
    begin = time.perf_counter()
    assert len(history_of(command, "CAS003E7").document["history"]) == 50
    assert time.perf_counter() - begin < SOON
