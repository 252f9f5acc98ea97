"""`wimdock update`: what it prints, its documents, and its errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.ended import Ended
from tests.cli.site_command import SiteCommand
from tests.site.updates.library_state import rows_of, small_update
from wimdock.errors import (
    AlreadyRecorded,
    MalformedPackage,
    MissingDictionary,
    NoSite,
    NoSuchRecord,
    StorageError,
    UsageError,
)
from wimdock.site.models import Schedule, ScheduleUpdate

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
FIRST = "16777217"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without updates."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def document(ended: Ended, name: str) -> dict[str, Any]:
    """Give a command's document, which must be as its schema says."""
    found = ended.document
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.validate(found, schema, format_checker=checker)
    assert found["wimdock"]["document"] == name
    return found


def refused(ended: Ended, error: type[Any]) -> str:
    """Give what a command says that ended with an error; stdout must be empty."""
    assert (ended.status, ended.out) == (error.exit_code, "")
    assert "what to do:" in ended.err
    return ended.err


def test_import_list_and_show(command: SiteCommand, shared_data: Path) -> None:
    packages = shared_data / "packages"
    words = ("--manifest-dictionary", str(packages / "manifest-dictionary.bin"))
    ended = command("update", "import", str(packages), *words, "--json")
    assert ended.status == 0
    found = document(ended, "update_import")
    assert {each["result"] for each in found["imported"]} == {"imported"}
    assert found["failed"] == []
    again = command("update", "import", str(packages / "OpenSSH-Client-19041.cab"), *words)
    assert again.status == 0
    assert "known already" in again.out
    listed = document(command("update", "list", "--json"), "updates")["updates"]
    assert [each["id"] for each in listed] == [int(FIRST) + place for place in range(4)]
    client = next(each for each in listed if each["title"] == "OpenSSH Client")
    assert client["signature"] == "hashes verified, signature not"
    assert client["released"] == "2019-12-06T22:40:00Z"
    table = command("update", "list").out.splitlines()
    assert len(table) == 5
    assert "OnDemand Pack" in table[1]
    kept = command("update", "list", "--kb", "4528069", "--unsupported").out.splitlines()
    assert len(kept) == 3
    assert all("unsupported" in line for line in kept[1:])
    assert len(command("update", "list", "--architecture", "x86").out.splitlines()) == 2
    assert len(command("update", "list", "--family", "openssh").out.splitlines()) == 3
    shown = command("update", "show", str(client["id"])).out
    assert "its catalog names the signer 'Microsoft Windows'" in shown
    assert "hashes compared: hashes verified, signature not" in shown
    assert "for Microsoft-Windows-Client-Features-Package~" in shown
    whole = document(command("update", "show", str(client["id"]), "--json"), "update")
    assert whole["packages"][0]["root"]
    assert whole["file_trouble"] is None
    fix = next(each for each in listed if each["unsupported_count"])
    assert "PE transform" in command("update", "show", str(fix["id"])).out
    document(command("update", "show", str(fix["id"]), "--json"), "update")


def test_import_says_which_failed(command: SiteCommand, tmp_path: Path) -> None:
    good = small_update(tmp_path / "good.cab")
    (tmp_path / "bad.cab").write_text("no cabinet")
    words = ("update", "import", str(tmp_path / "bad.cab"), str(good), str(tmp_path / "gone.cab"))
    ended = command(*words, "--json")
    assert ended.status == MalformedPackage.exit_code
    found = document(ended, "update_import")
    assert [each["update"]["id"] for each in found["imported"]] == [int(FIRST)]
    assert [each["type"] for each in found["failed"]] == ["MalformedPackage", "StorageError"]
    assert "bad.cab" in ended.err
    shown = command(*words)
    assert shown.status == MalformedPackage.exit_code
    assert shown.out.endswith("2 files could not be imported.\n")
    alone = command("update", "import", str(tmp_path / "bad.cab"), "--json")
    assert alone.document["errors"][0]["type"] == "MalformedPackage"
    refused(command("update", "import", str(tmp_path / "gone.cab")), StorageError)
    (tmp_path / "empty").mkdir()
    refused(command("update", "import", str(tmp_path / "empty")), UsageError)


