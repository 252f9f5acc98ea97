"""Servicing on a copy: the file at its place is the old one or the new one, whatever happens."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.disk import CountingDisk, StoppedError, StoppingDisk
from tests.lab.image import verify
from tests.lab.lab import Lab
from tests.servicing.surroundings import (
    CLOCK,
    PACKAGE,
    QuickDisk,
    cabinet_of,
    everything_in,
    other_cabinet,
    packages_in,
    put_in,
    sha256,
)
from wimdock.errors import ImageBusy, NotApplicable, StorageError
from wimdock.files import exclusive_lock, open_file
from wimdock.servicing.outcome import Outcome
from wimdock.servicing.service import ServiceOptions, Surroundings, surroundings
from wimdock.wim.rollback import list_generations, rollback
from wimdock.wim.transaction import Transaction

ON_COPY = ServiceOptions(on_copy=True)


def stopping(at: int) -> Surroundings:
    """Give surroundings that stop at an operation."""
    return surroundings(clock=CLOCK, disk=StoppingDisk(at, quick=True))


def test_the_file_before_is_kept_as_backup(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinets = [cabinet_of("plain", tmp_path), other_cabinet(tmp_path)]
    backup = tmp_path / "xpress.wim.backup"
    states = [sha256(image)]
    for number, cabinet in enumerate(cabinets, start=2):
        report = put_in(image, [cabinet], ON_COPY)
        assert (report.image, report.backup) == (image, backup)
        assert sha256(backup) == states[-1]
        states.append(sha256(image))
        verify(image)
        generations, current = list_generations(image)
        assert [g.number for g in generations] == list(range(1, number + 1))
        assert current is generations[-1]
    left = {"plain.cab", "other.cab", image.name, backup.name, "xpress.wim.generations"}
    assert set(everything_in(tmp_path)) == left
    verify(backup)
    rollback(image, 1)
    assert PACKAGE not in packages_in(image)


def test_nothing_to_do_leaves_no_backup(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("superseded", tmp_path)
    before = everything_in(tmp_path)
    report = put_in(image, [cabinet], ON_COPY)
    assert report.commit is None
    assert report.backup is None
    with pytest.raises(NotApplicable):
        put_in(image, [cabinet_of("missing parent", tmp_path)], ON_COPY)
    after = everything_in(tmp_path)
    del after["missing-parent.cab"]
    assert after == before


def test_nothing_is_copied_before_all_is_planned(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy takes its time: what is refused, or installed already, needs none."""
    image = lab.copy("xpress", tmp_path)
    monkeypatch.setattr("wimdock.servicing.replacement.copy_file", pytest.fail)
    assert put_in(image, [cabinet_of("superseded", tmp_path)], ON_COPY).commit is None
    with pytest.raises(NotApplicable):
        put_in(image, [cabinet_of("missing parent", tmp_path)], ON_COPY)


