"""The site's log: many processes write it while it is rolled over, and none disturbs another."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from wimdock.doctor.logs import read_logs
from wimdock.site.messages import JSON_NAME, LOG_NAME, SiteLog, say, table
from wimdock.site.settings import LogSettings
from wimdock.site.site import Site

WRITERS = 6
LINES = 400
MARKER = "<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>"
LINE = re.compile(r"writer (\d+) line (\d+) (x*)")


@pytest.fixture
def site(make_site: Callable[[str | None], Site]) -> Site:
    """Give a site on SQLite: the log is the same on all."""
    return make_site(None)


def with_log(site: Site, log: LogSettings) -> Site:
    return replace(site, settings=replace(site.settings, log=log))


def write_at_once(site: Site, size: int) -> None:
    """Let several processes write, all at the same time; `size` in KiB."""
    program = str(Path(__file__).with_name("log_writer.py"))
    running = [
        subprocess.Popen(
            (sys.executable, program, str(site.folder), str(size), str(writer), str(LINES)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for writer in range(1, WRITERS + 1)
    ]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in running:
        assert each.stdin is not None
        each.stdin.close()
    assert [each.wait(60) for each in running] == [0] * WRITERS
    for each in running:
        assert each.stdout is not None
        each.stdout.close()


def numbers(found: list[str]) -> dict[int, list[int]]:
    """Give the numbers of the lines of each writer; every line must be whole."""
    seen: dict[int, list[int]] = {}
    for text in found:
        whole = LINE.fullmatch(text)
        assert whole is not None, text
        writer, number = int(whole[1]), int(whole[2])
        assert len(whole[3]) == number % 200
        seen.setdefault(writer, []).append(number)
    return seen


def logged(site: Site) -> list[str]:
    return [record.message for record in read_logs([site.logs / LOG_NAME])]


def logged_as_json(site: Site) -> list[str]:
    text = "".join(
        path.read_text(encoding="ascii")
        for path in (site.logs / "wimdock.old.jsonl", site.logs / JSON_NAME)
        if path.exists()
    )
    return [json.loads(line)["message"] for line in text.splitlines()]


def test_no_line_is_lost_or_torn_where_a_log_is_rolled_over(site: Site) -> None:
    write_at_once(site, 300)
    archive = (site.logs / "OfflineServicingMgr.lo_").read_bytes()
    assert archive.count(MARKER.encode()) == 1
    assert archive.endswith(f"{MARKER}\r\n".encode())
    found = [text for text in logged(site) if text != MARKER]
    everything = {writer: list(range(LINES)) for writer in range(1, WRITERS + 1)}
    assert numbers(found) == everything


def test_however_often_it_is_rolled_over_the_last_lines_are_whole(site: Site) -> None:
    write_at_once(site, 2)
    size = max(path.stat().st_size for path in site.logs.iterdir())
    assert size <= 2 * 1024 + len(MARKER) + 2
    for found in (logged(site), logged_as_json(site)):
        seen = numbers([text for text in found if text != MARKER])
        assert seen
        for of_one in seen.values():
            # What is left of a writer are its last lines, without a gap between them.
            assert of_one == list(range(of_one[0], LINES))


def test_without_the_setting_there_is_no_json(site: Site) -> None:
    say(site, table.BACKUP_MADE, "b.tar")
    assert [path.name for path in site.logs.iterdir()] == [LOG_NAME]


def test_json_lines_tell_the_same(site: Site) -> None:
    chatty = with_log(site, LogSettings(json=True))
    say(chatty, table.IMAGE_LOCKED, 12, "CAS00001", "\u202eprocess 4120", run_id=12)
    with SiteLog(chatty, run_id=12) as log:
        log.line("Schedule processing failed")
    path = site.logs / JSON_NAME
    said, status, line = map(json.loads, path.read_text(encoding="ascii").splitlines())
    assert said["message"] == ("Run 12 found image package CAS00001 in use: \u202eprocess 4120.")
    assert status["status_message"] == {
        "id": 42004,
        "severity": "E",
        "name": "image-locked",
        "image_package": None,
        "schedule": None,
        "strings": ["12", "CAS00001", "\u202eprocess 4120"],
    }
    assert line.pop("process") > 0
    assert line == {
        "time": "2026-11-03T12:00:00.000Z",
        "component": "SMS_OFFLINE_SERVICING_MANAGER",
        "site": "CAS",
        "host": site.host,
        "run": 12,
        "message": "Schedule processing failed",
    }
    assert [record.message for record in read_logs([site.logs / LOG_NAME])] == [
        said["message"],
        status["message"],
        line["message"],
    ]


def test_what_is_said_cannot_end_a_line(site: Site) -> None:
    with SiteLog(site, run_id=12) as log:
        log.own("one\r\nRun 12 started.  $$<SMS_OFFLINE_SERVICING_MANAGER><\0")
    (record,) = read_logs([site.logs / LOG_NAME])
    assert record.component == "WIMDOCK"
