"""`wimdock service`: its table, its JSON, its statuses, and what it says of wrong input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.demo_files import DEMO_PACKAGE, copy_demo
from tests.cli.ended import Command, Ended
from tests.conftest import REPOSITORY
from tests.servicing.surroundings import QuickDisk, everything_in
from wimdock.cli.main import run
from wimdock.errors import (
    ImageBusy,
    MalformedPackage,
    NoSuchImage,
    NotAnImage,
    RegistryError,
    StorageError,
    UnsignedPackage,
    UnsupportedPackage,
    UsageError,
    WimdockError,
)
from wimdock.wim.transaction import Transaction


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with demo.wim and demo-update.cab, in which the command runs."""
    copy_demo(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wimdock.servicing.options.Disk", QuickDisk)
    return tmp_path


@pytest.fixture
def service(capsys: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs the command in this process."""

    def call(*words: str, image: str = "demo.wim", update: str = "demo-update.cab") -> Ended:
        updates = ["--update", update] if update else []
        status = run(["service", image, *updates, *words])
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return call


def test_the_table(folder: Path, service: Command) -> None:
    ended = service("--allow-unsigned")
    assert ended.status == 0
    head, row, *rest = ended.out.splitlines()
    assert head.split() == ["image", "index", "update", "result", "added", "generation"]
    name, index, update, result, *added, generation = row.split()
    assert (name, index, update, result, generation) == (
        "demo.wim",
        "1",
        "demo-update.cab",
        "installed",
        "3",
    )
    assert added[1] in ("KiB", "bytes")
    assert rest[0] == "demo-update.cab: no catalog covers it (allowed)"
    assert any(line.startswith("left alone: ") for line in rest)
    assert rest[-1].endswith("generation 3 committed; `wimdock rollback demo.wim` undoes it.")
    assert {path.name for path in folder.iterdir()} == {
        "demo.wim",
        "demo.wim.generations",
        "demo-update.cab",
    }


def test_the_way_back_can_be_typed_as_it_is_shown(folder: Path, service: Command) -> None:
    (folder / "a b").mkdir()
    (folder / "demo.wim").rename(folder / "a b" / "demo.wim")
    ended = service("--allow-unsigned", image="a b/demo.wim")
    assert "`wimdock rollback 'a b/demo.wim'` undoes it." in ended.out
    assert run(["rollback", "a b/demo.wim"]) == 0


def test_a_second_run_writes_nothing(folder: Path, service: Command) -> None:
    service("--allow-unsigned")
    before = everything_in(folder)
    ended = service("--allow-unsigned")
    assert ended.status == 0
    assert "installed already (0x00240006)" in ended.out
    assert ended.out.endswith("Nothing was written.\n")
    assert everything_in(folder) == before


def test_steps_are_told_on_stderr_with_times(folder: Path, service: Command) -> None:
    del folder
    ended = service("--allow-unsigned")
    steps = [line.split(" ...")[0].strip() for line in ended.err.splitlines()]
    assert steps[:3] == ["Read demo-update.cab", "Plan image 1", "Write image 1"]
    assert ended.err.startswith("Read demo-update.cab ... 1 hash verified, unsigned (")
    assert "Compare with the plan" in steps
    assert "Commit" in steps
    assert all(line.rstrip().endswith((" s)", "...")) for line in ended.err.splitlines())
    assert "\x1b" not in ended.err + ended.out


def test_the_document(folder: Path, service: Command) -> None:
    length = (folder / "demo.wim").stat().st_size
    ended = service("--allow-unsigned", "--json")
    assert ended.status == 0
    document = ended.document
    (result,) = document.pop("results")
    grown = (folder / "demo.wim").stat().st_size - length
    assert document == {
        "wimdock": {"document": "service", "version": 1},
        "image": str(folder / "demo.wim"),
        "committed": True,
        "generation": 3,
        "added_bytes": grown,
        "backup": None,
        "signatures": {"demo-update.cab": "not covered"},
    }
    assert 0 < result.pop("added_bytes") < grown
    counts = result.pop("counts")
    assert counts["files"] >= 1
    assert counts["services"] == 1
    assert result.pop("left_alone")
    assert result == {
        "index": 1,
        "update": "demo-update.cab",
        "package": DEMO_PACKAGE,
        "result": "installed",
        "reason": result["reason"],
        "hresult": None,
        "reasons": [],
        "packages": [DEMO_PACKAGE],
        "notes": [],
    }


def test_the_document_says_where_the_backup_is(folder: Path, service: Command) -> None:
    document = service("--allow-unsigned", "--json", "--copy").document
    assert document["backup"] == str(folder / "demo.wim.backup")
    assert (folder / "demo.wim.backup").exists()
    assert service("--allow-unsigned", "--json", "--copy").document["backup"] is None


def test_the_backup_is_named(folder: Path, service: Command) -> None:
    ended = service("--allow-unsigned", "--copy")
    assert ended.out.splitlines()[-1] == (
        f"The file as it was before: {folder / 'demo.wim.backup'}"
    )


def test_a_dry_run_lists_the_plan(folder: Path, service: Command) -> None:
    before = everything_in(folder)
    ended = service("--allow-unsigned", "--dry-run")
    assert ended.status == 0
    assert everything_in(folder) == before
    lines = ended.out.splitlines()
    assert lines[0] == "Image 1, demo-update.cab: would be installed"
    assert "1 service" in lines[1]
    assert f"  package {DEMO_PACKAGE}" in lines
    program = r"\Program Files\Wimdock Demo\hello.exe"
    assert any(line.startswith("  file ") and program in line for line in lines)
    assert r"  registry SOFTWARE\Wimdock Demo Serviced" in lines
    assert any(line.startswith("  component ") for line in lines)
    assert any(line.startswith("  left alone: ") for line in lines)
    assert lines[-1] == "Nothing was written."
    document = service("--allow-unsigned", "--dry-run", "--json").document
    assert document["committed"] is False
    assert (document["generation"], document["added_bytes"]) == (None, 0)
    assert document["results"][0]["result"] == "planned"
    assert document["results"][0]["packages"] == [DEMO_PACKAGE]
    assert everything_in(folder) == before


@pytest.mark.parametrize("index", ["1", "all", "ALL", " 1 "])
def test_an_index(index: str, folder: Path, service: Command) -> None:
    del folder
    document = service("--allow-unsigned", "--json", "--index", index).document
    assert [result["index"] for result in document["results"]] == [1]


@pytest.mark.parametrize("index", ["0", "-1", "abc", "", "1.5", "²", "9" * 10, "9" * 9000])
def test_an_index_that_is_none(index: str, folder: Path, service: Command) -> None:
    before = everything_in(folder)
    ended = service("--allow-unsigned", f"--index={index}")
    assert ended.status == UsageError.exit_code
    assert "neither a number from 1 nor 'all'" in ended.err
    assert len(ended.err.splitlines()) == 2
    assert ended.out == ""
    assert everything_in(folder) == before


def _folder(path: Path) -> None:
    path.mkdir()


def _text(path: Path) -> None:
    path.write_text("Neither an image nor an update.\n" * 20)


def _program(path: Path) -> None:
    path.write_bytes(b"MZ" + bytes(2000))


def _nothing(path: Path) -> None:
    """Leave no file there."""


@pytest.mark.parametrize(
    "make, error",
    [
        (_nothing, StorageError),
        (_folder, StorageError),
        (_text, NotAnImage),
        (_program, NotAnImage),
    ],
)
@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--copy",)])
def test_what_is_no_image(
    make: Callable[[Path], None],
    error: type[WimdockError],
    words: tuple[str, ...],
    folder: Path,
    service: Command,
) -> None:
    make(folder / "other")
    before = everything_in(folder)
    ended = service("--allow-unsigned", *words, image="other")
    assert ended.status == error.exit_code
    assert ended.out == ""
    assert "/other" in ended.err.splitlines()[0]
    assert "what to do: " in ended.err
    assert "Copy" not in ended.err
    assert set(everything_in(folder)) == set(before)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (_nothing, StorageError, "No such file"),
        (_folder, StorageError, "folder"),
        (_text, MalformedPackage, "no cabinet"),
        (_program, UnsupportedPackage, "program (.exe)"),
    ],
)
def test_what_is_no_update(
    make: Callable[[Path], None],
    error: type[WimdockError],
    words: str,
    folder: Path,
    service: Command,
) -> None:
    make(folder / "setup.exe")
    before = everything_in(folder)
    ended = service("--json", update="setup.exe")
    assert ended.status == error.exit_code
    (told,) = ended.document["errors"]
    assert told["type"] == error.__name__
    assert words in ended.err
    assert told["what_to_do"]
    assert everything_in(folder) == before


def test_a_refusal_for_one_reason_says_it_once(folder: Path, service: Command) -> None:
    ended = service(update="demo.wim")
    assert ended.status == UnsupportedPackage.exit_code
    assert ended.err.count("demo.wim is a WIM file (an image, or a WIM-type .msu)") == 1
    assert {path.name for path in folder.iterdir()} >= {"demo.wim", "demo-update.cab"}


def test_an_image_that_is_not_there(folder: Path, service: Command) -> None:
    before = everything_in(folder)
    ended = service("--allow-unsigned", "--index", "99")
    assert ended.status == NoSuchImage.exit_code
    assert "has no image 99" in ended.err
    assert everything_in(folder) == before


def test_an_update_must_be_named(folder: Path, service: Command) -> None:
    del folder
    ended = service(update="")
    assert ended.status == UsageError.exit_code
    assert "--update" in ended.err


def test_removing_what_is_superseded_is_refused(folder: Path, service: Command) -> None:
    before = everything_in(folder)
    ended = service("--allow-unsigned", "--remove-superseded")
    assert ended.status == UsageError.exit_code
    assert "nothing was touched" in ended.err
    assert everything_in(folder) == before


def test_an_update_without_catalogs_is_refused(folder: Path, service: Command) -> None:
    before = everything_in(folder)
    ended = service("--json")
    assert ended.status == UnsignedPackage.exit_code
    assert "--allow-unsigned" in ended.err
    assert ended.document["errors"][0]["hresult"] == "0x800B0100"
    assert everything_in(folder) == before


def test_a_failing_update_gives_its_status_though_others_are_put_in(
    folder: Path, service: Command
) -> None:
    _program(folder / "setup.exe")
    words = ("--allow-unsigned", "--update", "setup.exe", "--continue-on-error")
    planned = service(*words, "--dry-run")
    assert planned.status == UnsupportedPackage.exit_code
    assert "Image 1, setup.exe: failed: setup.exe is a program (.exe)" in planned.out
    ended = service(*words)
    assert ended.status == UnsupportedPackage.exit_code
    assert ended.out.count("is a program") == 1
    assert " failed (0x80070032)" in ended.out
    assert "\nimage 1, setup.exe: setup.exe is a program (.exe)" in ended.out
    assert "error: setup.exe is a program" in ended.err
    assert "generation 3 committed" in ended.out
    again = service(*words, "--json")
    assert again.status == UnsupportedPackage.exit_code
    results = {result["update"]: result for result in again.document["results"]}
    assert results["demo-update.cab"]["result"] == "already_installed"
    assert results["demo-update.cab"]["hresult"] == "0x00240006"
    assert results["setup.exe"]["result"] == "failed"
    assert results["setup.exe"]["hresult"] == "0x80070032"
    assert results["setup.exe"]["reasons"]
    assert results["setup.exe"]["counts"] is None


def test_a_second_writer_is_refused_and_the_first_named(folder: Path, service: Command) -> None:
    before = everything_in(folder)
    with Transaction.begin(folder / "demo.wim"):
        for words in ((), ("--copy",)):
            ended = service("--allow-unsigned", "--json", *words)
            assert ended.status == ImageBusy.exit_code
            assert f"process {os.getpid()} (" in ended.err
            assert ended.document["errors"][0]["hresult"] == "0x80070020"
        assert service("--allow-unsigned", "--dry-run").status == 0
    assert everything_in(folder) == before


def test_a_disk_that_is_full_is_told_with_its_code(
    folder: Path, service: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wimdock.servicing.space._MARGIN", 1 << 60)
    before = everything_in(folder)
    ended = service("--allow-unsigned")
    assert ended.status == StorageError.exit_code
    assert "(0x80070070)" in ended.err
    assert "nothing was touched" in ended.err
    assert everything_in(folder) == before


def test_an_image_that_is_no_windows(folder: Path, service: Command) -> None:
    from tests.image.sample import make_image

    make_image(folder / "data.wim")
    ended = service("--allow-unsigned", "--json", image="data.wim")
    assert ended.status == RegistryError.exit_code
    assert "image 1 is no Windows" in ended.document["errors"][0]["message"]


@pytest.mark.parametrize("words", [("--json",), ()])
def test_results_alone_stand_on_stdout(words: tuple[str, ...], folder: Path) -> None:
    """As a process of its own: nothing but the document, or the table, goes there."""
    ended = subprocess.run(
        (
            *(sys.executable, "-m", "wimdock", "service", "demo.wim"),
            *("--update", "demo-update.cab", "--allow-unsigned", *words),
        ),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Write image 1" in ended.stderr
    assert "Write image 1" not in ended.stdout
    if words:
        assert json.loads(ended.stdout)["committed"] is True
    else:
        assert ended.stdout.startswith("image ")


def test_a_workspace_that_cannot_be_made(
    folder: Path, service: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(folder / "none"))
    ended = service("--allow-unsigned")
    assert ended.status == StorageError.exit_code
    assert "(0x80070002)" in ended.err
