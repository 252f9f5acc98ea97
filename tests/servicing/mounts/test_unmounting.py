"""Unmounting: what a commit keeps and records, and who and what keeps an image mounted."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab.image import verify as witnesses_verify
from tests.lab.tool import run
from tests.servicing.mounts_at_hand import kill_daemon, mounts_below, wait_for
from tests.servicing.small_disk import small_disk
from tests.servicing.surroundings import put_in, quick
from wimdock.errors import CommitFailed, GenerationError, MountInUse, NotMounted
from wimdock.events import Reporter
from wimdock.image.reparse_points import ReparsePoint, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse.hosts import SERVER_2012_R2, SERVER_2019
from wimdock.servicing.mounts import (
    MountState,
    is_mount_point,
    mount,
    unmount,
)
from wimdock.servicing.mounts.commit import Settled
from wimdock.servicing.mounts.record import Phase, all_records, read_record
from wimdock.servicing.service import ServiceOptions
from wimdock.wim import Archive
from wimdock.wim.generations import read_generations, sidecar_path
from wimdock.wim.rollback import list_generations, rollback
from wimdock.wim.verification import verify

UNSIGNED = ServiceOptions(allow_unsigned=True)
_OPEN = "f = open(sys.argv[1] + '/new.txt')"
_MAP = f"import mmap; {_OPEN}; m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ); f.close()"
_HOLD = "import os, sys, time; {}; print(flush=True); time.sleep(600)"


def points_of(image: Path) -> dict[ImagePath, ReparsePoint]:
    with Archive.open(image) as archive:
        return {point.path: point for point in reparse_points(archive.image(1))}


def security_of(image: Path) -> dict[ImagePath, bytes | None]:
    with Archive.open(image) as archive:
        opened = archive.image(1)
        return {path: opened.security(entry) for path, entry in opened.walk()}


def problems_of(image: Path) -> list[str]:
    with Archive.open(image) as archive:
        return [f.text for f in verify(archive, Reporter()).findings if f.severity == "error"]


def head_hash(image: Path, length: int) -> str:
    return hashlib.sha256(image.read_bytes()[:length]).hexdigest()


@contextmanager
def holder(code: str, *words: Path, folder: Path | None = None) -> Iterator[int]:
    """Run a process that holds something until the block ends; give its number."""
    with subprocess.Popen(
        (sys.executable, "-c", _HOLD.format(code), *words), cwd=folder, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def test_a_commit_is_a_generation_that_can_be_gone_back_from(
    image: Path, place: Path, tmp_path: Path
) -> None:
    before, current = list_generations(image)
    assert current is not None
    length = image.stat().st_size
    original = head_hash(image, length)
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new\n" * 5000)
    done = unmount(place, commit=True, world=quick())
    assert done.committed
    assert done.generation is not None
    assert mounts_below(tmp_path) == ()
    assert sorted(p.name for p in image.parent.glob("demo.wim*")) == [
        "demo.wim",
        "demo.wim.generations",
    ]
    after, now = list_generations(image)
    assert now == done.generation
    assert now.note == "mount: image 1 committed by wimlib"
    assert [g.number for g in after] == [*(g.number for g in before), current.number + 1]
    assert now.length == image.stat().st_size
    assert now.added == now.length - length
    assert problems_of(image) == []
    witnesses_verify(image)
    with Archive.open(image) as archive:
        opened = archive.image(1)
        entry = opened.lookup(ImagePath(r"\new.txt"))
        assert entry is not None
        assert opened.read(entry) == b"new\n" * 5000
    rollback(image)
    assert head_hash(image, length) == original
    assert problems_of(image) == []
    rollback(image, now.number)
    assert problems_of(image) == []


@pytest.mark.parametrize("recipe", ["special", "lzx", "check", "multi"])
def test_a_commit_keeps_every_reparse_point_and_descriptor(
    recipe: str, lab_image: Callable[[str], Path], place: Path
) -> None:
    image = lab_image(recipe)
    points, security = points_of(image), security_of(image)
    length = image.stat().st_size
    original = head_hash(image, length)
    mount(image, 1, place, writable=True, world=quick())
    (place / "Windows" / "by hand.txt").write_text("by hand")
    done = unmount(place, commit=True, world=quick())
    assert done.generation is not None
    assert points_of(image) == points
    after = security_of(image)
    assert after.pop(ImagePath(r"\Windows\by hand.txt")) is None
    assert after == security
    assert problems_of(image) == []
    witnesses_verify(image)
    rollback(image)
    assert head_hash(image, length) == original
    assert points_of(image) == points


def test_what_is_done_to_reparse_points_in_a_mount(
    lab_image: Callable[[str], Path], place: Path
) -> None:
    image = lab_image("special")
    before = points_of(image)
    mount(image, 1, place, writable=True, world=quick())
    marks = place / "ProgramData" / "Lab" / "marks"
    (marks / "wci.txt").rename(marks / "renamed.txt")
    (marks / "dedup.bin").unlink()
    (place / "relative link").symlink_to("Windows")
    (place / "link into the mount").symlink_to(place / "Windows")
    unmount(place, commit=True, world=quick())
    after = points_of(image)
    lab = ImagePath(r"\ProgramData\Lab\marks")
    gone = {lab / "wci.txt", lab / "dedup.bin"}
    assert {p: v for p, v in before.items() if p not in gone}.items() <= after.items()
    renamed = after[lab / "renamed.txt"]
    assert renamed._replace(path=lab / "wci.txt") == before[lab / "wci.txt"]
    made = {path: str(point.value) for path, point in after.items() if path not in before}
    assert "'Windows'" in made[ImagePath(r"\relative link")]
    assert str(place) not in made[ImagePath(r"\link into the mount")]
    assert problems_of(image) == []


def test_a_file_without_a_record_gets_one(image: Path, place: Path) -> None:
    sidecar_path(image).unlink()
    mount(image, 1, place, writable=True, world=quick())
    unmount(place, commit=True, world=quick())
    found, current = list_generations(image)
    assert [g.note for g in found] == ["as found", "mount: image 1 committed by wimlib"]
    assert current == found[-1]


def test_a_commit_after_going_back_forgets_what_was_undone(image: Path, place: Path) -> None:
    put_in(image, [image.with_name("demo-update.cab")], UNSIGNED)
    undone = read_generations(image)[-1].number
    rollback(image)
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_bytes(os.urandom(100_000))
    done = unmount(place, commit=True, world=quick())
    found, current = list_generations(image)
    assert current == done.generation
    assert [g.number for g in found] == list(range(1, undone + 1))
    assert found[-1].note.startswith("mount: ")
    rollback(image)
    assert problems_of(image) == []


def test_a_commit_can_be_serviced_and_mounted_again(image: Path, place: Path) -> None:
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    unmount(place, commit=True, world=quick())
    put_in(image, [image.with_name("demo-update.cab")], UNSIGNED)
    mount(image, 1, place, writable=True, world=quick())
    assert (place / "new.txt").read_text() == "new"
    (place / "new.txt").unlink()
    unmount(place, commit=True, world=quick())
    notes = [g.note.partition(":")[0] for g in read_generations(image)]
    assert notes[-3:] == ["mount", "service", "mount"]
    for _ in range(3):
        rollback(image)
        assert problems_of(image) == []


@pytest.mark.parametrize("commit", [True, False])
@pytest.mark.parametrize("code, where", [(_OPEN, None), ("", "Windows"), (_MAP, None)])
def test_an_image_in_use_stays_mounted(
    code: str, where: str | None, image: Path, place: Path, tmp_path: Path, *, commit: bool
) -> None:
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    before = image.read_bytes()
    with holder(code or "pass", place, folder=place / where if where else None) as pid:
        with pytest.raises(MountInUse) as caught:
            unmount(place, commit=commit, world=quick())
        assert caught.value.hresult == 0xC1420117
        assert f"process {pid} (" in caught.value.message
        assert str(place) in caught.value.message
        assert [each.state for each in mounts_below(tmp_path)] == [MountState.OK]
        assert (place / "new.txt").read_text() == "new"
        assert image.read_bytes() == before
    wait_for(lambda: not Path(f"/proc/{pid}/cwd").exists())
    assert unmount(place, commit=commit, world=quick()).committed is commit


def test_what_is_mounted_inside(image: Path, place: Path) -> None:
    mount(image, 1, place, writable=True, world=quick())
    with small_disk(place / "inner", "1m"), pytest.raises(MountInUse, match="something else"):
        unmount(place, commit=False, world=quick())
    unmount(place, commit=False, world=quick())


def test_a_read_only_mount_cannot_be_committed(image: Path, place: Path) -> None:
    mount(image, 1, place, world=quick())
    with pytest.raises(CommitFailed) as caught:
        unmount(place, commit=True, world=quick())
    assert caught.value.hresult == 0xC142010C
    assert is_mount_point(place)


def test_where_nothing_is_mounted(image: Path, place: Path, tmp_path: Path) -> None:
    for folder in (place, tmp_path / "absent"):
        with pytest.raises(NotMounted) as caught:
            unmount(folder, commit=False, world=quick())
        assert caught.value.hresult == 0xC142010B
    with small_disk(tmp_path / "disk", "1m") as folder, pytest.raises(NotMounted, match="no WIM"):
        unmount(folder, commit=False, world=quick())
    mount(image, 1, place, world=quick())
    with pytest.raises(NotMounted, match="lies in a mounted image") as caught:
        unmount(place / "Windows", commit=False, world=quick())
    assert str(place) in caught.value.hint


def test_a_host_that_cannot_commit(
    lab_image: Callable[[str], Path], place: Path, tmp_path: Path
) -> None:
    image = lab_image("lzx")
    before = image.read_bytes()
    record = mount(image, 1, place, writable=True, host=SERVER_2012_R2, world=quick())
    assert read_record(place) == record
    (place / "new.txt").write_text("new")
    for _ in range(2):
        with pytest.raises(CommitFailed) as caught:
            unmount(place, commit=True, world=quick())
        assert caught.value.hresult == 0x800700A1
        assert re.fullmatch(
            rf"Server 2012 R2 cannot commit {re.escape(str(place))}: "
            r"it does not know \d+ reparse points",
            caught.value.message,
        )
        assert "--discard" in caught.value.hint
        assert (place / "new.txt").exists()
    (found,) = mounts_below(tmp_path)
    assert (found.state, found.record) == (MountState.OK, record)
    unmount(place, commit=False, world=quick())
    assert image.read_bytes() == before
    assert not sidecar_path(image).exists()


def test_a_host_that_can_commit(lab_image: Callable[[str], Path], place: Path) -> None:
    image = lab_image("lzx")
    mount(image, 1, place, writable=True, host=SERVER_2019, world=quick())
    assert unmount(place, commit=True, world=quick()).committed


@pytest.mark.parametrize("how", ["replaced", "written over", "gone"])
def test_a_file_that_is_not_the_one_that_was_mounted(
    how: str, image: Path, place: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copyfile(image, tmp_path / "other.wim"))
    run("wimlib-imagex", "info", other, "1", "--image-property=NAME=Other")
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    match how:
        case "replaced":
            shutil.copyfile(image, tmp_path / "same.wim").replace(image)
        case "written over":
            image.write_bytes(other.read_bytes())
        case _:
            image.unlink()
    there = image.read_bytes() if image.exists() else b""
    with pytest.raises(CommitFailed) as caught:
        unmount(place, commit=True, world=quick())
    assert caught.value.hresult == 0xC1420122
    assert (place / "new.txt").exists()
    unmount(place, commit=False, world=quick())
    assert (image.read_bytes() if image.exists() else b"") == there


def test_a_file_that_wimlib_writes_anew(
    image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = tmp_path / "bin" / "wimlib-imagex"
    wrapper.parent.mkdir()
    rebuild = '[ "$1" != unmount ] || set -- "$@" --rebuild'
    wrapper.write_text(f'#!/bin/sh\n{rebuild}\nexec {shutil.which("wimlib-imagex")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    number = read_generations(image)[-1].number
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    done = unmount(place, commit=True, world=quick())
    found, current = list_generations(image)
    assert found == [done.generation]
    assert current == found[0]
    assert (current.number, current.added) == (number + 1, 0)
    assert "the whole file anew" in current.note
    with pytest.raises(GenerationError, match="oldest"):
        rollback(image)
    assert problems_of(image) == []


@pytest.mark.parametrize("again", [True, False])
def test_a_disk_that_is_full(image: Path, place: Path, tmp_path: Path, *, again: bool) -> None:
    with small_disk(tmp_path / "disk", "8m") as folder:
        here = Path(shutil.copyfile(image, folder / "demo.wim"))
        before = here.read_bytes()
        mount(here, 1, place, writable=True, world=quick())
        (place / "new.bin").write_bytes(os.urandom(3 << 20))
        (folder / "filler").write_bytes(bytes(_room(folder) - (1 << 20)))
        with pytest.raises(CommitFailed, match="stays mounted") as caught:
            unmount(place, commit=True, world=quick())
        assert caught.value.hresult == 0x80070070
        assert is_mount_point(place)
        (found,) = mounts_below(tmp_path)
        assert found.record is not None
        assert (found.state, found.record.phase) == (MountState.OK, Phase.MOUNTED)
        assert here.read_bytes() == before
        assert problems_of(here) == []
        (folder / "filler").unlink()
        unmount(place, commit=again, world=quick())
        assert (here.read_bytes() == before) is not again
        assert problems_of(here) == []
        if again:
            witnesses_verify(here)
            rollback(here)
            assert head_hash(here, len(before)) == hashlib.sha256(before).hexdigest()
        assert {path.name for path in folder.iterdir()} == {"demo.wim", "demo.wim.generations"}


def _room(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def test_a_disk_that_is_full_keeps_no_mount(
    image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discarding may be what frees the disk, and the records lie there too."""
    with small_disk(tmp_path / "disk", "64k") as folder:
        monkeypatch.setenv("WIMDOCK_STATE", str(folder / "state"))
        mount(image, 1, place, writable=True, world=quick())
        with pytest.raises(OSError, match="No space"):
            (folder / "fill").write_bytes(bytes(1 << 20))
        unmount(place, commit=False, world=quick())
        assert all_records() == ()
        assert not is_mount_point(place)


