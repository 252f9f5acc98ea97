"""Staging folders cleaned up: whole, once, and whatever stands in the way."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.faults.disk import CountingDisk
from tests.servicing.cleanup.staging_sample import GUID, PACKAGE, Sample, mounted, tmpfs
from wimdock.errors import (
    ImageBusy,
    MountInUse,
    StagingError,
    StorageError,
    UnrecognisedContent,
    WimdockError,
)
from wimdock.files import Disk
from wimdock.rehearsal import place
from wimdock.servicing.cleanup import (
    CleanupPlan,
    FolderResult,
    PackageState,
    clean_up,
    find_staging,
    leftovers_in,
    plan_cleanup,
)
from wimdock.servicing.cleanup.hold import REHEARSAL_LOCK
from wimdock.servicing.options import surroundings


def plan_for(sample: Sample) -> CleanupPlan:
    return plan_cleanup(find_staging([sample.staging]))


def cleaned(plan: CleanupPlan, disk: Disk | None = None) -> FolderResult:
    """Carry a plan of one folder out; give what became of it."""
    (result,) = clean_up(plan, surroundings(disk=disk or CountingDisk(quick=True))).folders
    return result


def refused(sample: Sample, plan: CleanupPlan | None = None) -> WimdockError:
    """Clean up what must be refused as a whole, with nothing touched; give the reason."""
    before = sorted(sample.drive.rglob("*"))
    result = cleaned(plan or plan_for(sample))
    assert sorted(sample.drive.rglob("*")) == before
    assert result.proof is None
    assert not result.unmounted
    assert (result.tally.files, result.tally.folders) == (0, 0)
    return result.errors[0]


def finished(sample: Sample) -> FolderResult:
    """Clean up what must succeed; give the result."""
    result = cleaned(plan_for(sample))
    assert result.errors == []
    assert result.proof is not None
    assert result.proof.is_gone
    assert result.proof.allows_a_run
    assert not sample.staging.exists()
    assert sample.untouched()
    return result


class MeddlingDisk(Disk):
    """Lets something happen before the removal with a given number, counted from 0."""

    def __init__(self, at: int, meddle: Callable[[], None]) -> None:
        """Do `meddle` once."""
        self.left = at
        self.meddle = meddle

    def remove(self, folder: int, name: str, *, is_folder: bool) -> None:
        if self.left == 0:
            self.meddle()
        self.left -= 1
        super().remove(folder, name, is_folder=is_folder)


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


def test_a_mount_that_comes_after_the_plan(sample: Sample) -> None:
    plan = plan_for(sample)
    with mounted("-t", "tmpfs", "none", sample.mount_directory()):
        assert isinstance(refused(sample, plan), StagingError)


@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_a_mount_that_comes_during_the_deletion(sample: Sample, kind: str) -> None:
    """Even where the table of mounts was read before it: the walk itself does not go there."""
    point = sample.staging / GUID / "a" / "b"
    point.mkdir(parents=True)
    words = ("--bind", sample.sentinels) if kind == "bind" else ("-t", "tmpfs", "none")
    if os.geteuid() != 0:
        skip_or_fail("mounting needs root")
    # The update's file is the first thing to go in the content folder, after the package's two
    # folders and its image.
    disk = MeddlingDisk(3, lambda: _mount(*words, point))
    try:
        result = cleaned(plan_for(sample), disk)
        (error,) = result.errors
        assert isinstance(error, StagingError)
        assert "on another file system" in error.message
        assert sample.untouched()
        assert point.exists()
    finally:
        subprocess.run(("umount", point), check=True)
    finished(sample)


def _mount(*words: str | Path) -> None:
    subprocess.run(("mount", *words), check=True)


@pytest.fixture
def _in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """List folders in the order of names, so that a test can say when it meddles."""
    listed = os.listdir
    monkeypatch.setattr("os.listdir", lambda folder: sorted(listed(folder)))


@pytest.mark.usefixtures("_in_order")
def test_a_folder_that_becomes_a_link_during_the_deletion(sample: Sample) -> None:
    victim = sample.staging / GUID / "a"
    (victim / "b").mkdir(parents=True)
    (victim / "b" / "first").write_text("first")

    def swap() -> None:
        victim.rename(sample.drive / "moved")
        victim.symlink_to(sample.sentinels)

    result = cleaned(plan_for(sample), MeddlingDisk(3, swap))
    (error,) = result.errors
    assert isinstance(error, StagingError)
    assert "moved or replaced" in error.message
    assert sample.untouched()
    assert (sample.drive / "moved" / "b" / "first").exists()
    finished(sample)


@pytest.mark.usefixtures("_in_order")
def test_a_folder_that_is_moved_away_under_the_walk(sample: Sample) -> None:
    """What was in it when the walk went in is gone; nothing beside it is."""
    folder = sample.staging / GUID / "a"
    folder.mkdir()
    (folder / "x").write_text("x")
    moved = sample.sentinels.parent / "moved"
    moved.mkdir()
    (moved / "beside").write_text("beside")
    # In the content folder: the update's file, then x in a.
    result = cleaned(plan_for(sample), MeddlingDisk(4, lambda: _move(folder, moved / "a")))
    (error,) = result.errors
    assert isinstance(error, StagingError)
    assert (moved / "beside").read_text() == "beside"
    assert (moved / "a").is_dir()
    assert sample.untouched()
    finished(sample)


def _move(source: Path, target: Path) -> None:
    source.rename(target)


def test_the_staging_folder_is_another_one_by_now(sample: Sample) -> None:
    plan = plan_for(sample)
    sample.staging.rename(sample.drive / "old")
    sample.add_package()
    assert "moved or replaced" in refused(sample, plan).message
    shutil.rmtree(sample.staging)
    sample.staging.symlink_to(sample.drive / "old")
    assert refused(sample, plan).exit_code == StorageError.exit_code


def test_a_run_that_begins_after_the_plan(sample: Sample) -> None:
    plan = plan_for(sample)
    sample.add_package("CAS00124")
    assert "a run is going on" in refused(sample, plan).message
    shutil.rmtree(sample.package("CAS00124"))
    (sample.mount_directory() / "Windows").mkdir()
    assert "a run is going on" in refused(sample, plan).message
    (sample.mount_directory() / "Windows").rmdir()
    (sample.staging / GUID.replace("7", "8")).mkdir()
    assert "a run is going on" in refused(sample, plan).message


def test_files_that_come_during_the_deletion_stay(sample: Sample) -> None:
    late = sample.mount_directory() / "late"
    result = cleaned(plan_for(sample), MeddlingDisk(0, late.touch))
    (error,) = result.errors
    assert "not empty" in error.message
    assert late.exists()
    assert (sample.package() / "install.wim").exists()


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


def test_a_second_clean_up_at_the_same_time(sample: Sample) -> None:
    plan = plan_for(sample)
    fd = os.open(sample.staging, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        error = refused(sample, plan)
    finally:
        os.close(fd)
    assert isinstance(error, ImageBusy)
    assert "Another clean-up" in error.hint


def test_a_rehearsal_at_the_same_time(sample: Sample) -> None:
    path = sample.drive / REHEARSAL_LOCK
    assert REHEARSAL_LOCK == place._LOCK
    with path.open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        error = refused(sample)
    assert isinstance(error, ImageBusy)
    assert "a rehearsal" in error.hint
    finished(sample)
    assert path.exists()


def test_two_clean_ups_from_the_start(sample: Sample) -> None:
    """Whoever comes second is refused or finds nothing; between them all of it goes."""
    for number in range(300):
        (sample.staging / GUID / f"{number}.cab").touch()
    words = (sys.executable, "-m", "wimdock", "cleanup", sample.drive, "--yes")
    runs = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in "ab"]
    out = [run.communicate(timeout=60)[0] for run in runs]
    assert 0 in {run.returncode for run in runs}, out
    assert {run.returncode for run in runs} <= {0, 4, 5, 53, 55}, out
    assert b"internal error" not in b"".join(out)
    assert not sample.staging.exists()
    assert sample.untouched()


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
