"""A dry run shows the plan and writes nothing at all; it needs no right to write."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.servicing.nobody import reachable_folder, run_as_nobody
from tests.servicing.small_disk import mount
from tests.servicing.surroundings import cabinet_of, everything_in, other_cabinet, put_in, quick
from wimdock.errors import StorageError
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions
from wimdock.wim.generations import sidecar_path
from wimdock.wim.transaction import Transaction

DRY = ServiceOptions(dry_run=True)


@pytest.mark.parametrize("on_copy", [False, True])
def test_nothing_is_written(lab: Lab, tmp_path: Path, *, on_copy: bool) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    image = lab.copy("multi-check", folder)
    cabinets = [cabinet_of("plain", tmp_path), other_cabinet(tmp_path)]
    before = everything_in(folder), folder.stat().st_mtime_ns
    report = put_in(image, cabinets, ServiceOptions(dry_run=True, on_copy=on_copy))
    assert (everything_in(folder), folder.stat().st_mtime_ns) == before
    assert [result.outcome for result in report.results] == [Outcome.PLANNED] * 4
    assert report.commit is None
    assert report.backup is None


def test_the_plan_is_what_a_run_then_does(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinets = [cabinet_of("plain", tmp_path), other_cabinet(tmp_path)]
    world = quick()
    planned = put_in(image, cabinets, DRY, world)
    done = put_in(image, cabinets, ServiceOptions(), world)
    for plan, result in zip(planned.results, done.results, strict=True):
        assert plan.plan is not None
        assert result.plan is not None
        assert plan.plan.counts == result.plan.counts
        assert plan.plan.packages == result.plan.packages
        assert plan.plan.change_set.registry == result.plan.change_set.registry
        names = [edit.path for edit in plan.plan.change_set.files]
        assert names == [edit.path for edit in result.plan.change_set.files]


def test_it_needs_no_right_to_write(lab: Lab) -> None:
    """Nobody may plan for an image that only its owner may write, in a folder of the same kind."""
    with reachable_folder() as place:
        folder, workspace = place / "images", place / "workspace"
        folder.mkdir()
        workspace.mkdir()
        workspace.chmod(0o777)
        image = lab.copy("xpress", folder)
        words = ("service", image, "--update", cabinet_of("plain", folder))
        image.chmod(0o444)
        folder.chmod(0o555)
        before = everything_in(place)
        ended = run_as_nobody(*words, "--dry-run", temporary=workspace)
        assert ended.returncode == 0, ended.stderr
        assert "would be installed" in ended.stdout
        assert everything_in(folder) == {
            name.removeprefix("images/"): facts
            for name, facts in before.items()
            if name.startswith("images/")
        }
        for word in ("", "--copy"):
            fresh = lab.copy("lzx", workspace)  # the first run, by root, may write
            ended = run_as_nobody(
                "service", fresh, *words[2:], *([word] if word else []), temporary=workspace
            )
            assert ended.returncode == (0 if word else 4), ended.stderr
            assert ("Permission denied (0x80070005)" in ended.stderr) == (not word)


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a small file system that becomes read-only by `remount`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount(folder, "size=8m")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_it_works_on_a_file_system_that_is_read_only(
    lab: Lab, read_only_disk: Path, tmp_path: Path
) -> None:
    image = lab.copy("lzx", read_only_disk)
    cabinet = cabinet_of("plain", tmp_path)
    mount(read_only_disk, "remount,ro")
    report = put_in(image, [cabinet], DRY)
    assert report.results[0].outcome is Outcome.PLANNED
    for on_copy in (False, True):
        with pytest.raises(StorageError) as caught:
            put_in(image, [cabinet], ServiceOptions(on_copy=on_copy))
        assert caught.value.hresult == 0x80070013
        assert caught.value.hint


def test_it_goes_on_while_another_program_writes(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    with Transaction.begin(image) as transaction:
        list(transaction.add([os.urandom(100_000)]))
        report = put_in(image, [cabinet], DRY)
    assert report.results[0].outcome is Outcome.PLANNED
    assert not sidecar_path(image).exists()
