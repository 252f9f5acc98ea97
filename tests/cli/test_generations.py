"""`wimdock generations`: the states of a file, in a table and in JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.demo_files import DEMO_PACKAGE, copy_demo
from tests.faults.disk import CountingDisk, StoppedError, StoppingDisk
from tests.servicing.surroundings import CLOCK, everything_in, put_in, quick
from wimdock.cli.main import run
from wimdock.errors import GenerationError, NotAnImage, StorageError, WimdockError
from wimdock.servicing.service import ServiceOptions, surroundings
from wimdock.wim import Archive
from wimdock.wim.generations import sidecar_path

UNSIGNED = ServiceOptions(allow_unsigned=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give the demo's image, in its second generation."""
    copy_demo(tmp_path)
    return tmp_path / "demo.wim"


def update_of(image: Path) -> Path:
    """Give the demo's update, which lies beside the image."""
    return image.with_name("demo-update.cab")


def shown(capsys: pytest.CaptureFixture[str], image: Path, *words: str) -> str:
    """Run the command, which must end well and say nothing on stderr."""
    status = run(["generations", str(image), *words])
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return printed.out


def document(capsys: pytest.CaptureFixture[str], image: Path) -> dict[str, Any]:
    """Give the JSON document."""
    found: dict[str, Any] = json.loads(shown(capsys, image, "--json"))
    assert found.pop("wimdock") == {"document": "generations", "version": 1}
    return found


def test_the_table(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_in(image, [update_of(image)], UNSIGNED)
    before = everything_in(image.parent)
    head, *rows = shown(capsys, image).splitlines()
    assert head.split() == ["generation", "time", "file", "added", "state", "what"]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert "as found" in rows[0]
    assert [" current " in row for row in rows] == [False, False, True]
    assert rows[2].endswith(f"service: {DEMO_PACKAGE}")
    assert "2026-03-04 05:06:07Z" in rows[2]
    assert everything_in(image.parent) == before


def test_a_narrow_terminal_gets_whole_words(
    image: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_in(image, [update_of(image)], UNSIGNED)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    rows = shown(capsys, image).splitlines()[1:]
    assert len(rows) == 3
    assert rows[2].endswith(f"service: {DEMO_PACKAGE}")


def test_the_document(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit = put_in(image, [update_of(image)], UNSIGNED).commit
    assert commit is not None
    found = document(capsys, image)
    assert found["image"] == str(image)
    assert found["current"] == 3
    last = found["generations"][-1]
    assert last == {
        "number": 3,
        "current": True,
        "committed": True,
        "length": image.stat().st_size,
        "added_bytes": commit.added,
        "time": "2026-03-04T05:06:07Z",
        "note": f"service: {DEMO_PACKAGE}",
        "header": commit.generation.name,
    }
    assert [g["current"] for g in found["generations"]] == [False, False, True]
    assert [g["committed"] for g in found["generations"]] == [True] * 3


def test_a_file_without_a_record(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sidecar_path(image).unlink()
    assert shown(capsys, image).startswith("No generation is recorded")
    assert document(capsys, image) == {"image": str(image), "current": None, "generations": []}


def test_a_file_that_another_program_changed(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Archive.open(image) as archive:
        header = bytearray(archive.raw_header)
    header[24] ^= 1  # the GUID
    with image.open("r+b") as file:
        file.write(header)
    out = shown(capsys, image)
    assert "current" not in out
    assert out.endswith("none of these can be gone back to.\n")
    assert document(capsys, image)["current"] is None


def test_a_state_that_was_never_committed(
    image: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    counting = CountingDisk(quick=True)
    whole = tmp_path / "whole"
    whole.mkdir()
    copy_demo(whole)
    world = surroundings(clock=CLOCK, disk=counting)
    put_in(whole / image.name, [update_of(image)], UNSIGNED, world)
    commit = max(n for n, what in enumerate(counting.operations) if what == "write")
    stopping = surroundings(clock=CLOCK, disk=StoppingDisk(commit, quick=True))
    with pytest.raises(StoppedError):
        put_in(image, [update_of(image)], UNSIGNED, stopping)
    rows = shown(capsys, image).splitlines()[1:]
    assert [" current " in row for row in rows] == [False, True, False]
    assert "not committed" in rows[2]
    found = document(capsys, image)
    assert found["current"] == 2
    assert [g["committed"] for g in found["generations"]] == [True, True, False]


def test_a_note_cannot_steer_the_terminal(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = sidecar_path(image)
    path.write_text(path.read_text().replace("as found", "red\\u001b[31m\\u202e"))
    out = shown(capsys, image)
    assert "\x1b" not in out
    assert r"red\x1b[31m\u202e" in out


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff\xfe", b'{"wimdock": {}}', b"[" * 9999])
def test_a_record_that_cannot_be_read(
    text: bytes, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sidecar_path(image).write_bytes(text)
    before = everything_in(image.parent)
    assert run(["generations", str(image)]) == GenerationError.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "demo.wim.generations cannot be read" in printed.err
    assert "Move it away" in printed.err
    assert everything_in(image.parent) == before
    status = run(["service", str(image), "--update", str(update_of(image)), "--allow-unsigned"])
    assert status == GenerationError.exit_code
    assert everything_in(image.parent) == before


@pytest.mark.parametrize(
    "kind, error",
    [
        ("nothing", StorageError),
        ("folder", StorageError),
        ("text", NotAnImage),
        ("loop", StorageError),
    ],
)
@pytest.mark.parametrize("command", ["generations", "rollback"])
def test_what_is_no_image(
    command: str,
    kind: str,
    error: type[WimdockError],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "other"
    match kind:
        case "folder":
            path.mkdir()
        case "text":
            path.write_text("no image" * 100)
        case "loop":
            path.symlink_to(path)
    assert run([command, str(path)]) == error.exit_code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "what to do: " in printed.err


def test_a_relative_path_and_a_link(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(image.parent)
    put_in(Path(image.name), [update_of(image)], UNSIGNED, quick())
    Path("link.wim").symlink_to(image)
    expected = document(capsys, image)["generations"]
    for name in (image.name, "link.wim"):
        assert document(capsys, Path(name))["generations"] == expected