def test_a_dead_process_and_what_is_left_of_it(image: Path, place: Path, tmp_path: Path) -> None:
    before = image.read_bytes()
    record = mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    kill_daemon(place)
    (found,) = mounts_below(tmp_path)
    assert (found.state, found.owner) == (MountState.NEEDS_REMOUNT, "wimdock")
    assert "process" in found.note
    assert is_mount_point(place)
    with pytest.raises(CommitFailed) as caught:
        unmount(place, commit=True, world=quick())
    assert caught.value.hresult == 0xC1510114
    assert record.staging is not None
    assert record.staging.is_dir()
    unmount(place, commit=False, world=quick())
    assert not is_mount_point(place)
    assert not record.staging.exists()
    assert mounts_below(tmp_path) == ()
    assert image.read_bytes() == before
    mount(image, 1, place, writable=True, world=quick())


def test_somebody_stands_in_a_dead_mount(image: Path, place: Path) -> None:
    mount(image, 1, place, writable=True, world=quick())
    with holder("pass", folder=place / "Windows") as pid:
        kill_daemon(place)
        with pytest.raises(MountInUse):
            unmount(place, commit=False, world=quick())
        assert is_mount_point(place)
    wait_for(lambda: not Path(f"/proc/{pid}/cwd").exists())
    unmount(place, commit=False, world=quick())


def test_a_commit_that_wrote_nothing_is_not_the_articles_failure(
    image: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor reads 0x800700A1 as the host's doing, and here no host had a part in it."""

    def settled(*_given: object, **_named: object) -> Settled:
        return Settled(generation=None)

    monkeypatch.setattr("wimdock.servicing.mounts.unmounting.settle", settled)
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")
    with pytest.raises(CommitFailed, match="nothing changed") as caught:
        unmount(place, commit=True, world=quick())
    assert caught.value.hresult == 0x8007001F