def test_a_file_that_others_change_after_the_plan_is_left_alone(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lab.copy("xpress", tmp_path)

    def change(source: Path, target: Path, _disk: object) -> None:
        content = bytearray(source.read_bytes())
        content[24] ^= 1  # of the GUID
        source.write_bytes(content)
        target.write_bytes(content)

    monkeypatch.setattr("wimdock.servicing.replacement.copy_file", change)
    cabinet = cabinet_of("plain", tmp_path)
    with pytest.raises(ImageBusy, match="was changed by another program"):
        put_in(image, [cabinet], ON_COPY)
    assert set(everything_in(tmp_path)) == {image.name, cabinet.name}


def test_stopped_at_every_operation(lab: Lab, tmp_path: Path) -> None:
    original = lab.image("xpress")
    cabinet = cabinet_of("plain", tmp_path)
    counting = CountingDisk(quick=True)
    folder = tmp_path / "images"
    image = folder / "image.wim"

    def fresh() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copyfile(original, image)

    fresh()
    put_in(image, [cabinet], ON_COPY, surroundings(clock=CLOCK, disk=counting))
    old, new = sha256(original), sha256(image)
    expected = set(everything_in(folder))
    seen = []
    for at in range(len(counting.operations)):
        fresh()
        with pytest.raises(StoppedError):
            put_in(image, [cabinet], ON_COPY, stopping(at))
        assert sha256(image) in {old, new}, at
        seen.append(sha256(image) == new)
        list_generations(image)
        report = put_in(image, [cabinet], ON_COPY)
        installed = report.results[0].outcome
        assert installed is (Outcome.ALREADY_INSTALLED if seen[-1] else Outcome.INSTALLED)
        assert sha256(image) == new
        assert set(everything_in(folder)) == expected
        assert sha256(folder / "image.wim.backup") == old
        assert [g.number for g in list_generations(image)[0]] == [1, 2]
    verify(image)
    assert seen == sorted(seen)
    assert set(seen) == {False, True}, "the stops must fall on both sides of the commit"


@pytest.mark.parametrize("on_copy", [False, True])
def test_what_a_killed_run_left_is_taken_away(lab: Lab, tmp_path: Path, *, on_copy: bool) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    for name in (
        ".xpress.wim.servicing",
        ".xpress.wim.servicing.generations",
        "..xpress.wim.servicing.generations.new",
        ".xpress.wim.generations.new",
    ):
        (tmp_path / name).write_bytes(b"left")
    os.link(image, tmp_path / ".xpress.wim.backup.new")
    put_in(image, [cabinet], ServiceOptions(on_copy=on_copy))
    hidden = {name for name in everything_in(tmp_path) if name.startswith(".")}
    assert hidden == set()
    verify(image)


def test_a_second_name_of_the_image_is_no_backup(lab: Lab, tmp_path: Path) -> None:
    """A copying run was killed after it named the backup and before it put the copy in place."""
    image = lab.copy("xpress", tmp_path)
    os.link(image, tmp_path / "xpress.wim.backup")
    put_in(image, [cabinet_of("plain", tmp_path)])
    assert not (tmp_path / "xpress.wim.backup").exists()


def test_owner_mode_and_attributes_stay(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    if os.geteuid() == 0:
        os.chown(image, 1234, 2345)
    image.chmod(0o640)
    with suppress(OSError):
        os.setxattr(image, "user.note", b"kept")
    before = image.stat()
    attributes = {name: os.getxattr(image, name) for name in os.listxattr(image)}
    put_in(image, [cabinet_of("plain", tmp_path)], ON_COPY)
    after = image.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (
        before.st_uid,
        before.st_gid,
        before.st_mode,
    )
    assert after.st_ino != before.st_ino
    assert after.st_mtime_ns != before.st_mtime_ns
    assert {name: os.getxattr(image, name) for name in os.listxattr(image)} == attributes


def test_nobody_else_can_read_the_copy_meanwhile(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lab.copy("xpress", tmp_path)
    image.chmod(0o600)
    modes = []
    begin = Transaction.begin

    def look(path: Path, **options: object) -> object:
        modes.append(stat.S_IMODE(path.stat().st_mode))
        return begin(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Transaction, "begin", look)
    put_in(image, [cabinet_of("plain", tmp_path)], ON_COPY)
    assert modes == [0o600]


def test_a_file_system_without_hard_links_gets_a_copy_as_backup(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lab.copy("xpress", tmp_path)
    old = sha256(image)

    def refuse(*names: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), *map(str, names))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    report = put_in(image, [cabinet_of("plain", tmp_path)], ON_COPY)
    assert report.backup is not None
    assert sha256(report.backup) == old
    assert stat.S_IMODE(report.backup.stat().st_mode) == stat.S_IMODE(image.stat().st_mode)
    assert PACKAGE in packages_in(image)


def test_the_original_is_locked_while_the_copy_is_made(lab: Lab, tmp_path: Path) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    with Transaction.begin(image):
        before = everything_in(tmp_path)
        with pytest.raises(ImageBusy):
            put_in(image, [cabinet], ON_COPY)
        assert everything_in(tmp_path) == before
    fd = open_file(image, os.O_RDONLY)
    try:
        with exclusive_lock(fd, image), pytest.raises(ImageBusy):
            put_in(image, [cabinet])
    finally:
        os.close(fd)


def test_a_writer_that_opened_the_file_before_it_was_replaced_is_told(
    lab: Lab, tmp_path: Path
) -> None:
    """Else it would write into the backup, and its work would be lost."""
    image = lab.copy("xpress", tmp_path)
    fd = open_file(image, os.O_RDWR)
    try:
        put_in(image, [cabinet_of("plain", tmp_path)], ON_COPY)
        with pytest.raises(ImageBusy, match="was replaced"), exclusive_lock(fd, image):
            pass
    finally:
        os.close(fd)


def test_a_disk_that_is_full_while_copying(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lab.copy("xpress", tmp_path)
    cabinet = cabinet_of("plain", tmp_path)
    before = everything_in(tmp_path)

    def full(_fd: int, _data: object, _offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    monkeypatch.setattr("wimdock.files._reflink", lambda *_: False)
    with pytest.raises(StorageError) as caught:
        put_in(image, [cabinet], ON_COPY, surroundings(clock=CLOCK, disk=QuickDisk()))
    assert caught.value.hresult == 0x80070070
    assert everything_in(tmp_path) == before
