"""A run that is played: what it leaves, what it writes, and what keeps it from being played."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.lab.cases import CASES
from tests.lab.package import write_cabinet
from tests.rehearsal.conftest import Rehearse
from wimdock.doctor.logs import read_logs
from wimdock.errors import (
    ImageBusy,
    LeftoversInTheWay,
    MountError,
    NoSuchImage,
    NotAnImage,
    StorageError,
    UsageError,
)
from wimdock.files import exclusive_lock
from wimdock.rehearsal.report import Ending, UpdateEnding
from wimdock.servicing.mounts import is_mount_point, unmount
from wimdock.wim import Archive

OLD, NEW = "CM01=6.3.9600", "CM02=10.0.17763"
LabImage = Callable[[str], Path]


def staging(drive: Path) -> Path:
    return drive / "ConfigMgr_OfflineImageServicing"


def history(drive: Path, package: str = "CAS00123") -> list[dict[str, object]]:
    path = drive / "PackageSource" / package / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_run_that_succeeds_leaves_nothing_but_its_result(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    image = lab_image("xpress")
    report = play(image, NEW)
    assert report.ending is Ending.COMMITTED
    assert not staging(drive).exists()
    assert report.result == drive / "PackageSource" / "CAS00123" / image.name
    assert report.result.exists()
    assert [line["succeeded"] for line in history(drive)] == [True]
    play(image, NEW)
    assert report.result.with_name(f"{image.name}.backup").exists()


def test_every_image_of_the_file_is_done_and_the_first_failure_ends_it(
    lab_image: LabImage, play: Rehearse
) -> None:
    image = lab_image("multi")
    assert [index for index, _ in play(image, NEW).verdicts] == [1, 2, 3]
    failed = play(image, OLD)
    assert failed.ending is Ending.FAILED
    assert [index for index, _ in failed.verdicts] == [1]
    assert failed.mount_directory is not None
    unmount(failed.mount_directory, commit=False)
    assert play(image, OLD, indexes=(3,)).ending is Ending.COMMITTED  # no Windows, no such points


def test_both_logs_read_back_without_loss(lab_image: LabImage, play: Rehearse) -> None:
    report = play(lab_image("xpress"), OLD)
    offline, dism = report.logs
    lines = offline.read_text(encoding="utf-8-sig").splitlines()
    records = list(read_logs([offline]))
    assert len(records) == len(lines)
    for record, line in zip(records, lines, strict=True):
        # A message that ends in `~`, as codes do, ends in a line end; the form's own sign is read.
        assert record.message.rstrip("\n~") == line.split("  $$<")[0].rstrip("~")
        assert record.component == "SMS_OFFLINE_SERVICING_MANAGER"
        assert record.time is not None
        assert record.thread
    assert [r.status_message for r in records if r.status_message] == list(report.status_messages)
    written = dism.read_text(encoding="utf-8-sig").splitlines()
    assert [r.text for r in read_logs([dism])] == written


def test_leftovers_stop_a_run_before_anything_is_copied(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    image = lab_image("xpress")
    play(image, OLD)
    second = play(image, NEW, package_id="CAS00124")
    assert isinstance(second.error, LeftoversInTheWay)
    assert not (staging(drive) / "CAS00124").exists()
    assert [line["succeeded"] for line in history(drive, "CAS00124")] == [False]


def test_updates_are_installed_skipped_and_refused_as_the_log_says(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path
) -> None:
    update = write_cabinet(tmp_path / "update.cab", CASES["plain"].files())
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ")
    report = play(lab_image("xpress"), NEW, update, program, allow_unsigned=True)
    assert report.ending is Ending.COMMITTED
    assert [played.ending for played in report.updates] == [
        UpdateEnding.INSTALLED,
        UpdateEnding.NOT_SUPPORTED,
    ]
    log = report.logs[0].read_text(encoding="utf-8-sig")
    assert "Not applying this update binary, it is not supported." in log
    assert not staging(drive).exists()


def test_a_broken_update_fails_the_run_as_the_original_does(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.cab"
    broken.write_bytes(b"MSCF but not really")
    report = play(lab_image("xpress"), NEW, broken)
    assert report.ending is Ending.FAILED
    log = report.logs[0].read_text(encoding="utf-8-sig")
    assert "InstallUpdate returned code 0x800f0805~" in log
    assert "UnMounting Image (Commit Changes = 0)..." in log
    assert not staging(drive).exists()
    went_on = play(lab_image("xpress"), NEW, broken, continue_on_error=True)
    assert went_on.ending is Ending.COMMITTED
    assert [played.ending for played in went_on.updates] == [UpdateEnding.FAILED]


@pytest.mark.parametrize("provider", [OLD, NEW, "wimdock"])
def test_the_result_holds_every_reparse_point(
    lab_image: LabImage, play: Rehearse, provider: str
) -> None:
    image = lab_image("xpress")
    with Archive.open(image) as archive:
        before = {
            (str(path), entry.reparse_tag, entry.reparse_sha1)
            for path, entry in archive.image(1).reparse_points()
        }
    report = play(image, provider)
    if report.result is None:
        assert provider == OLD
        return
    with Archive.open(report.result) as archive:
        after = {
            (str(path), entry.reparse_tag, entry.reparse_sha1)
            for path, entry in archive.image(1).reparse_points()
        }
    assert after == before


# What cannot be played


def test_wrong_input_is_refused_and_nothing_is_made(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.wim"
    text.write_text("no image")
    image = lab_image("xpress")
    with pytest.raises(NotAnImage):
        play(text, OLD)
    with pytest.raises(StorageError):
        play(tmp_path / "none.wim", OLD)
    with pytest.raises(StorageError):
        play(image, OLD, tmp_path / "none.cab")
    with pytest.raises(NoSuchImage):
        play(image, OLD, indexes=(7,))
    with pytest.raises(UsageError, match="build"):
        play(image, "CM01")
    with pytest.raises(UsageError, match="package ID"):
        play(image, OLD, package_id="../CAS00")
    with pytest.raises(UsageError, match="drive"):
        play(image, OLD, drive="D:")
    assert list(drive.iterdir()) == []


def test_without_fuse_it_is_refused_before_anything_is_made(
    lab_image: LabImage, play: Rehearse, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wimdock.rehearsal.rehearsal._FUSE", Path("/nowhere/fuse"))
    with pytest.raises(MountError, match="fuse"):
        play(lab_image("xpress"), OLD)
    assert list(drive.iterdir()) == []


def test_a_full_disk_is_seen_before_anything_is_copied(
    lab_image: LabImage, play: Rehearse, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: _Usage())
    with pytest.raises(StorageError, match="free") as raised:
        play(lab_image("xpress"), OLD)
    assert raised.value.hresult == 0x80070070
    assert not staging(drive).exists()


class _Usage:
    free = 1 << 20


def test_a_disk_that_fills_up_while_copying_ends_the_run_and_clears_it(
    lab_image: LabImage, play: Rehearse, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise StorageError(os.strerror(errno.ENOSPC), hresult=0x80070070)

    monkeypatch.setattr("wimdock.rehearsal.staged_files.copy_file", full)
    report = play(lab_image("xpress"), OLD)
    assert report.error is not None
    assert report.error.hresult == 0x80070070
    assert not staging(drive).exists()


def test_two_rehearsals_do_not_share_a_place(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    lock = drive / ".wimdock-rehearsal.lock"
    fd = os.open(lock, os.O_RDWR | os.O_CREAT)
    try:
        with exclusive_lock(fd, lock), pytest.raises(ImageBusy, match="another rehearsal"):
            play(lab_image("xpress"), OLD)
    finally:
        os.close(fd)


def test_a_run_that_was_killed_is_no_obstacle_once_it_is_unmounted(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path
) -> None:
    """Stop it with -9 at ten moments; what is left is an obstacle only while it is mounted."""
    image = lab_image("xpress")
    before = image.read_bytes()
    command = [sys.executable, "-m", "wimdock", "rehearse", str(image), "--provider", OLD]
    for moment in range(10):
        process = subprocess.Popen(
            [*command, "--staging", str(drive)],
            cwd=REPOSITORY,
            env=os.environ | {"WIMDOCK_STATE": str(tmp_path / "state")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(0.15 + 0.05 * moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        mounted = staging(drive) / "CAS00123" / "ImageMountDir"
        if is_mount_point(mounted):
            unmount(mounted, commit=False)
        assert play(image, NEW).ending is Ending.COMMITTED
    assert image.read_bytes() == before
