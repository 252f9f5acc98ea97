"""Runs that fail on the way, are interrupted or killed: what is told of them, and what is left."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.rehearsal.conftest import NEW, OLD, LabImage, Rehearse, history, staging
from wimdock.errors import (
    CommitFailed,
    MountError,
    MountInUse,
    StorageError,
)
from wimdock.rehearsal.report import Ending, UpdateEnding
from wimdock.servicing.mounts import is_mount_point, unmount


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


def test_going_on_after_an_update_that_failed_is_no_success(
    lab_image: LabImage, play: Rehearse, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.cab"
    broken.write_bytes(b"MSCF but not really")
    report = play(lab_image("xpress"), NEW, broken, continue_on_error=True)
    assert report.error is None
    assert report.failure is not None
    assert report.failure.message.startswith("image 1: ")


@pytest.mark.parametrize(
    "error, code",
    [
        (CommitFailed("the disk is full", hresult=0x80070070), "0x80070070"),
        (MountInUse("somebody is in it"), "0xc1420117"),
    ],
)
def test_only_the_articles_failure_has_the_articles_lines(
    lab_image: LabImage,
    play: Rehearse,
    monkeypatch: pytest.MonkeyPatch,
    error: MountError,
    code: str,
) -> None:
    def failing(*_arguments: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr("wimdock.rehearsal.rehearsal.unmount", failing)
    report = play(lab_image("xpress"), NEW)
    assert report.error is error
    assert report.mount_directory is not None
    offline, dism = (log.read_text(encoding="utf-8") for log in report.logs)
    assert f"UnMountImage returned code {code}~" in offline
    assert f"Image UnMount failed with error {int(code, 16) & 0xFFFF}" in offline
    assert f"CWimImage::Unmount(hr:{code})" in dism
    assert "ImageRecaptureDirectory" not in dism
    assert "path is invalid" not in dism


def test_a_mount_that_fails_stands_in_the_log_and_leaves_nothing(
    lab_image: LabImage, play: Rehearse, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object, **_named: object) -> None:
        message = "no more mounts"
        raise MountError(message, hresult=0xC1510112)

    monkeypatch.setattr("wimdock.rehearsal.rehearsal.mount", failing)
    report = play(lab_image("xpress"), NEW)
    assert "MountImage returned code 0xc1510112~" in report.logs[0].read_text(encoding="utf-8")
    assert report.mount_directory is None
    assert not staging(drive).exists()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interrupt_clears_the_copies_and_ends_the_log(
    lab_image: LabImage,
    play: Rehearse,
    drive: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt: type[BaseException],
) -> None:
    def interrupted(*_arguments: object, **_named: object) -> None:
        raise interrupt

    monkeypatch.setattr("wimdock.rehearsal.rehearsal.mount", interrupted)
    with pytest.raises(interrupt):
        play(lab_image("xpress"), NEW)
    assert not staging(drive).exists()
    log = (drive / "Logs" / "OfflineServicingMgr.log").read_text(encoding="utf-8")
    assert "Schedule processing failed" in log
    assert [line["succeeded"] for line in history(drive)] == [False]


def test_what_ended_a_run_is_told_although_its_traces_cannot_be_written(
    lab_image: LabImage, play: Rehearse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise StorageError(os.strerror(errno.ENOSPC), hresult=0x80070070)

    monkeypatch.setattr("wimdock.rehearsal.rehearsal.add_history", full)
    report = play(lab_image("xpress"), OLD)
    assert isinstance(report.error, CommitFailed)


def test_no_name_of_a_file_begins_a_record_or_ends_a_quotation(
    lab_image: LabImage, play: Rehearse, tmp_path: Path
) -> None:
    hostile = tmp_path / 'a\nb" -MountDir:"C:\\y\x1b[31m.wim'
    hostile.write_bytes(lab_image("xpress").read_bytes())
    report = play(hostile, NEW)
    assert report.ending is Ending.COMMITTED
    offline, dism = (log.read_text(encoding="utf-8") for log in report.logs)
    assert r"CAS00123\a_b_ -MountDir__C__y_[31m.wim'" in offline
    assert r'/WimFile:"D:\ConfigMgr_OfflineImageServicing\CAS00123\a_b_ -MountDir__C__y' in dism
    assert "\x1b" not in offline + dism


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
