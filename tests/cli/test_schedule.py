"""`wimdock schedule`: added, listed, explained, run and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.demo_files import copy_demo
from tests.cli.site_command import SiteCommand
from tests.site.updates.made_updates import document, image, package_id, update_row
from wimdock.errors import NoSuchRecord, NotOffered, ScheduleError, StorageError, UsageError
from wimdock.site.images.adding import add_package
from wimdock.site.models import ImagePackage, PackageType, Schedule, UpdateRow
from wimdock.site.updates.importing import import_updates

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
FIRST = 16777217
ADD = ("schedule", "add", "--image", "CAS00001", "--update", "all")
NAMED = (*ADD[:-1], str(FIRST), "--cron", "0 2 * * *")


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site with an image package of two images, without a file, and an update."""
    made = SiteCommand(tmp_path / "site", capsys)
    now = made.site.now()
    with made.site.writing() as session:
        session.add(
            ImagePackage(
                id="CAS00001",
                type=PackageType.OS_IMAGE,
                name="Golden",
                path="/images/golden.wim",
                header="00" * 208,
                length=1,
                preflight={},
                added_at=now,
                read_at=now,
                images=[image(index=1), image(index=2)],
            )
        )
        update = package_id("Package_for_KB5000001", "10.0.1.1")
        session.add(update_row(FIRST, document(update), kb="KB5000001"))
    yield made
    made.close()


@pytest.fixture
def real(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site with the demo's image and update."""
    made = SiteCommand(tmp_path / "site", capsys)
    folder = tmp_path / "images"
    folder.mkdir()
    copy_demo(folder)
    add_package(made.site, folder / "demo.wim")
    import_updates(made.site, folder / "demo-update.cab")
    yield made
    made.close()


def check(name: str, text: str) -> Any:
    found = json.loads(text)
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, schema)
    return found


def added(command: SiteCommand, *words: str) -> Any:
    ended = command(*ADD, *words, "--json")
    assert (ended.status, ended.err) == (0, "")
    return check("schedule_add", ended.out)["schedule"]


@pytest.mark.parametrize(
    "words,recurrence",
    [
        (["--at", "2099-11-10T22:00"], {"kind": "once", "at": "2099-11-10T22:00:00"}),
        (["--cron", "0 22 * * tue#2"], {"kind": "cron", "expression": "0 22 * * TUE#2"}),
        (
            ["--rrule", "DTSTART:20301103T220000\\nRRULE:FREQ=DAILY"],
            {"kind": "rrule", "rule": "FREQ=DAILY", "start": "2030-11-03T22:00:00"},
        ),
        (
            ["--patch-tuesday", "+3", "--time", "23:30"],
            {"kind": "patch-tuesday", "days": 3, "time": "23:30"},
        ),
        (
            ["--patch-tuesday", "0", "--window", "22:00-04:00"],
            {"kind": "patch-tuesday", "days": 0, "time": "22:00"},
        ),
        (["--token", "a9788980001b4000"], {"kind": "token", "tokens": "A9788980001B4000"}),
        (["--run-now"], {"kind": "now"}),
    ],
)
def test_when(command: SiteCommand, words: list[str], recurrence: dict[str, Any]) -> None:
    assert added(command, *words)["recurrence"] == recurrence


def test_everything_that_can_be_asked_for(command: SiteCommand) -> None:
    found = added(
        command,
        *("--cron", "0 22 * * *", "--zone", "Europe/Berlin", "--name", "nightly"),
        *("--window", "mon-fri 22:00-04:00", "--blackout", "2026-12-24/2027-01-02"),
        *("--max-run-time", "1h30m", "--continue-on-error", "--update-points", "--retries", "3"),
        *("--backoff", "5m", "--priority", "-5", "--queue", "night", "--allow-unsigned", "--copy"),
        *("--update", str(FIRST), "--newest-per-family", "--kb", "5000001", "--min-age", "7"),
        *("--max-age", "90", "--classification", "Security Update"),
    )
    assert found["images"] == [{"image_package": "CAS00001", "indexes": []}]
    assert found["updates"] == {
        "ids": [FIRST],
        "all_applicable": True,
        "newest_per_family": True,
        "kbs": ["KB5000001"],
        "min_age_days": 7,
        "max_age_days": 90,
        "classifications": ["Security Update"],
    }
    assert found["options"] == {
        "continue_on_error": True,
        "update_points": True,
        "allow_unsigned": True,
        "on_copy": True,
        "retries": 3,
        "backoff": 300,
        "max_run_minutes": 90,
    }
    assert found["window"] == {
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "start": "22:00",
        "end": "04:00",
        "blackout": ["2026-12-24/2027-01-02"],
    }
    assert (found["queue"], found["priority"], found["name"]) == ("night", -5, "nightly")
    ended = command("schedule", "show", str(found["id"]))
    assert "ends after 1 h 30 min" in ended.out
    assert "mon, tue, wed, thu, fri 22:00-04:00, but not on 2026-12-24/2027-01-02" in ended.out


