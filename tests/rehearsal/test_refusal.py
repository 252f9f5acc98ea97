"""What cannot be played, and that nothing is made or changed where it is refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.rehearsal.conftest import NEW, OLD, LabImage, Rehearse, staging
from wimdock.configmgr import parse_provider
from wimdock.errors import (
    ImageBusy,
    LeftoversInTheWay,
    MountError,
    NoSuchImage,
    NotAnImage,
    StagingError,
    StorageError,
    UnrecognisedContent,
    UsageError,
)
from wimdock.files import exclusive_lock
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.rehearsal import rehearse


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


@pytest.mark.parametrize(
    "where",
    [
        "ConfigMgr_OfflineImageServicing/CAS00123",
        "ConfigMgr_OfflineImageServicing",
        "PackageSource/CAS00123",
        "PackageSource",
        "Logs",
    ],
)
def test_an_image_or_update_in_a_folder_of_the_place_is_refused_and_kept(
    lab_image: LabImage, play: Rehearse, drive: Path, where: str
) -> None:
    """A run clears its folders: the only copy of an image lay there, and was taken for its copy."""
    folder = drive / where
    folder.mkdir(parents=True)
    image, update = folder / "golden.wim", folder / "update.cab"
    image.write_bytes(lab_image("xpress").read_bytes())
    update.write_bytes(b"MSCF")
    link = drive / "link.wim"
    link.symlink_to(image)
    before = image.read_bytes(), image.stat().st_ino
    for named, updates in ((image, []), (link, []), (lab_image("lzx"), [update])):
        with pytest.raises((UsageError, UnrecognisedContent)):
            play(named, NEW, *updates)
    assert (image.read_bytes(), image.stat().st_ino) == before
    assert update.read_bytes() == b"MSCF"
    assert not (drive / "Logs" / "OfflineServicingMgr.log").exists()


def test_an_image_file_that_no_rehearsal_put_there_is_not_replaced(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    image = lab_image("xpress")
    source = drive / "PackageSource" / "CAS00123"
    source.mkdir(parents=True)
    (source / image.name).write_bytes(b"somebody's only copy")
    with pytest.raises(UnrecognisedContent, match="no rehearsal put it there"):
        play(image, NEW)
    assert (source / image.name).read_bytes() == b"somebody's only copy"


@pytest.mark.parametrize("name", ["ConfigMgr_OfflineImageServicing", "PackageSource", "Logs"])
def test_no_link_is_followed_to_other_folders(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (drive / name).symlink_to(elsewhere)
    with pytest.raises(StagingError, match="symbolic link"):
        play(lab_image("xpress"), NEW)
    assert list(elsewhere.iterdir()) == []


def test_what_no_run_leaves_is_no_mount_that_was_left(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    """The doctor would find a mount in the logs that is not there."""
    staging(drive).mkdir()
    (staging(drive) / "notes.txt").write_text("mine")
    with pytest.raises(UnrecognisedContent, match="notes"):
        play(lab_image("xpress"), NEW)
    assert not (drive / "Logs").exists()


def test_leftovers_that_are_not_mounted_are_not_said_to_be(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    stale = staging(drive) / "CAS00999" / "ImageMountDir"
    stale.mkdir(parents=True)
    (stale / "left.txt").write_text("left")
    report = play(lab_image("xpress"), NEW)
    assert isinstance(report.error, LeftoversInTheWay)
    assert "CAS00999" in report.error.message
    log = report.logs[0].read_text(encoding="utf-8")
    assert "MountImage returned code 0xc1420114~" in log


@pytest.mark.parametrize("name", ["golden.img", "ImageMountDir", "history.jsonl", "x" * 201])
def test_names_that_the_clean_up_would_not_know_are_refused(
    lab_image: LabImage, play: Rehearse, drive: Path, tmp_path: Path, name: str
) -> None:
    image = tmp_path / (f"{name}.wim" if len(name) > 200 else name)
    image.write_bytes(lab_image("xpress").read_bytes())
    with pytest.raises((UsageError, StorageError), match=r"name"):
        play(image, NEW)
    assert list(drive.iterdir()) == []


def test_without_fuse_it_is_refused_before_anything_is_made(
    lab_image: LabImage, play: Rehearse, drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wimdock.rehearsal.refusal._FUSE", Path("/nowhere/fuse"))
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


def test_the_staging_folder_is_found_in_any_letter_case_and_is_no_root(
    lab_image: LabImage, play: Rehearse, drive: Path
) -> None:
    folder = drive / "configmgr_offlineimageservicing"
    stale = folder / "CAS00123" / "ImageMountDir"
    stale.mkdir(parents=True)
    (stale / "left.txt").write_text("left")
    assert isinstance(play(lab_image("xpress"), NEW).error, LeftoversInTheWay)
    assert not staging(drive).exists()
    with pytest.raises(UsageError, match="no drive's root"):
        rehearse(lab_image("xpress"), RehearsalOptions(parse_provider(NEW), folder))
    assert [path.name for path in folder.iterdir()] == ["CAS00123"]
