"""Clean-ups stopped at every removal, and killed at any moment, then run again: all of it goes.

Nothing outside of the staging folder changes, and what a clean-up leaves is always recognised.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.demo_files import copy_demo
from tests.conftest import REPOSITORY
from tests.faults.disk import CountingDisk, StoppedError, StoppingDisk
from tests.servicing.cleanup.staging_sample import GUID, Sample, make_staging
from tests.servicing.mounts_at_hand import end_all, need_mounting
from wimdock.files import Disk
from wimdock.servicing.cleanup import FolderResult, clean_up, find_staging, plan_cleanup
from wimdock.servicing.mounts import list_mounts, mount
from wimdock.servicing.mounts.record import all_records
from wimdock.servicing.options import surroundings

_SEED = 20260304


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    yield
    end_all(tmp_path)


class Case:
    """A staging folder with two packages that can be made anew; one may hold a mounted image."""

    def __init__(self, folder: Path, *, is_mounted: bool) -> None:
        """Keep the golden image, which nothing may change."""
        self.sample = Sample(folder / "drive")
        self.is_mounted = is_mounted
        self.golden = folder / "golden"
        self.golden.mkdir()
        copy_demo(self.golden)
        self.image = (self.golden / "demo.wim").read_bytes()

    def fresh(self, extra: int = 3) -> None:
        """Make the folder anew, with so many files more."""
        shutil.rmtree(self.sample.drive, ignore_errors=True)
        make_staging(self.sample.drive)
        self.sample.add_package("CAS00124")
        stale = self.sample.mount_directory("CAS00124") / "Windows"
        stale.mkdir()
        for number in range(extra):
            for path in (self.sample.staging / GUID / f"{number}.cab", stale / f"{number}.dll"):
                os.link(self.sample.sentinels / "first", path)  # which is quickly made
        (stale / "link").symlink_to(self.sample.sentinels)
        if self.is_mounted:
            image = self.sample.package() / "install.wim"
            image.write_bytes(self.image)
            mount(image, 1, self.sample.mount_directory(), writable=True)
            (self.sample.mount_directory() / "changed").write_text("x")

    def clean(self, disk: Disk | None = None) -> FolderResult:
        """Clean up; give the result."""
        plan = plan_cleanup(find_staging([self.sample.staging]))
        world = surroundings(disk=disk or CountingDisk(quick=True))
        (result,) = clean_up(plan, world).folders
        return result

    def finish(self) -> None:
        """Clean up what a stopped clean-up left; all of it must go, and nothing else."""
        if self.sample.staging.exists():
            result = self.clean()
            assert result.errors == []
            assert result.proof is not None
            assert result.proof.allows_a_run
        self.check()
        assert not self.sample.staging.exists()
        assert not [m for m in list_mounts() if m.directory.is_relative_to(self.sample.drive)]
        assert all_records() == ()

    def check(self) -> None:
        """Make sure that nothing outside of the staging folder changed."""
        assert self.sample.untouched()
        assert (self.golden / "demo.wim").read_bytes() == self.image
        for found in find_staging([self.sample.drive]):
            assert found.unknown == ()


@pytest.mark.parametrize("is_mounted", [False, True], ids=["unmounted", "mounted"])
def test_stopped_at_every_operation(tmp_path: Path, *, is_mounted: bool) -> None:
    if is_mounted:
        need_mounting()
    case = Case(tmp_path, is_mounted=is_mounted)
    case.fresh()
    counting = CountingDisk(quick=True)
    assert case.clean(counting).errors == []
    assert counting.operations.count("remove") >= 14
    for at in range(len(counting.operations)):
        case.fresh()
        result = case.clean(StoppingDisk(at, quick=True))
        assert isinstance(result.errors[0], StoppedError)
        assert result.proof is None
        case.check()
        case.finish()


def start(case: Case) -> subprocess.Popen[bytes]:
    """Start a clean-up in a process of its own."""
    return subprocess.Popen(
        (sys.executable, "-m", "wimdock", "cleanup", str(case.sample.drive), "--yes"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
    )


def kill_at_random(case: Case, times: int, extra: int) -> Counter[str]:
    """Kill clean-ups at random moments, each followed by a whole one; count how far they were."""
    chance = random.Random(_SEED)
    case.fresh(extra)
    began = time.monotonic()
    assert start(case).wait(60) == 0
    took = time.monotonic() - began
    phases: Counter[str] = Counter()
    for number in range(times):
        case.fresh(extra)
        process = start(case)
        # Python's own start takes long: half of the moments count from the first thing gone.
        if number % 2:
            while process.poll() is None and _is_there(case.sample.mount_directory()):
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.03))
        else:
            time.sleep(chance.uniform(took * 0.5, took))
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        left = case.sample.staging.exists()
        whole = left and _is_there(case.sample.mount_directory())
        phases["before" if whole else "during" if left else "after"] += 1
        case.check()
        case.finish()
    return phases


def test_killed_a_few_times(tmp_path: Path) -> None:
    assert kill_at_random(Case(tmp_path, is_mounted=False), 6, extra=300).total() == 6


def test_killed_while_an_image_is_mounted(tmp_path: Path) -> None:
    need_mounting()
    assert kill_at_random(Case(tmp_path, is_mounted=True), 4, extra=100).total() == 4


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("is_mounted", [False, True], ids=["unmounted", "mounted"])
def test_killed_often(
    tmp_path: Path, record_property: Callable[[str, object], None], *, is_mounted: bool
) -> None:
    if is_mounted:
        need_mounting()
    phases = kill_at_random(Case(tmp_path, is_mounted=is_mounted), 50, extra=1000)
    record_property("phases", dict(phases))
    assert phases["during"] > 0


def test_killed_while_unmounting(tmp_path: Path) -> None:
    """From the moment it begins to end the mount until it is over, in small steps."""
    need_mounting()
    case = Case(tmp_path, is_mounted=True)
    for step in range(8):
        case.fresh()
        process = start(case)
        record = next(iter((tmp_path / "state" / "mounts").glob("*.json")))
        while process.poll() is None and record.exists() and b"discarding" not in _text(record):
            time.sleep(0.0005)
        time.sleep(step * 0.004)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
        case.check()
        case.finish()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a mount whose process has just ended
        return True


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b"discarding"
