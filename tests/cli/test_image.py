"""`wimdock image`: what it prints, its documents, and its errors."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.ended import Ended
from tests.cli.site_command import SiteCommand
from tests.servicing.surroundings import PACKAGE, cabinet_of, packages_in, put_in
from wimdock.cli.image.export import Size
from wimdock.cli.main import run
from wimdock.configmgr.provider import parse_provider
from wimdock.errors import (
    AlreadyRecorded,
    GenerationError,
    ImageBusy,
    NoSuchRecord,
    NotAnImage,
    StorageError,
    UsageError,
)
from wimdock.site.images.commit_token import commit_token
from wimdock.site.providers import add_providers
from wimdock.site.runs.lease import hold
from wimdock.wim import Archive

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site without image packages."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


@pytest.fixture
def file(lab_image: Callable[[str], Path]) -> Path:
    """Give an image file with three images."""
    return lab_image("multi").resolve()


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


def test_add(command: SiteCommand, file: Path) -> None:
    ended = command("image", "add", str(file), "--name", "Golden")
    assert ended.status == 0
    assert ended.out.startswith("CAS00001: Golden, ")
    assert "blocked: `wimdock image show CAS00001` says why" in ended.out
    assert "3 images" in ended.err


def test_add_several_and_say_which_failed(
    command: SiteCommand, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    first, second = lab_image("lzx"), lab_image("xpress")
    (tmp_path / "none.wim").write_bytes(b"no image" * 100)
    words = [str(first), str(tmp_path / "none.wim"), str(second)]
    ended = command("image", "add", *words, "--json")
    assert ended.status == NotAnImage.exit_code
    found = document(ended, "image_add")
    assert [(each["id"], each["name"]) for each in found["added"]] == [
        ("CAS00001", "lzx"),
        ("CAS00002", "xpress"),
    ]
    assert [each["type"] for each in found["failed"]] == ["NotAnImage"]
    assert "none.wim" in ended.err
    again = command("image", "add", *words, "--json")
    assert again.status == AlreadyRecorded.exit_code
    assert [each["type"] for each in again.document["errors"]] == [
        "AlreadyRecorded",
        "NotAnImage",
        "AlreadyRecorded",
    ]


def test_a_name_is_that_of_one(command: SiteCommand, file: Path) -> None:
    ended = command("image", "add", str(file), str(file), "--name", "both")
    assert "one by one" in refused(ended, UsageError)


def test_list(command: SiteCommand, file: Path, lab_image: Callable[[str], Path]) -> None:
    assert "There is no image package" in command("image", "list").out
    command("image", "add", str(file), str(lab_image("lzx")))
    ended = command("image", "list")
    head, *rows = ended.out.splitlines()
    titles = (
        "id type name images architecture version size generation content version state last read"
    )
    assert head.split() == titles.split()
    assert rows[0].split()[:-2] == [
        *("CAS00001", "image", "multi", "3", "amd64", "10.0.19041.388"),
        *(rows[0].split()[6], "KiB", "1", "as", "recorded"),
    ]
    assert rows[1].split()[:4] == ["CAS00002", "image", "lzx", "1"]
    found = document(command("image", "list", "--json"), "image_packages")
    assert [each["id"] for each in found["image_packages"]] == ["CAS00001", "CAS00002"]
    assert found["image_packages"][0]["path"] == str(file)
    assert [image["index"] for image in found["image_packages"][0]["images"]] == [1, 2, 3]


def test_show(command: SiteCommand, file: Path) -> None:
    command("image", "add", str(file), "--description", "as \x1b[31mdeployed")
    add_providers(command.site, [parse_provider("CM01=6.3.9600")])
    ended = command("image", "show", "cas00001")
    assert ended.status == 0
    for words in (
        "CAS00001: multi, operating system image",
        r"as \x1b[31mdeployed",
        str(file),
        "Windows 10 Enterprise",
        "Preflight: blocked; 4 of 5 checks passed",
        "there is no Windows in it",
        "a commit ends with 0x800700A1",
        "  add ",
    ):
        assert words in ended.out
    assert "\x1b" not in ended.out
    found = document(command("image", "show", "CAS00001", "--json"), "image_package")
    assert found["file"] == str(file)
    assert [image["name"] for image in found["images"]][:2] == [
        "Windows 10 Enterprise",
        "Windows 10 Pro",
    ]
    assert sum(kind["count"] for kind in found["images"][0]["reparse_points"]) == 37
    assert [host["ability"] for host in found["hosts"]] == ["cannot"]
    assert [host["name"] for host in found["preflight"]["hosts"]] == ["wimdock"]
    assert [entry["action"] for entry in found["history"]] == ["add"]


def test_schedules_are_named_by_their_numbers(command: SiteCommand, file: Path) -> None:
    command("image", "add", str(file))
    words = ("--image", "CAS00001", "--update", "all", "--run-now")
    command("schedule", "add", *words, "--json")
    number = command("schedule", "list", "--json").document["schedules"][0]["id"]
    ended = command("image", "show", "CAS00001")
    assert f"serviced by 1 schedule: {number}\n" in ended.out
    assert "when it is run by hand\n" in command("schedule", "show", str(number)).out


def test_show_notices_what_another_program_did(
    command: SiteCommand, file: Path, tmp_path: Path
) -> None:
    command("image", "add", str(file))
    put_in(file, [cabinet_of("plain", tmp_path)])
    ended = command("image", "show", "CAS00001", "--json")
    found = document(ended, "image_package")
    assert "Read multi.wim" in ended.err
    assert (found["generation"], found["content_version"]) == (2, 2)
    assert PACKAGE in {each["id"] for each in found["images"][0]["packages"]}
    assert [(each["number"], each["current"]) for each in found["generations"]] == [
        (1, False),
        (2, True),
    ]
    assert [entry["action"] for entry in found["history"]] == ["changed outside", "add"]
    assert "changed outside" in command("image", "show", "CAS00001").out


def test_show_tells_why_a_file_cannot_be_read(command: SiteCommand, file: Path) -> None:
    command("image", "add", str(file))
    file.unlink()
    ended = command("image", "show", "CAS00001")
    assert ended.status == 0
    assert f"the file is missing: {file}: No such file or directory" in ended.out
    assert "missing" in command("image", "list").out
    found = document(command("image", "show", "CAS00001", "--json"), "image_package")
    assert (found["state"], found["reason"]) == (
        "missing",
        f"{file}: No such file or directory",
    )
    assert str(file) in refused(command("image", "reload", "CAS00001"), StorageError)


def test_show_what_was_removed(command: SiteCommand, file: Path) -> None:
    command("image", "add", str(file))
    ended = command("image", "remove", "CAS00001")
    assert (ended.status, ended.out) == (
        0,
        "CAS00001 was removed; its file stays as it is.\n",
    )
    assert "removed on" in command("image", "show", "CAS00001").out
    found = document(command("image", "show", "CAS00001", "--json"), "image_package")
    assert (found["file"], found["path"]) == (None, None)
    assert found["removed"] is not None
    assert "removed" in command("image", "list", "--removed").out
    assert document(command("image", "list", "--json"), "image_packages")["image_packages"] == []
    for verb in ("remove", "reload", "rollback"):
        assert "was removed" in refused(command("image", verb, "CAS00001"), NoSuchRecord)


def test_reload(command: SiteCommand, file: Path, tmp_path: Path) -> None:
    command("image", "add", str(file))
    assert "it is as it was recorded; content version 1" in (
        command("image", "reload", "CAS00001").out
    )
    put_in(file, [cabinet_of("plain", tmp_path)])
    found = document(command("image", "reload", "CAS00001", "--json"), "image_reload")
    assert found["changed"] is True
    assert found["image_package"]["content_version"] == 2


def test_remove(command: SiteCommand, file: Path) -> None:
    command("image", "add", str(file))
    found = document(command("image", "remove", "CAS00001", "--json"), "image_remove")
    assert found["image_package"]["path"] is None
    assert file.exists()


def test_rollback(command: SiteCommand, file: Path, tmp_path: Path) -> None:
    put_in(file, [cabinet_of("plain", tmp_path)])
    command("image", "add", str(file))
    ended = command("image", "rollback", "CAS00001")
    assert ended.out == (
        "CAS00001 is in generation 1 again; until the next run, --to 2 undoes this.\n"
    )
    assert PACKAGE not in packages_in(file)
    found = document(
        command("image", "rollback", "CAS00001", "--to", "2", "--json"), "image_rollback"
    )
    assert (found["from"], found["to"]) == (1, 2)
    assert found["image_package"]["content_version"] == 3
    assert PACKAGE in packages_in(file)
    assert "no generation 9" in refused(
        command("image", "rollback", "CAS00001", "--to", "9"), GenerationError
    )


def test_rollback_waits_for_nobody(command: SiteCommand, file: Path, tmp_path: Path) -> None:
    put_in(file, [cabinet_of("plain", tmp_path)])
    command("image", "add", str(file))
    with hold(command.site, "CAS00001", "somebody's work"):
        assert "somebody's work" in refused(command("image", "rollback", "CAS00001"), ImageBusy)
    assert PACKAGE in packages_in(file)
    assert command("image", "rollback", "CAS00001").status == 0


def test_generations_name_their_run(command: SiteCommand, file: Path, tmp_path: Path) -> None:
    from wimdock.servicing.service import ServiceOptions

    command("image", "add", str(file))
    token = commit_token(command.site, 12)
    put_in(file, [cabinet_of("plain", tmp_path)], ServiceOptions(indexes=(1,), token=token))
    found = document(command("image", "show", "CAS00001", "--json"), "image_package")
    assert [each["run"] for each in found["generations"]] == [None, 12]
    assert [entry["action"] for entry in found["history"]] == ["add"]


def test_export(command: SiteCommand, file: Path, tmp_path: Path) -> None:
    command("image", "add", str(file))
    out = tmp_path / "out.wim"
    words = ("--index", "2", "--compress", "xpress")
    found = document(
        command("image", "export", "CAS00001", str(out), *words, "--json"), "image_export"
    )
    assert found["files"] == [{"file": str(out.resolve()), "size": out.stat().st_size}]
    with Archive.open(out) as archive:
        assert archive.header.compression == "xpress"
        assert [image.name for image in archive.images] == ["Windows 10 Pro"]
    assert "exists already" in refused(
        command("image", "export", "CAS00001", str(out)), StorageError
    )
    assert "is the file of the image package CAS00001" in refused(
        command("image", "export", "CAS00001", str(file)), AlreadyRecorded
    )
    entries = command("image", "history", "CAS00001").out
    assert "  export  " in entries


@pytest.mark.parametrize(
    "text, size", [("1048576", 1 << 20), ("3800MiB", 3800 << 20), ("4G", 4 << 30), ("9 kb", 9216)]
)
def test_sizes(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "M", "-1G", "1.5G", "4X", "٣M", "9" * 16])
def test_what_is_no_size(command: SiteCommand, text: str) -> None:
    ended = command("image", "export", "CAS00001", "out.swm", f"--split={text}")
    assert "is no size" in refused(ended, UsageError)


@pytest.mark.parametrize("verb", ["show", "reload", "remove", "rollback"])
def test_an_id_that_is_not_there(command: SiteCommand, verb: str) -> None:
    assert "CAS00009" in refused(command("image", verb, "CAS00009"), NoSuchRecord)


def test_a_narrow_terminal_gets_whole_words(
    command: SiteCommand, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("image", "add", str(file))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")
    assert "10.0.19041.388" in command("image", "list").out


def test_without_a_site(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WIMDOCK_SITE", "WIMDOCK_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    assert run(["image", "list"]) == 81
    assert "wimdock site init" in capsys.readouterr().err


def test_an_upgrade_package(
    command: SiteCommand, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    sources = tmp_path / "media" / "sources"
    sources.mkdir(parents=True)
    shutil.move(lab_image("lzx"), sources / "install.wim")
    found = document(command("image", "add", str(tmp_path / "media"), "--json"), "image_add")
    assert found["added"][0]["type"] == 259
    assert found["added"][0]["type_name"] == "operating system upgrade package"
    assert command("image", "list").out.splitlines()[1].split()[1:3] == ["upgrade", "media"]