def test_indexes(command: SiteCommand) -> None:
    words = ("--update", "all", "--run-now", "--json")
    ended = command("schedule", "add", "--image", "cas00001:1-2", *words)
    found = check("schedule_add", ended.out)
    assert found["schedule"]["images"] == [{"image_package": "CAS00001", "indexes": [1, 2]}]
    assert [run["indexes"] for run in found["runs"]] == [[1, 2]]


@pytest.mark.parametrize(
    "words,error",
    [
        ([], UsageError),
        (["--at", "2099-01-01", "--cron", "0 0 * * *"], UsageError),
        (["--cron", "0 0 * * *", "--time", "22:00"], UsageError),
        (["--rrule", r"DTSTART:20990101T220000\nFREQ=DAILY", "--time", "23:00"], UsageError),
        (["--cron", "0 0 * * *", "--wait"], UsageError),
        (["--run-now", "--max-run-time", "90"], UsageError),
        (["--run-now", "--image", "CAS1"], UsageError),
        (["--run-now", "--image", "CAS00002:"], UsageError),
        (["--run-now", "--image", "CAS00002:3-1"], UsageError),
        (["--run-now", "--image", "CAS00002:1-999999999"], UsageError),
        (["--run-now", "--update", "KB1"], UsageError),
        (["--patch-tuesday", "soon"], UsageError),
        (["--run-now", "--priority", "high"], UsageError),
        (["--patch-tuesday", "31"], ScheduleError),
        (["--cron", "0 0 * *"], ScheduleError),
        (["--rrule", "FREQ=SECONDLY"], ScheduleError),
        (["--token", "A978"], ScheduleError),
        (["--at", "2001-01-01"], ScheduleError),
        (["--at", "tomorrow"], ScheduleError),
        (["--run-now", "--zone", "Europe/Atlantis"], ScheduleError),
        (["--run-now", "--window", "noon"], ScheduleError),
        (["--run-now", "--blackout", "Christmas"], ScheduleError),
        (["--run-now", "--kb", "x"], ScheduleError),
        (["--run-now", "--min-age", "9", "--max-age", "8"], ScheduleError),
        (["--run-now", "--max-run-time", "9999d"], ScheduleError),
        (["--run-now", "--image", "CAS00002"], NoSuchRecord),
        (["--run-now", "--update", "16777999"], NoSuchRecord),
        (["--run-now", "--remove-superseded"], NotOffered),
        (["--run-now", "--export-after"], NotOffered),
    ],
)
def test_what_is_refused_is_said_and_nothing_is_kept(
    command: SiteCommand, words: list[str], error: type[UsageError]
) -> None:
    ended = command(*ADD, *words)
    assert ended.status == error.exit_code
    assert ended.out == ""
    assert ended.err.count("\n") == 2
    assert "what to do:" in ended.err
    with command.site.reading() as session:
        assert session.get(Schedule, FIRST) is None


def test_an_update_must_be_chosen(command: SiteCommand) -> None:
    ended = command("schedule", "add", "--image", "CAS00001", "--run-now")
    assert ended.status == ScheduleError.exit_code
    assert "no update" in ended.err


def test_list(command: SiteCommand) -> None:
    assert command("schedule", "list").out == "There is no such schedule.\n"
    added(command, "--cron", "0 22 * * TUE#2", "--name", "monthly")
    added(command, "--run-now")
    ended = command("schedule", "list")
    lines = ended.out.splitlines()
    assert lines[0].startswith("schedule  name     state  due next")
    assert "second Tuesday of the month" in lines[1]
    assert "when it is run by hand" in lines[2]
    found = check("schedules", command("schedule", "list", "--json").out)
    assert [each["id"] for each in found["schedules"]] == [FIRST, FIRST + 1]
    one = check("schedules", command("schedule", "list", "--image", "CAS00002", "--json").out)
    assert one["schedules"] == []


