"""`wimdock demo`: the main job for anybody, as often as one likes, in a folder of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.image.sample import make_image
from tests.servicing.nobody import reachable_folder, run_as_nobody
from tests.servicing.surroundings import everything_in
from wimdock.cli.main import run
from wimdock.errors import StorageError
from wimdock.wim.rollback import list_generations

OWN = {"demo.wim", "demo.wim.generations", "demo-update.cab"}


def shown(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """Run the demo, which must end well; give what it printed."""
    status = run(["demo", str(folder)])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return printed.out


def test_it_shows_the_main_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a folder" / "for it"
    out = shown(capsys, folder)
    assert {path.name for path in folder.iterdir()} == OWN
    commands = [line for line in out.splitlines() if line.startswith("$ wimdock ")]
    assert [line.split()[2] for line in commands] == [
        *("inspect", "inspect", "service", "inspect", "inspect"),
        *("verify", "generations", "rollback", "inspect"),
    ]
    verified = out.split("$ wimdock verify demo.wim\n")[1].split("\n\n")[0]
    assert "error" not in verified.replace("no errors", "").replace("0 errors", "")
    assert "warning" not in verified.replace("no warnings", "").replace("0 warnings", "")
    serviced = out.split("$ wimdock service ")[1].split("\n\n")[0]
    assert "installed" in serviced
    generations, current = list_generations(folder / "demo.wim")
    assert [g.number for g in generations] == [1, 2, 3]
    assert current is generations[1]
    assert run(["verify", str(folder / "demo.wim"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["errors"], found["warnings"]) == (True, 0, 0)


def test_it_can_be_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = shown(capsys, tmp_path)
    for name in (".demo.wim.new", ".demo.wim.generations.new"):
        (tmp_path / name).write_bytes(b"left by a demo that was stopped")
    second = shown(capsys, tmp_path)
    commands = [
        [line for line in o.splitlines() if line[:2] in {"# ", "$ "}] for o in (first, second)
    ]
    assert commands[0] == commands[1]
    assert {path.name for path in tmp_path.iterdir()} == OWN


def test_what_to_try_next_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = shown(capsys, tmp_path)
    monkeypatch.chdir(tmp_path)
    tips = [line.split() for line in out.split("What to try next:")[1].splitlines()]
    tried = [tip[1:] for tip in tips if tip[:1] == ["wimdock"] and "YOUR-COPY.wim" not in tip]
    assert len(tried) == 2
    for words in tried:
        assert run(words) == 0, words
    assert "would be installed" in capsys.readouterr().out


def test_it_needs_no_root() -> None:
    with reachable_folder() as place:
        place.chmod(0o777)
        for _ in range(2):
            ended = run_as_nobody("demo", place / "@", temporary=place)
            assert ended.returncode == 0, ended.stderr
            assert "What to try next:" in ended.stdout
        folder = place / "as-nobody"
        assert {path.name for path in folder.iterdir()} == OWN
        assert {path.stat().st_uid for path in folder.iterdir()} == {65534}


def test_it_leaves_what_is_not_its_own_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("mine.wim", "demo.wim"):
        (tmp_path / name).write_bytes(b"precious")
    before = everything_in(tmp_path)
    assert run(["demo", str(tmp_path)]) == StorageError.exit_code
    printed = capsys.readouterr()
    assert "holds what no demo made: mine.wim" in printed.err
    assert "(0x80070091)" in printed.err
    assert printed.out == ""
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("content", [b"precious", b""])
def test_an_image_of_its_name_that_is_another_stays(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "demo.wim"
    if content:
        image.write_bytes(content)
    else:
        make_image(image)
        (tmp_path / "demo.wim.generations").unlink()
    before = everything_in(tmp_path)
    assert run(["demo", str(tmp_path)]) == StorageError.exit_code
    assert "demo.wim is not the demo's" in capsys.readouterr().err
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "below a file", "folder in it"])
def test_a_place_that_cannot_be_taken(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "place"
    match kind:
        case "file":
            place.write_bytes(b"precious")
        case "below a file":
            (tmp_path / "file").write_bytes(b"precious")
            place = tmp_path / "file" / "place"
        case _:
            (place / "demo.wim").mkdir(parents=True)
    before = everything_in(tmp_path)
    assert run(["demo", str(place)]) == StorageError.exit_code
    printed = capsys.readouterr()
    assert "what to do: " in printed.err
    assert kind != "file" or "what to do: Name a new or empty folder." in printed.err
    assert everything_in(tmp_path) == before
