"""`wimdock cleanup`: what it shows, when it acts, and its document by its schema."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.demo_files import copy_demo
from tests.conftest import REPOSITORY
from tests.servicing.cleanup.staging_sample import GUID, PACKAGE, Sample, make_staging
from tests.servicing.mounts_at_hand import end_all, need_mounting
from tests.servicing.nobody import NOBODY, reachable_folder, run_as_nobody
from wimdock.cli.main import run
from wimdock.errors import StagingError, StorageError, UnrecognisedContent, UsageError
from wimdock.servicing.mounts import mount

SCHEMA = json.loads((REPOSITORY / "docs/reference/schemas/cleanup.json").read_text("utf-8"))
UNMOUNT = (
    "Dism.exe /unmount-image "
    r"/mountdir:D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir /discard"
)


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    yield
    end_all(tmp_path)


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return make_staging(tmp_path / "drive")


def document(
    capsys: pytest.CaptureFixture[str], *words: str | Path, status: int = 0
) -> dict[str, Any]:
    """Give the JSON document, which must be as its schema says."""
    assert run(["cleanup", *map(str, words), "--json"]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    return found


def text(capsys: pytest.CaptureFixture[str], *words: str | Path, status: int = 0) -> str:
    assert run(["cleanup", *map(str, words)]) == status
    return capsys.readouterr().out


def test_without_a_terminal_it_is_only_shown(
    sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in ((), ("--dry-run",)):
        out = text(capsys, sample.drive, *words)
        assert f"{PACKAGE}  unmounted" in out
        assert f"  {PACKAGE}/ImageMountDir\n" in out
        assert max(map(len, out.splitlines()[1:4])) <= 100
        assert "lost: the working copy of the image" in out
        assert out.endswith("Nothing was touched. --yes does it.\n")
        assert sample.package().exists()


def test_yes(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    out = text(capsys, sample.drive, "--yes")
    assert "2 files and 4 folders deleted" in out
    assert "The folder is gone and nothing is mounted there: a new run is possible." in out
    assert not sample.staging.exists()
    assert sample.untouched()
    again = text(capsys, sample.drive, "--yes")
    assert "nothing to clean up" in again
    assert "up to 4 levels below" in again


def test_all_that_would_be_lost_is_named(
    sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    (sample.staging / "golden.wim").write_text("x")
    (sample.staging / "run\x1b.log").write_text("x")
    (sample.package() / "other.wim").write_text("x")
    for name in "ab":
        (sample.mount_directory() / name).write_text("x")
    out = text(capsys, sample.drive)
    copies = "the working copies install.wim, other.wim"
    assert f"lost: {copies} and 2 files in ImageMountDir." in out
    assert "beside the packages: 1 content folder, golden.wim, run\\x1b.log\n" in out


def test_a_staging_folder_that_is_passed_over(
    sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    other = sample.drive.parent / "other"
    other.mkdir()
    (other / sample.staging.name).symlink_to(sample.staging)
    out = text(capsys, other, "--yes", status=StorageError.exit_code)
    assert f"symbolic link to {sample.staging}" in out
    assert "nothing to clean up" not in out
    assert document(capsys, other, status=StorageError.exit_code)["unsearched"]
    assert sample.package().exists()


def test_an_obstacle_is_said_once(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    (sample.staging / "payroll.xlsx").write_text("x")
    out = text(capsys, sample.drive, "--yes", status=UnrecognisedContent.exit_code)
    assert out.count("payroll.xlsx") == 1
    assert out.endswith(f"{sample.staging}: nothing was touched.\n")


def test_the_document(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, sample.drive)
    assert (found["acted"], found["commands"]) == (False, None)
    (folder,) = found["folders"]
    assert folder["result"] is None
    assert folder["packages"][0]["state"] == "empty"
    assert sample.package().exists()
    found = document(capsys, sample.drive, "--yes")
    (folder,) = found["folders"]
    assert found["acted"]
    assert folder["result"]["proof"]["allows_a_run"]
    assert folder["result"]["proof"]["is_gone"]
    assert folder["result"]["deleted_files"] == 2
    assert not sample.staging.exists()
    assert document(capsys, sample.drive)["folders"] == []


def test_a_mounted_image(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    need_mounting()
    copy_demo(sample.package())
    (sample.package() / "demo-update.cab").unlink()
    (sample.package() / "install.wim").unlink()
    image = sample.package() / "demo.wim"
    typed = r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    mount(image, 1, sample.mount_directory(), writable=True, typed=typed)
    (sample.mount_directory() / "changed.txt").write_text("changed")
    # The drive is known from what was typed when it was mounted.
    out = text(capsys, sample.drive, "--print-commands")
    assert out.splitlines() == [UNMOUNT, r"rmdir /s /q D:\ConfigMgr_OfflineImageServicing"]
    out = text(capsys, sample.drive)
    assert "mounted by wimdock" in out
    assert "1 changed file; no updates among them" in out
    (package,) = document(capsys, sample.drive)["folders"][0]["packages"]
    assert package["state"] == "mounted_by_wimdock"
    assert (package["index"], package["image"]) == (1, str(image))
    assert (package["changed_files"], package["changed_bytes"]) == (1, 7)
    assert package["updates"] == []
    (folder,) = document(capsys, sample.drive, "--yes")["folders"]
    assert folder["result"]["unmounted"] == [str(sample.mount_directory())]
    assert not sample.staging.exists()


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_what_is_not_recognised(
    words: tuple[str, ...], sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(b"pay\nroll\x1b[2J\xff.xlsx")
    (sample.staging / name).write_text("x")
    status = UnrecognisedContent.exit_code
    out = text(capsys, sample.drive, *words, status=status)
    assert r"pay\nroll\x1b[2J\udcff.xlsx" in out
    assert "\x1b" not in out
    assert "what to do: Look at what it is" in out
    found = document(capsys, sample.drive, *words, status=status)
    (folder,) = found["folders"]
    assert folder["unknown"] == [str(sample.staging / name)]
    assert folder["obstacles"][0]["type"] == "UnrecognisedContent"
    assert sample.package().exists()


def test_print_commands(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    drive = f"d={sample.drive}"
    assert run(["cleanup", str(sample.drive), "--print-commands", "--drive", drive]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        UNMOUNT,
        r"rmdir /s /q D:\ConfigMgr_OfflineImageServicing",
    ]
    assert "only when every unmount before it has succeeded" in printed.err
    found = document(capsys, sample.drive, "--print-commands", "--drive", drive)
    assert found["commands"] == printed.out.splitlines()
    assert not found["acted"]
    (sample.staging / "payroll.xlsx").write_text("x")
    assert run(["cleanup", str(sample.drive), "--print-commands", "--drive", drive]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [UNMOUNT]
    assert "not recognised" in printed.err
    assert sample.package().exists()


def test_a_drive_from_the_environment_and_through_a_link(
    sample: Sample, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = sample.drive.parent / "link"
    link.symlink_to(sample.drive)
    monkeypatch.setenv("WIMDOCK_DRIVES", f"D={link}")
    out = text(capsys, sample.drive, "--print-commands")
    assert out.splitlines()[0] == UNMOUNT


@pytest.mark.parametrize(
    "words, status",
    [
        (("--yes", "--dry-run"), UsageError.exit_code),
        (("--yes", "--print-commands"), UsageError.exit_code),
        (("--print-commands",), UsageError.exit_code),
        (("--print-commands", "--drive", "DD=x"), UsageError.exit_code),
        (("missing",), StorageError.exit_code),
    ],
)
def test_what_makes_no_sense(
    words: tuple[str, ...], status: int, sample: Sample, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cleanup", str(sample.drive), *words]) == status
    assert "what to do: " in capsys.readouterr().err
    assert sample.package().exists()


def test_a_link_and_a_file_as_root(sample: Sample, capsys: pytest.CaptureFixture[str]) -> None:
    link = sample.drive.parent / "link"
    link.symlink_to(sample.staging)
    for root in (link, sample.package() / "install.wim", sample.package()):
        assert run(["cleanup", str(root), "--yes"]) == StagingError.exit_code
        capsys.readouterr()
    assert sample.package().exists()


@pytest.mark.parametrize(
    "answer, words, is_gone",
    [
        ("y\n", (), True),
        ("n\n", (), False),
        ("\n", (), False),
        ("\x04", (), False),
        ("y\n", ("--dry-run",), False),
        ("y\n", ("--json",), False),
    ],
)
def test_on_a_terminal_it_asks(
    sample: Sample, answer: str, words: tuple[str, ...], *, is_gone: bool
) -> None:
    main, terminal = pty.openpty()
    try:
        os.write(main, answer.encode())
        process = subprocess.run(
            (sys.executable, "-m", "wimdock", "cleanup", sample.drive, *words),
            stdin=terminal,
            stdout=terminal,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
            check=False,
            timeout=60,
        )
        shown = os.read(main, 1 << 16).decode()
    finally:
        os.close(terminal)
        os.close(main)
    assert sample.staging.exists() is not is_gone
    assert PACKAGE in shown
    asked = f"Delete {sample.staging}?".encode() in process.stderr
    assert asked is not bool(words)
    assert process.returncode == (130 if answer == "\x04" else 0)
    assert sample.untouched()


def test_a_user_without_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    with reachable_folder() as folder:
        monkeypatch.setenv("WIMDOCK_STATE", str(folder / "state"))
        for who in ("as-root", "as-nobody"):
            sample = make_staging(folder / who)
        os.chown(sample.staging, NOBODY, NOBODY)
        before = sorted(sample.drive.rglob("*"))
        done = run_as_nobody("cleanup", folder / "@", "--yes", "--json", temporary=folder)
        found = json.loads(done.stdout)
        errors = found["folders"][0]["obstacles"]
        assert {error["hresult"] for error in errors} == {"0x80070005"}
        assert [error["message"].partition(":")[0] for error in errors] == [
            str(path) for path in (sample.drive, sample.package(), sample.staging / GUID)
        ]
        assert done.returncode == errors[0]["exit_code"] == StorageError.exit_code
        assert sorted(sample.drive.rglob("*")) == before
        (sample.staging / GUID).chmod(0o700)
        shutil.rmtree(folder / "as-root")
        make_staging(folder / "as-root")
        done = run_as_nobody("cleanup", folder / "@", "--yes", "--json", temporary=folder)
        found = json.loads(done.stdout)
        assert done.returncode == StorageError.exit_code
        messages = [error["message"] for error in found["folders"][0]["obstacles"]]
        assert f"{sample.staging / GUID}: Permission denied" in messages
        assert not (folder / "as-root" / sample.staging.name).exists()


_ON_WINDOWS = """
import sys
import click, rich.console
sys.platform = "win32"
for name in ("fcntl", "grp", "pwd", "termios"):
    sys.modules[name] = None
import os
for name in ("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "getxattr", "statvfs"):
    delattr(os, name)
from wimdock.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("words", [(), ("--yes",), ("--dry-run",)])
def test_on_windows_it_prints_the_commands(sample: Sample, words: tuple[str, ...]) -> None:
    """Nothing of what Windows lacks is used."""
    if words == ("--dry-run",):
        (sample.mount_directory() / "Windows").mkdir()
    drive = f"D={sample.drive}"
    done = subprocess.run(
        (sys.executable, "-c", _ON_WINDOWS, "cleanup", sample.drive, "--drive", drive, *words),
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
        check=False,
    )
    assert done.stdout.splitlines()[:1] == [UNMOUNT], done.stderr
    assert done.returncode == 0
    assert sample.package().exists()