def test_a_schedule_that_cannot_be_read_does_not_hide_the_others(command: SiteCommand) -> None:
    added(command, "--cron", "0 22 * * TUE#2")
    with command.site.writing() as session:
        session.get_one(Schedule, FIRST).recurrence = {"kind": "sometimes"}
    ended = command("schedule", "list")
    assert ended.status == 0
    assert "cannot be read" in ended.out


def test_show(command: SiteCommand) -> None:
    added(command, "--cron", "0 22 * * TUE#2", "--run-now", "--zone", "Europe/Berlin")
    ended = command("schedule", "show", str(FIRST))
    assert "schedule token:" in ended.out
    assert "by hand" in ended.out
    found = check("schedule", command("schedule", "show", str(FIRST), "--json").out)
    assert len(found["token"]) == 16
    assert [each["outcome"] for each in found["occurrences"]] == ["by hand"]
    assert command("schedule", "show", "1").status == NoSuchRecord.exit_code


def test_explain(command: SiteCommand) -> None:
    added(command, "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--window", "sun")
    words = ("schedule", "explain", str(FIRST))
    found = check("schedule_explain", command(*words, "--count", "60", "--json").out)
    assert found["more_excluded"]
    assert len(found["instants"]) < 60 + 51
    assert {bool(each["excluded"]) for each in found["instants"]} == {True, False}
    assert found["work"] == [
        {
            "image_package": "CAS00001",
            "name": "Golden",
            "indexes": [],
            "updates": [{"id": FIRST, "kb": "KB5000001", "title": "Package_for_KB5000001"}],
        }
    ]
    ended = command(*words)
    assert "is outside the window (sun)" in ended.out
    assert f"{FIRST} (KB5000001)" in ended.out


def test_explain_tells_what_is_overdue(command: SiteCommand) -> None:
    added(command, "--cron", "0 2 * * *")
    passed = command.site.now().replace(hour=2, minute=0, second=0) - timedelta(days=3)
    with command.site.writing() as session:
        session.get_one(Schedule, FIRST).next_due = passed
    words = ("schedule", "explain", str(FIRST))
    found = check("schedule_explain", command(*words, "--json").out)
    assert [each["outcome"] for each in found["overdue"]][:2] == ["missed", "missed"]
    out = command(*words).out
    assert "Overdue, for no scheduler has run since" in out
    assert "no scheduler ran then" in out


def test_unsigned_updates_are_left_out_or_refused(command: SiteCommand) -> None:
    with command.site.writing() as session:
        session.get_one(UpdateRow, FIRST).catalogued = False
    ended = command(*NAMED)
    assert ended.status == ScheduleError.exit_code
    assert "--allow-unsigned" in ended.err
    assert command(*ADD, "--cron", "0 2 * * *").status == 0
    words = ("schedule", "explain", str(FIRST))
    found = check("schedule_explain", command(*words, "--json").out)
    assert [each["updates"] for each in found["work"]] == [[]]
    assert [each["id"] for each in found["unsigned"]] == [FIRST]
    assert f"Left out as unsigned, for want of --allow-unsigned: {FIRST}" in (command(*words).out)
    assert command(*NAMED, "--allow-unsigned").status == 0
    assert command(*ADD, "--cron", "0 2 * * *", "--allow-unsigned").status == 0
    for number in (FIRST + 1, FIRST + 2):
        out = command("schedule", "explain", str(number), "--json").out
        found = check("schedule_explain", out)
        assert [each["id"] for each in found["work"][0]["updates"]] == [FIRST]
        assert found["unsigned"] == []


def test_an_update_that_cannot_be_put_in_is_refused_by_name(command: SiteCommand) -> None:
    with command.site.writing() as session:
        session.get_one(UpdateRow, FIRST).unsupported = ["it installs a driver"]
    ended = command(*NAMED)
    assert ended.status == NotOffered.exit_code
    assert "it installs a driver" in ended.err


def test_a_run_has_some_time_or_no_limit(command: SiteCommand) -> None:
    ended = command(*ADD, "--cron", "0 2 * * *", "--max-run-time", "0s")
    assert (ended.status, "no limit" in ended.err) == (ScheduleError.exit_code, True)


