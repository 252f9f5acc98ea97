"""Disks without room, below the image and below the workspace: an error, and all as it was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.disk import CountingDisk, FullDisk
from tests.lab.cases import large_package
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.lab.package import write_package
from tests.servicing.small_disk import small_disk
from tests.servicing.surroundings import (
    CLOCK,
    PACKAGE,
    cabinet_of,
    everything_in,
    packages_in,
    put_in,
    quick,
    sha256,
)
from wimdock.errors import StorageError
from wimdock.servicing.service import ServiceOptions, surroundings

DISK_FULL = 0x80070070


class Usage(NamedTuple):
    """What shutil.disk_usage gives."""

    total: int
    used: int
    free: int


@pytest.fixture(scope="module")
def large_cabinet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an update of 6 MiB, half of which does not compress."""
    return write_package(tmp_path_factory.mktemp("large") / "large.cab", large_package(60, 6))


@pytest.mark.parametrize("on_copy", [False, True])
def test_a_disk_that_is_too_small_is_known_before(
    lab: Lab, tmp_path: Path, large_cabinet: Path, *, on_copy: bool
) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        image = lab.copy("xpress", disk)
        before = everything_in(disk)
        with pytest.raises(StorageError, match="MiB free, but the run may need") as caught:
            put_in(image, [large_cabinet], ServiceOptions(on_copy=on_copy))
        assert caught.value.hresult == DISK_FULL
        assert everything_in(disk) == before


@pytest.mark.parametrize("on_copy", [False, True])
def test_a_disk_that_fills_up_meanwhile(
    lab: Lab,
    tmp_path: Path,
    large_cabinet: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    on_copy: bool,
) -> None:
    """There was room when the run looked; then the first, the second, every write fails."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 1 << 40))
    with small_disk(tmp_path / "disk", "3m") as disk:
        image = lab.copy("xpress", disk)
        before = {name: facts[0] for name, facts in everything_in(disk).items()}
        with pytest.raises(StorageError) as caught:
            put_in(image, [large_cabinet], ServiceOptions(on_copy=on_copy))
        assert caught.value.hresult == DISK_FULL
        assert {name: facts[0] for name, facts in everything_in(disk).items()} == before
        verify(image)
        # Then room is made, in this case by a smaller update.
        put_in(image, [cabinet_of("plain", tmp_path)], ServiceOptions(on_copy=on_copy))
        verify(image)


def test_full_at_every_operation(lab: Lab, tmp_path: Path) -> None:
    cabinet = cabinet_of("plain", tmp_path)
    counting = CountingDisk(quick=True)
    world = surroundings(clock=CLOCK, disk=counting)
    put_in(lab.copy("lzx", tmp_path), [cabinet], world=world)
    commit = max(n for n, what in enumerate(counting.operations) if what == "write")
    for at in range(len(counting.operations)):
        image = lab.copy("xpress", tmp_path)
        (tmp_path / "xpress.wim.generations").unlink(missing_ok=True)
        old = sha256(image)
        with pytest.raises(StorageError) as caught:
            put_in(image, [cabinet], world=surroundings(clock=CLOCK, disk=FullDisk(at, quick=True)))
        assert caught.value.hresult == DISK_FULL
        assert (sha256(image) == old) == (at <= commit)
        put_in(image, [cabinet])
        assert PACKAGE in packages_in(image)
    verify(image)


def test_a_workspace_without_room(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    before = everything_in(tmp_path)
    with small_disk(tmp_path / "disk", "3m") as disk:
        with pytest.raises(StorageError) as caught:
            put_in(image, [cabinet], world=quick(disk))
        assert caught.value.hresult == DISK_FULL
        assert str(disk) in caught.value.message
        assert list(disk.iterdir()) == []
        (disk / "filler").write_bytes(bytes((3 << 20) - 4096))
        with pytest.raises(StorageError) as caught:
            put_in(image, [cabinet], world=quick(disk))
        assert caught.value.hresult == DISK_FULL
    (tmp_path / "disk").rmdir()
    assert everything_in(tmp_path) == before


def test_a_workspace_that_is_not_there(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    with pytest.raises(StorageError) as caught:
        put_in(image, [cabinet_of("plain", tmp_path)], world=quick(tmp_path / "none"))
    assert caught.value.hresult == 0x80070002


def test_a_disk_that_cannot_be_asked(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)

    def fail(_: Path) -> Usage:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    with pytest.raises(StorageError, match="Permission denied"):
        put_in(image, [cabinet])


@pytest.mark.parametrize("on_copy", [False, True])
def test_a_folder_that_cannot_be_written_is_known_before(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, on_copy: bool
) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    before = everything_in(tmp_path)
    monkeypatch.setattr("wimdock.servicing.space.os.access", lambda *_: False)
    monkeypatch.setattr("wimdock.servicing.run.open_update", pytest.fail)
    with pytest.raises(StorageError, match="cannot be written") as caught:
        put_in(image, [cabinet], ServiceOptions(on_copy=on_copy))
    assert caught.value.hresult == 0x80070005
    assert everything_in(tmp_path) == before
