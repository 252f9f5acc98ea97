"""Whatever comes between a plan and its end: mounts, links, moves, other programs."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.servicing.cleanup.cleaning import cleaned, finished, plan_for, refused
from tests.servicing.cleanup.staging_sample import GUID, Sample, mounted
from wimdock.errors import (
    ImageBusy,
    StagingError,
    StorageError,
)
from wimdock.files import Disk
from wimdock.rehearsal import place
from wimdock.servicing.cleanup.hold import REHEARSAL_LOCK


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
