"""`wimdock verify`: what it prints, its JSON, and its exit status."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.wim.crafted import Node, plain
from wimdock.cli.main import run
from wimdock.errors import CorruptImage, NotAnImage


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """Give a file in which content is missing and a name tries to steer the terminal."""
    return plain(Node("red\x1b[31m", b"lost"), Node("Red", b"")).write(tmp_path / "one.wim")


def test_a_sound_file_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = plain(Node("a", b"a"), contents=[b"a"]).write(tmp_path / "one.wim")
    assert run(["verify", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{path}: 1 image, 2 resources, ")
    assert out.endswith(" bytes: no findings\n")
    assert "Verifying the content" in err


def test_warnings_do_not_change_the_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = plain(Node("a"), Node("A")).write(tmp_path / "one.wim")
    assert run(["verify", str(path)]) == 0
    assert "warning  name-differs-by-case: image 1: \\A: " in capsys.readouterr().out


def test_findings_are_listed(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(damaged)]) == CorruptImage.exit_code == 14
    out = capsys.readouterr().out
    assert "error    missing-content: image 1: \\red\\x1b[31m: " in out
    assert "\x1b" not in out
    assert "take it from a backup" in out


def test_json_holds_every_finding(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--json", str(damaged)]) == CorruptImage.exit_code
    document = json.loads(capsys.readouterr().out)
    assert document["wimdock"] == {"document": "verify", "version": 1}
    assert document["image"] == str(damaged)
    assert document["sound"] is False
    assert (document["errors"], document["warnings"], document["notes"]) == (1, 0, 0)
    (finding,) = document["findings"]
    assert (finding["severity"], finding["code"]) == ("error", "missing-content")
    assert finding["where"] == "image 1: \\red\x1b[31m"


def test_what_is_no_image_file_has_its_own_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.wim"
    path.write_bytes(b"MZ" * 300)
    assert run(["verify", str(path)]) == NotAnImage.exit_code
    assert f"wimdock: {path}: this is no WIM file" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [False, True])
def test_what_is_found_in_many_places_is_said_once(
    terminal: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nodes = [Node(name) for number in range(30) for name in (f"a{number}", f"A{number}")]
    path = plain(*nodes).write(tmp_path / "one.wim")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert run(["verify", str(path)]) == 0
    head, *places, _, last = capsys.readouterr().out.splitlines()
    assert head.startswith("warning  name-differs-by-case: ")
    assert head.endswith(", 30 times")
    assert places[0] == "         image 1: \\A0"
    assert len(places) == (21 if terminal else 30)
    assert not terminal or places[-1].strip().startswith("and 10 more: ")
    assert last.endswith(": 30 warnings")