def test_import_needs_a_dictionary(command: SiteCommand, shared_data: Path) -> None:
    cabinet = shared_data / "packages" / "OpenSSH-Client-19041.cab"
    assert "wimdock image add" in refused(
        command("update", "import", str(cabinet)), MissingDictionary
    )


def test_applicability(
    command: SiteCommand, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    assert command("update", "applicability").out.startswith("There is no image package")
    image = lab_image("lzx")
    command("image", "add", str(image))
    command("update", "import", str(small_update(tmp_path / "a.cab")))
    for words in ((), ("CAS00001", "--update", FIRST), ("cas00001", "--plan")):
        ended = command("update", "applicability", *words, "--json")
        found = document(ended, "update_applicability")
        assert found["planned"] == ("--plan" in words)
        (result,) = found["results"]
        assert (result["state"], result["image_package"]) == ("applicable", "CAS00001")
    table = command("update", "applicability").out.splitlines()
    assert len(table) == 2
    assert "applicable" in table[1]
    refused(command("update", "applicability", "CAS00009"), NoSuchRecord)
    refused(command("update", "applicability", "--update", "5"), NoSuchRecord)


def test_retire(command: SiteCommand, tmp_path: Path) -> None:
    cabinet = small_update(tmp_path / "a.cab")
    command("update", "import", str(cabinet))
    with command.site.writing() as session:
        (row,) = rows_of(command.site)
        session.add(
            Schedule(
                id=3,
                name="",
                enabled=False,
                recurrence={},
                zone="UTC",
                window={},
                selection={},
                options={},
                queue="default",
                priority=0,
                sms_action=1,
                sms_state=1,
                created_at=command.site.now(),
                created_by="somebody",
            )
        )
        session.flush()
        session.add(ScheduleUpdate(schedule_id=3, update_id=row.id, position=0))
    assert "schedule 3" in refused(command("update", "retire", FIRST), AlreadyRecorded)
    assert "named by schedule 3" in command("update", "show", FIRST).out
    with command.site.writing() as session:
        session.get_one(Schedule, 3).enabled = True
    assert command("update", "retire", FIRST).out == (
        f"update {FIRST} (Lab-Update-Package) is retired\n"
    )
    ended = command("update", "retire", FIRST, "--delete-file", "--json")
    (retired,) = document(ended, "update_retire")["retired"]
    assert (retired["was_retired"], retired["freed_bytes"]) == (True, cabinet.stat().st_size)
    assert "There is no such update" in command("update", "list").out
    assert FIRST in command("update", "list", "--retired").out
    shown = command("update", "show", FIRST).out
    assert "retired on " in shown
    assert "its file cannot be used: " in shown
    assert "brought back" in command("update", "import", str(cabinet)).out
    refused(command("update", "retire", FIRST, "5"), NoSuchRecord)
    assert FIRST in command("update", "list").out


def test_mistakes(command: SiteCommand, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from wimdock.cli.main import run

    refused(command("update", "list", "--kb", "many"), UsageError)
    refused(command("update", "show", "7"), NoSuchRecord)
    refused(command("update", "show", "first"), UsageError)
    assert run(["update", "list", "--site", str(tmp_path / "none")]) == NoSite.exit_code
    capsys.readouterr()


def test_what_a_package_calls_itself_cannot_steer_the_terminal(
    command: SiteCommand, tmp_path: Path
) -> None:
    command("update", "import", str(small_update(tmp_path / "a.cab")))
    with command.site.writing() as session:
        from wimdock.site.models import UpdateRow

        row = session.get_one(UpdateRow, int(FIRST))
        row.title, row.signer = "red \x1b[31m", "\u202e"
        row.unsupported = ["\x07"]
    for words in (("list",), ("show", FIRST), ("retire", FIRST)):
        out = command("update", *words).out
        assert "\x1b" not in out
        assert "\u202e" not in out
        assert "\x07" not in out
