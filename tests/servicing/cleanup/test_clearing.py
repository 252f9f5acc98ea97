"""Staging folders cleaned up: whole, once, and whatever stands in the way."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.servicing.cleanup.cleaning import cleaned, finished, plan_for, refused
from tests.servicing.cleanup.staging_sample import GUID, PACKAGE, Sample, mounted, tmpfs
from wimdock.errors import (
    ImageBusy,
    MountInUse,
    StagingError,
    StorageError,
    UnrecognisedContent,
)
from wimdock.servicing.cleanup import (
    PackageState,
    clean_up,
    find_staging,
    leftovers_in,
    plan_cleanup,
)
from wimdock.servicing.options import surroundings


def test_all_of_it_goes(sample: Sample) -> None:
    (sample.staging / "OfflineServicingMgr.log").write_text("x")
    sample.add_package("CAS00124")
    result = finished(sample)
    # Two images, an update and a log; two packages with a mount directory each, one content folder.
    assert (result.tally.files, result.tally.folders, result.tally.links) == (4, 6, 0)
    assert result.tally.freed > 0


def test_an_empty_staging_folder(tmp_path: Path) -> None:
    folder = tmp_path / "ConfigMgr_OfflineImageServicing"
    folder.mkdir()
    assert cleaned(plan_cleanup(find_staging([folder]))).errors == []
    assert not folder.exists()


def test_files_in_an_unmounted_directory(sample: Sample) -> None:
    (sample.mount_directory() / "Windows" / "System32").mkdir(parents=True)
    (sample.mount_directory() / "Windows" / "System32" / "kernel32.dll").write_text("x")
    (package,) = find_staging([sample.staging])[0].packages
    assert package.state is PackageState.STALE
    assert package.reason == "nothing is mounted, but files are in it"
    finished(sample)


@pytest.mark.parametrize("place", ["staging", "package"])
def test_what_is_not_recognised_stops_everything(sample: Sample, place: str) -> None:
    folder = sample.staging if place == "staging" else sample.package()
    (folder / "payroll\n\x1b[2J.xlsx").write_text("x")
    error = refused(sample)
    assert isinstance(error, UnrecognisedContent)
    assert "payroll" in error.message


def test_links_go_and_what_they_lead_to_stays(sample: Sample) -> None:
    content = sample.staging / GUID
    (content / "file").symlink_to(sample.sentinels / "first")
    (content / "folder").symlink_to(sample.sentinels)
    (content / "root").symlink_to("/")
    (content / "nowhere").symlink_to("missing")
    (sample.mount_directory() / "up").symlink_to("../../..")
    assert finished(sample).tally.links == 5


def test_a_link_in_place_of_a_folder_is_not_recognised(sample: Sample) -> None:
    shutil.rmtree(sample.mount_directory())
    sample.mount_directory().symlink_to("/")
    assert isinstance(refused(sample), UnrecognisedContent)
    sample.mount_directory().unlink()
    shutil.rmtree(sample.staging / GUID)
    (sample.staging / GUID).symlink_to(sample.sentinels)
    assert isinstance(refused(sample), UnrecognisedContent)


def test_hard_links_keep_their_content(sample: Sample) -> None:
    other = sample.staging / GUID / "linked.cab"
    os.link(sample.sentinels / "first", other)
    alone = sample.staging / GUID / "alone.cab"
    alone.write_bytes(bytes(1 << 16))
    blocks = alone.stat().st_blocks * 512
    result = finished(sample)
    # Two small files of a block each besides; the linked one frees nothing.
    assert blocks <= result.tally.freed <= blocks + 2 * 4096


def test_names_of_any_bytes(sample: Sample) -> None:
    content = os.fsencode(sample.staging / GUID)
    for name in (b"\xff\xfe", b"new\nline", b"\x1b[2J", "\u202e.cab".encode(), b"-rf", b" "):
        os.close(os.open(content + b"/" + name, os.O_CREAT | os.O_WRONLY))
    os.mkfifo(content + b"/pipe")
    assert finished(sample).tally.files == 9


def test_many_files(sample: Sample) -> None:
    content = sample.staging / GUID
    for number in range(20):
        (content / str(number)).mkdir()
        for name in range(1000):  # links, as they are quickly made
            os.link(sample.sentinels / "first", content / str(number) / f"{name}.cab")
    assert finished(sample).tally.files == 20_002


def test_folders_deeper_than_any_path(sample: Sample) -> None:
    levels = 3000
    fd = os.open(sample.staging / GUID, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deep", dir_fd=fd)
        below = os.open("deep", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    result = finished(sample)
    assert (result.tally.files, result.tally.folders) == (3, levels + 4)


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
@pytest.mark.parametrize("place", ["content", "package", "mount directory"])
def test_another_file_system_below(sample: Sample, kind: str, place: str) -> None:
    point = {
        "content": sample.staging / GUID / "below",
        "package": sample.package() / "install.wim.stagingABCDEFGHIJ",
        "mount directory": sample.mount_directory(),
    }[place]
    point.mkdir(exist_ok=True)
    words = ("--bind", sample.sentinels) if kind == "bind" else ("-t", "tmpfs", "none")
    with mounted(*words, point):
        (found,) = find_staging([sample.staging])
        if place == "content":
            assert found.mounts == (point,)
        else:
            assert found.packages[0].state is PackageState.MOUNTED_BY_OTHER
        error = refused(sample)
        assert isinstance(error, StagingError)
        assert str(point) in error.message
    finished(sample)


def test_a_file_that_is_a_mount(sample: Sample) -> None:
    point = sample.staging / GUID / "windows10.0-kb5001330-x64.cab"
    with mounted("--bind", sample.sentinels / "first", point):
        assert str(point) in refused(sample).message
    finished(sample)


def test_an_immutable_file(sample: Sample) -> None:
    path = sample.staging / GUID / "fixed.cab"
    path.write_text("x")
    if os.geteuid() != 0 or subprocess.run(("chattr", "+i", path), check=False).returncode:
        skip_or_fail("files cannot be made immutable here")
    try:
        (error,) = cleaned(plan_for(sample)).errors
        assert isinstance(error, StorageError)
        assert str(path) in error.message
        assert "lsattr" in error.hint
        assert path.exists()
    finally:
        subprocess.run(("chattr", "-i", path), check=True)
    finished(sample)


def test_a_read_only_file_system(tmp_path: Path) -> None:
    from tests.servicing.cleanup.staging_sample import make_staging

    place = tmp_path / "disk"
    place.mkdir()
    with mounted("-t", "tmpfs", "none", place):
        sample = make_staging(place / "drive")
        subprocess.run(("mount", "-o", "remount,ro", place), check=True)
        error = refused(sample)
        assert isinstance(error, StorageError)
        assert error.hresult == 0x80070013
        subprocess.run(("mount", "-o", "remount,rw", place), check=True)
        finished(sample)


def test_a_program_at_work_in_the_folder(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wimdock.servicing.cleanup.clearing._PATIENCE", 0.2)
    with subprocess.Popen(("sleep", "60"), cwd=sample.staging / GUID) as process:
        try:
            error = refused(sample)
        finally:
            process.kill()
    assert isinstance(error, MountInUse)
    assert f"process {process.pid} (sleep)" in error.message
    finished(sample)


@pytest.mark.parametrize("place", ["package", "staging"])
def test_a_locked_copy_of_an_image(sample: Sample, place: str) -> None:
    """Seen by its lock where the process that holds it cannot be seen."""
    path = (sample.package() if place == "package" else sample.staging) / "install.wim"
    path.touch()
    with path.open("rb") as image:
        fcntl.flock(image, fcntl.LOCK_EX)
        error = refused(sample)
    assert isinstance(error, ImageBusy)
    finished(sample)


def test_another_file_system_that_is_named_like_a_mounted_image(sample: Sample) -> None:
    with mounted("-t", "tmpfs", "wimfs", sample.mount_directory()):
        (found,) = find_staging([sample.staging])
        assert found.packages[0].state is PackageState.MOUNTED_BY_OTHER
        refused(sample)
    finished(sample)


def test_one_folder_does_not_depend_on_another(sample: Sample, tmp_path: Path) -> None:
    from tests.servicing.cleanup.staging_sample import make_staging

    other = make_staging(tmp_path / "other")
    (sample.staging / "payroll.xlsx").write_text("x")
    plan = plan_cleanup(find_staging([sample.drive, other.drive]))
    result = clean_up(plan, surroundings())
    assert [bool(each.errors) for each in result.folders] == [True, False]
    assert sample.package().exists()
    assert not other.staging.exists()


def test_a_mount_in_another_view_of_the_file_system(sample: Sample) -> None:
    if os.geteuid() != 0:
        skip_or_fail("mounting needs root")
    script = f'mount -t tmpfs none "{sample.mount_directory()}" && echo ready && exec sleep 60'
    words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            error = refused(sample)
        finally:
            process.kill()
    assert "in a view of its own" in error.message
    time.sleep(0.05)
    finished(sample)


@pytest.mark.parametrize("place", ["content", "package"])
def test_a_mount_in_another_view_stops_it_before_anything(sample: Sample, place: str) -> None:
    """Found by its place on the disk, though its path there has none of the names."""
    if os.geteuid() != 0:
        skip_or_fail("mounting needs root")
    folder = sample.staging / GUID if place == "content" else sample.package()
    (folder / "below").mkdir()
    view = sample.drive / "view"
    view.mkdir()
    script = (
        f'mount --bind "{folder}" "{view}" && mount -t tmpfs none "{view}/below" && '
        "echo ready && exec sleep 60"
    )
    words = ("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            (found,) = find_staging([sample.staging])
            assert view / "below" in found.mounts
            refused(sample)
        finally:
            process.kill()


def test_a_mount_by_another_path(sample: Sample, tmp_path: Path) -> None:
    """A bind mount of the drive, and an image mounted through it: the same folder is busy."""
    view = tmp_path / "view"
    view.mkdir()
    plan = plan_for(sample)
    below = view / sample.mount_directory().relative_to(sample.drive)
    with mounted("--bind", "--make-private", sample.drive, view), tmpfs(below):
        (found,) = find_staging([sample.staging])
        assert found.mounts == (below,)
        assert [each.path for each in leftovers_in(sample.drive)] == [below]
        assert str(below) in refused(sample).message
        assert str(below) in refused(sample, plan).message
    finished(sample)


def test_what_cannot_be_read_stops_it(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.listdir
    content = (sample.staging / GUID).stat().st_ino

    def closed(folder: int) -> list[str]:
        if os.fstat(folder).st_ino == content:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr("os.listdir", closed)
    error = refused(sample)
    assert isinstance(error, StorageError)
    assert GUID in error.message
    assert PACKAGE not in error.message
