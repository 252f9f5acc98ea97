"""Staging folders with mounted images: by wimdock, by wimlib, alive, dead, in use, silent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.demo_files import copy_demo
from tests.servicing.cleanup.cleaning import cleaned, finished, plan_for, refused
from tests.servicing.cleanup.staging_sample import PACKAGE, Sample
from tests.servicing.mounts_at_hand import daemon_of, end_all, kill_daemon, need_mounting, umount
from tests.servicing.surroundings import everything_in, quick
from wimdock.errors import ImageBusy, MountInUse, NotMounted, StagingError
from wimdock.servicing import wimlib
from wimdock.servicing.cleanup import (
    FolderPlan,
    PackageState,
    StagedPackage,
    StagingFolder,
    clearing,
    find_staging,
    leftovers_in,
)
from wimdock.servicing.mounts import list_mounts, mount, unmount
from wimdock.servicing.mounts.record import all_records

OTHER = "CAS00124"


@pytest.fixture(autouse=True)
def _nothing_left(tmp_path: Path) -> Iterator[None]:
    yield
    end_all(tmp_path)


@pytest.fixture
def images(sample: Sample) -> Sample:
    """Give a staging folder with two packages that hold copies of a real image."""
    need_mounting()
    sample.add_package(OTHER)
    golden = sample.drive.parent / "golden"
    golden.mkdir()
    copy_demo(golden)
    for name in (PACKAGE, OTHER):
        (sample.package(name) / "install.wim").write_bytes((golden / "demo.wim").read_bytes())
    return sample


def mount_ours(sample: Sample, name: str = PACKAGE, typed: str = "") -> None:
    image = sample.package(name) / "install.wim"
    mount(image, 1, sample.mount_directory(name), writable=True, typed=typed, world=quick())


def mount_with_wimlib(sample: Sample, name: str = PACKAGE) -> None:
    words = ("mountrw", sample.package(name) / "install.wim", "1", sample.mount_directory(name))
    subprocess.run(("wimlib-imagex", *words), check=True, capture_output=True)


MOUNTERS = {
    PackageState.MOUNTED_BY_WIMDOCK: mount_ours,
    PackageState.MOUNTED_BY_WIMLIB: mount_with_wimlib,
}


def mounts_in(sample: Sample) -> list[Path]:
    """Give what is mounted or recorded on this drive; the machine may hold other mounts."""
    found = (each.directory for each in list_mounts())
    return [directory for directory in found if directory.is_relative_to(sample.drive)]


def package_of(sample: Sample, name: str = PACKAGE) -> StagedPackage:
    (found,) = find_staging([sample.staging])
    return next(package for package in found.packages if package.package_id == name)


def change_image(sample: Sample) -> None:
    """Write what an update would write into the mounted image."""
    packages = sample.mount_directory() / "Windows" / "servicing" / "Packages"
    packages.mkdir(parents=True, exist_ok=True)
    name = "Package_for_KB5001330~31bf3856ad364e35~amd64~~19041.928.1.7"
    (packages / f"{name}.mum").write_bytes(bytes(500))
    (packages / f"{name}.cat").write_bytes(bytes(300))


@pytest.mark.parametrize("state", MOUNTERS, ids=lambda state: state.value)
def test_a_mounted_image(images: Sample, state: PackageState) -> None:
    golden = everything_in(images.drive.parent / "golden")
    MOUNTERS[state](images)
    change_image(images)
    package = package_of(images)
    assert package.state is state
    assert package.image == "image 1 of install.wim"
    assert package.since is not None
    assert package.change.updates == (
        "Package_for_KB5001330~31bf3856ad364e35~amd64~~19041.928.1.7",
    )
    assert (package.change.files, package.change.size) == (2, 800)
    assert package.lost == (
        "all changes to image 1 of install.wim (2 changed files; "
        "updates Package_for_KB5001330~31bf3856ad364e35~amd64~~19041.928.1.7), and the working "
        "copy of the image"
    )
    assert [left.package_id for left in leftovers_in(images.drive)] == [PACKAGE]
    result = finished(images)
    assert [each.package_id for each in result.unmounted] == [PACKAGE]
    assert mounts_in(images) == []
    assert everything_in(images.drive.parent / "golden") == golden


def test_it_is_never_committed(images: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy of the image is as it was when only the unmounting is done."""
    image = images.package() / "install.wim"
    before = image.read_bytes()
    mount_ours(images)
    change_image(images)
    asked: list[bool] = []
    ended = wimlib.unmount

    def watch(directory: Path, *, commit: bool, **rest: object) -> None:
        asked.append(commit)
        ended(directory, commit=commit, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(wimlib, "unmount", watch)
    monkeypatch.setattr(
        "wimdock.servicing.cleanup.clearing._delete",
        lambda *_: (_ for _ in ()).throw(NotMounted("x")),
    )
    cleaned(plan_for(images))
    assert asked == [False]
    assert image.read_bytes() == before


@pytest.mark.parametrize("state", MOUNTERS, ids=lambda state: state.value)
def test_a_mount_whose_process_is_dead(images: Sample, state: PackageState) -> None:
    MOUNTERS[state](images)
    change_image(images)
    kill_daemon(images.mount_directory())
    with pytest.raises(OSError, match="not connected"):
        images.mount_directory().stat()
    package = package_of(images)
    assert package.state is state
    assert package.reason == "an image is mounted here; its process is gone"
    assert package.change.updates is None
    assert leftovers_in(images.drive)
    finished(images)
    assert mounts_in(images) == []


def test_a_mount_that_does_not_answer(images: Sample) -> None:
    mount_ours(images)
    pid = daemon_of(images.mount_directory())
    os.kill(pid, signal.SIGSTOP)
    try:
        assert package_of(images).is_silent
        (result,) = plan_for(images).obstacles
        assert isinstance(result, ImageBusy)
    finally:
        os.kill(pid, signal.SIGCONT)
    finished(images)


def test_a_record_of_a_mount_that_is_gone(images: Sample) -> None:
    mount_ours(images)
    umount(images.mount_directory())
    package = package_of(images)
    assert package.state is PackageState.STALE
    assert package.reason == "nothing is mounted, but a record of a mount is left"
    assert len(leftovers_in(images.drive)) == 1
    finished(images)
    assert all_records() == ()


def test_a_record_without_a_folder(images: Sample) -> None:
    mount_ours(images)
    umount(images.mount_directory())
    images.mount_directory().rmdir()
    assert package_of(images).state is PackageState.STALE
    finished(images)
    assert all_records() == ()


def test_a_record_of_a_package_that_is_gone(images: Sample) -> None:
    """Somebody has deleted the folder by hand: with the record no new run could mount there."""
    mount_ours(images)
    umount(images.mount_directory())
    shutil.rmtree(images.package())
    (found,) = find_staging([images.staging])
    assert [each.directory for each in found.records] == [images.mount_directory()]
    (left,) = leftovers_in(images.drive)
    assert (left.path, left.state) == (images.mount_directory(), PackageState.STALE)
    finished(images)
    assert all_records() == ()
    images.add_package()
    shutil.copy(images.drive.parent / "golden" / "demo.wim", images.package() / "install.wim")
    mount_ours(images)


def test_one_mount_in_use_keeps_everything(images: Sample) -> None:
    """The other one is ended; nothing is deleted, in no package; later all of it goes."""
    mount_ours(images)
    mount_with_wimlib(images, OTHER)
    change_image(images)
    with (images.mount_directory() / "held").open("wb"):
        result = cleaned(plan_for(images))
        (error,) = result.errors
        assert isinstance(error, MountInUse)
        assert [package.package_id for package in result.unmounted] == [OTHER]
        assert (result.tally.files, result.tally.folders) == (0, 0)
        for name in (PACKAGE, OTHER):
            assert (images.package(name) / "install.wim").exists()
            assert images.mount_directory(name).exists()
        assert package_of(images).state is PackageState.MOUNTED_BY_WIMDOCK
        assert package_of(images, OTHER).state is PackageState.EMPTY
    finished(images)


def test_a_mount_on_a_mount(images: Sample) -> None:
    mount_ours(images)
    subprocess.run(("mount", "-t", "tmpfs", "none", images.mount_directory()), check=True)
    try:
        assert "tmpfs" in refused(images).message
    finally:
        umount(images.mount_directory())
    finished(images)


def test_files_under_the_mount(images: Sample, tmp_path: Path) -> None:
    """What was put below the mount appears when it is gone, and is shown before it is deleted."""
    mount_ours(images)
    view = tmp_path / "view"
    view.mkdir()
    subprocess.run(("mount", "--bind", images.package(), view), check=True)
    (view / images.mount_directory().name / "hidden").write_text("x")
    umount(view)
    (error,) = cleaned(plan_for(images)).errors
    assert "not empty" in error.message
    assert (images.mount_directory() / "hidden").exists()
    assert package_of(images).state is PackageState.STALE
    finished(images)


def test_an_image_mounted_from_elsewhere(images: Sample) -> None:
    """The golden image itself was mounted in the staging folder: it stays as it is."""
    golden = images.drive.parent / "golden"
    before = everything_in(golden)
    mount(golden / "demo.wim", 1, images.mount_directory(), writable=True, world=quick())
    change_image(images)
    finished(images)
    assert everything_in(golden) == before


def test_unmounted_between_plan_and_clean_up(images: Sample) -> None:
    mount_ours(images)
    plan = plan_for(images)
    unmount(images.mount_directory(), commit=False, world=quick())
    assert cleaned(plan).errors == []


def test_mounted_anew_between_plan_and_clean_up(images: Sample) -> None:
    mount_ours(images)
    plan = plan_for(images)
    unmount(images.mount_directory(), commit=False, world=quick())
    image = images.package() / "install.wim"
    mount(image, 1, images.mount_directory(), writable=True)  # at another time
    assert "a run is going on" in refused(images, plan).message
    finished(images)


def test_a_link_through_which_another_mount_would_be_ended(
    images: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone swaps the folder in the moment between looking and unmounting."""
    mount_ours(images)
    mount_ours(images, OTHER)
    plan = plan_for(images)
    looked = clearing._looked_at_again

    def swap(plan: FolderPlan) -> StagingFolder:
        found = looked(plan)
        images.package().rename(images.drive / "moved")
        images.package().symlink_to(images.package(OTHER))
        return found

    monkeypatch.setattr(clearing, "_looked_at_again", swap)
    result = cleaned(plan)
    assert isinstance(result.errors[0], StagingError)
    assert "moved or replaced" in result.errors[0].message
    assert result.tally.files == 0
    assert (images.drive / "moved" / "install.wim").exists()
    # The other one was ended once, in its own turn, and not through the link.
    assert [package.package_id for package in result.unmounted] == [OTHER]
