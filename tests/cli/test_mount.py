"""`wimdock mount`, `mounts` and `unmount`: what they print, in words and in JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.demo_files import copy_demo
from tests.servicing.mounts_at_hand import end_all, kill_daemon, need_mounting
from wimdock.cli.main import run
from wimdock.errors import AlreadyMounted, CommitFailed, ImageBusy, NotMounted, UsageError
from wimdock.reparse.hosts import SERVER_2012_R2
from wimdock.servicing.mounts import is_mount_point
from wimdock.servicing.mounts import mount as mount_image

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the demo's image; leave nothing mounted."""
    need_mounting()
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    copy_demo(tmp_path)
    yield tmp_path / "demo.wim"
    end_all(tmp_path)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give an empty folder to mount in."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def shown(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run a command, which must end well."""
    status = run([str(word) for word in words])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return printed.out


def document(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Give the JSON document of a command, checked by its schema."""
    found: dict[str, Any] = json.loads(shown(capsys, *words, "--json"))
    schema = json.loads((SCHEMAS / f"{words[0]}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema, cls=jsonschema.Draft202012Validator)
    assert found["wimdock"] == {"document": words[0], "version": 1}
    return found


def mine(found: dict[str, Any], place: Path) -> dict[str, Any]:
    """Give the mount at a folder: other tests have theirs."""
    (each,) = (each for each in found["mounts"] if each["directory"] == str(place))
    assert isinstance(each, dict)
    return each


def failed(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Run a command that must fail; give its status and what it says."""
    status = run([str(word) for word in words])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "what to do: " in printed.err
    return status, printed.err


def test_a_mount_from_beginning_to_end(
    image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(capsys, "mount", image, place, "--write")
    assert f"Image 1 of demo.wim is mounted read/write in {place}." in out
    assert f"`wimdock unmount {place} --commit` ends it and keeps the changes, --disc" in out
    out = shown(capsys, "mounts")
    (row,) = (line for line in out.splitlines() if line.endswith(str(place)))
    assert row.split()[:4] == ["mounted", "1", "read/write", "wimdock"]
    (place / "new.txt").write_text("new")
    out = shown(capsys, "unmount", place, "--commit")
    assert f"{place} is unmounted; demo.wim is in generation 3" in out
    out = shown(capsys, "generations", image)
    assert "mount: image 1 committed by wimlib" in out
    shown(capsys, "rollback", image)
    shown(capsys, "mount", image, place)
    assert not (place / "new.txt").exists()
    out = shown(capsys, "unmount", place, "--discard")
    assert out == f"{place} is unmounted; the image is as it was.\n"
    assert str(place) not in shown(capsys, "mounts")


def test_the_json_documents(image: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "mount", image, place, "--write", "--index", 1)
    assert (found["image"], found["directory"]) == (str(image), str(place))
    assert (found["index"], found["writable"]) == (1, True)
    assert found["staging"].endswith(".wimdock-staging")
    listed = mine(document(capsys, "mounts"), place)
    assert (listed["state"], listed["owner"], listed["note"]) == ("mounted", "wimdock", "")
    assert listed["since"] == found["since"]
    done = document(capsys, "unmount", place, "--commit")
    assert (done["committed"], done["generation"]) == (True, 3)
    assert done["added_bytes"] > 0
    found = document(capsys, "mount", image, place)
    assert found["staging"] is None
    done = document(capsys, "unmount", place, "--discard")
    assert (done["committed"], done["generation"], done["added_bytes"]) == (False, None, 0)


def test_what_is_left_of_a_mount(
    image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown(capsys, "mount", image, place, "--write")
    kill_daemon(place)
    assert mine(document(capsys, "mounts"), place)["state"] == "stale"
    out = shown(capsys, "mounts")
    assert f"{place}: The process that kept it mounted has ended" in out
    assert "wimdock mounts --cleanup" in out
    status, told = failed(capsys, "unmount", place, "--commit")
    assert status == CommitFailed.exit_code
    assert "0xC1510114" in told
    (cleared,) = document(capsys, "mounts", "--cleanup")["cleared"]
    assert cleared["directory"] == str(place)
    assert cleared["done"][0] == "dead mount detached"
    assert not is_mount_point(place)
    assert f"{place}: " not in shown(capsys, "mounts", "--cleanup")


def test_mounts_made_without_us(
    image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["wimlib-imagex", "mountrw", image, "1", place], check=True)
    listed = mine(document(capsys, "mounts"), place)
    assert (listed["owner"], listed["since"], listed["image"]) == ("wimlib", None, str(image))
    kill_daemon(place)
    left = [each.name for each in image.parent.glob("demo.wim.staging*")]
    shown(capsys, "unmount", place, "--discard")
    place2 = place.with_name("second")
    place2.mkdir()
    shown(capsys, "mount", image, place2)
    out = shown(capsys, "mounts", "--cleanup")
    assert f"{left[0]} was left by a mount that wimdock did not make" in out
    assert str(image.parent / left[0]) in document(capsys, "mounts")["abandoned_staging"]
    assert (image.parent / left[0]).is_dir()


def test_what_is_refused(image: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = failed(capsys, "unmount", place, "--discard")
    assert (status, "0xC142010B" in told) == (NotMounted.exit_code, True)
    for words in ((), ("--commit", "--discard")):
        status, _ = failed(capsys, "unmount", place, *words)
        assert status == UsageError.exit_code
    shown(capsys, "mount", image, place, "--write")
    second = place.with_name("second")
    second.mkdir()
    status, told = failed(capsys, "mount", image, second)
    assert (status, "0xC1420127" in told) == (AlreadyMounted.exit_code, True)
    update = image.with_name("demo-update.cab")
    status = run(["service", str(image), "--update", str(update), "--allow-unsigned"])
    told = capsys.readouterr().err
    assert status == ImageBusy.exit_code
    assert f"(wimlib-imagex), which has it mounted read/write in {place}" in told
    assert f"wimdock unmount {place}" in told


def test_several_images_need_an_index(
    lab_image: Callable[[str], Path], image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image.exists()
    several = lab_image("multi")
    status, told = failed(capsys, "mount", several, place)
    assert status == UsageError.exit_code
    assert "holds 3 images" in told
    assert "--index" in told
    shown(capsys, "mount", several, place, "--index", 3)
    assert (place / "readme.txt").exists()


def test_a_rehearsed_host(
    lab_image: Callable[[str], Path], image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image.exists()
    mount_image(lab_image("lzx"), 1, place, writable=True, host=SERVER_2012_R2, typed=r"D:\m")
    listed = mine(document(capsys, "mounts"), place)
    assert (listed["host"], listed["typed"]) == ("6.3.9600", r"D:\m")
    status, told = failed(capsys, "unmount", place, "--commit")
    assert (status, "0x800700A1" in told) == (CommitFailed.exit_code, True)
    shown(capsys, "unmount", place, "--discard")


def test_a_name_cannot_steer_the_terminal(
    image: Path, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = image.rename(image.with_name("red\x1b[31m.wim"))
    evil = place.rename(place.with_name("p\x1b[31m"))
    out = shown(capsys, "mount", odd, evil, "--write")
    out += shown(capsys, "mounts")
    kill_daemon(evil)
    out += shown(capsys, "mounts")
    out += shown(capsys, "mounts", "--cleanup")
    assert "\x1b" not in out
    assert r"\x1b[31m" in out