@pytest.mark.parametrize("verb", ["enable", "disable", "remove"])
def test_of_several_schedules_all_or_none_is_changed(command: SiteCommand, verb: str) -> None:
    added(command, "--cron", "0 22 * * *")
    assert command("schedule", verb, str(FIRST), "99").status == NoSuchRecord.exit_code
    listed = check("schedules", command("schedule", "list", "--json").out)["schedules"]
    assert [each["enabled"] for each in listed] == [True]


def test_explain_tells_of_gaps_and_repeated_hours(command: SiteCommand) -> None:
    added(command, "--cron", "30 2 29 3 *", "--zone", "Europe/Berlin")
    words = ("schedule", "explain", str(FIRST), "--count", "40", "--json")
    found = check("schedule_explain", command(*words).out)
    notes = [each for each in found["instants"] if each["note"]]
    assert notes  # 29 March is the last Sunday of March every few years
    assert "the clocks skip" in notes[0]["note"]
    assert "T03:00:00+02:00" in notes[0]["local"]


def test_explain_says_why_the_work_cannot_be_told(command: SiteCommand) -> None:
    words = ("schedule", "add", "--image", "CAS00001", "--update", str(FIRST))
    assert command(*words, "--cron", "0 2 * * *").status == 0
    with command.site.writing() as session:
        session.get_one(UpdateRow, FIRST).retired_at = command.site.now()
    ended = command("schedule", "explain", str(FIRST))
    assert ended.status == 0
    assert "is retired" in ended.out


def test_switched_off_on_and_removed(command: SiteCommand) -> None:
    added(command, "--cron", "0 22 * * *")
    number = str(FIRST)
    found = check("schedules", command("schedule", "disable", number, "--json").out)
    assert (found["schedules"][0]["enabled"], found["schedules"][0]["due_next"]) == (False, None)
    assert "is off" in command("schedule", "disable", number).out
    assert "It is off" in command("schedule", "explain", number).out
    assert "is on, due next" in command("schedule", "enable", number).out
    assert "was removed" in command("schedule", "remove", number).out
    assert command("schedule", "remove", number).status == NoSuchRecord.exit_code


def test_run_now_and_cancel(command: SiteCommand) -> None:
    added(command, "--cron", "0 22 * * *")
    ended = command("schedule", "run-now", str(FIRST))
    assert ended.out == "run 1 of CAS00001 waits\n"
    made = check("runs", command("schedule", "run-now", str(FIRST), "--json").out)
    assert [run["updates"] for run in made["runs"]] == [[FIRST]]
    gone = check("runs", command("schedule", "cancel", str(FIRST), "--json").out)
    assert [run["state"] for run in gone["runs"]] == ["cancelled", "cancelled"]
    assert "no run that waits" in command("schedule", "cancel", str(FIRST)).out


def test_many_runs_are_told_in_one_line(command: SiteCommand) -> None:
    now = command.site.now()
    names = [f"CAS001{number:02X}" for number in range(12)]
    with command.site.writing() as session:
        for name in names:
            row = image()
            row.package_id = name
            session.add(
                ImagePackage(
                    id=name,
                    type=PackageType.OS_IMAGE,
                    name=name,
                    path=f"/images/{name}.wim",
                    header="00" * 208,
                    length=1,
                    preflight={},
                    added_at=now,
                    read_at=now,
                    images=[row],
                )
            )
    words = [word for name in names for word in ("--image", name)]
    ended = command("schedule", "add", *words, "--update", "all", "--run-now")
    assert "12 image packages" in ended.out
    assert ended.out.splitlines()[-1] == "12 runs wait: 1 to 12"


def test_run_now_and_wait(real: SiteCommand) -> None:
    ended = real(*ADD, "--allow-unsigned", "--run-now", "--wait", "--json")
    assert ended.status == 0, ended.err
    found = check("schedule_add", ended.out)
    (run,) = found["runs"]
    assert (run["state"], run["updates"], run["generation"]) == ("succeeded", [FIRST], 3)
    again = real("schedule", "run-now", str(FIRST), "--wait")
    assert again.status == 0
    assert again.out == "run 2 of CAS00001: succeeded\n"


def test_a_run_that_fails_gives_its_exit_status(real: SiteCommand) -> None:
    with real.site.reading() as session:
        file = session.get_one(ImagePackage, "CAS00001").path
    assert file is not None
    Path(file).unlink()
    ended = real(*ADD, "--run-now", "--wait")
    assert ended.status == StorageError.exit_code
    assert "run 1 of CAS00001: failed" in ended.out
    assert "what to do:" in ended.out
