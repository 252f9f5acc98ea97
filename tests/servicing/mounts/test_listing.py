"""What is listed of mounts: every state that a record and the kernel can be in together."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.lab.tool import run
from tests.servicing.mounts_at_hand import daemon_of, end_all, kill_daemon, mounts_below, wait_for
from tests.servicing.nobody import NOBODY, reachable_folder, run_as_nobody
from tests.servicing.surroundings import CLOCK, everything_in, put_in, quick
from wimdock.errors import CommitFailed, ImageBusy, MountError, MountInUse, NotMounted, StorageError
from wimdock.reparse.hosts import SERVER_2016
from wimdock.servicing.mounts import (
    MountRecord,
    MountState,
    cleanup_mountpoints,
    is_mount_point,
    mount,
    remount,
    unmount,
)
from wimdock.servicing.mounts import mountinfo as mountinfo_module
from wimdock.servicing.mounts.commit import begin_commit
from wimdock.servicing.mounts.holders import keeper_of
from wimdock.servicing.mounts.mountinfo import mount_points
from wimdock.servicing.mounts.record import (
    Phase,
    all_records,
    read_record,
    record_path,
    working_on,
    write_record,
)
from wimdock.servicing.mounts.staging import abandoned_staging, staging_path
from wimdock.servicing.service import ServiceOptions


def recorded(image: Path, place: Path, phase: Phase = Phase.MOUNTED) -> MountRecord:
    """Write the record of a mount that is not there, as after a restart of the machine."""
    staging, writable = staging_path(image, place), True
    record = MountRecord(
        place,
        image,
        1,
        writable,
        CLOCK.now(),
        SERVER_2016,
        r"D:\m",
        phase,
        staging,
    )
    record_path(place).parent.mkdir(parents=True, exist_ok=True)
    write_record(record, quick().disk)
    return record


def test_a_record_survives_writing_and_reading(image: Path, place: Path) -> None:
    record = recorded(image, place)
    assert read_record(place) == record
    assert all_records() == (record,)
    assert read_record(place.parent) is None


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"wimdock": 1}', b"[" * 9999])
def test_a_file_that_is_no_record(text: bytes, image: Path, place: Path) -> None:
    recorded(image, place)
    record_path(place).write_bytes(text)
    assert read_record(place) is None
    assert all_records() == ()


@pytest.mark.parametrize("member, value", [
    ("since", "yesterday"),
    ("since", "0001-01-01T00:00:00+14:00"),
    ("since", None),
    ("index", 1e999),
    ("index", "1"),
    ("index", True),
    ("generation", float("nan")),
    ("directory", "relative"),
    ("directory", "/\ud800"),
    ("directory", "/another/folder"),
    ("image", "/a\0b"),
    ("image", ""),
    ("staging", "/a\0.wimdock-staging"),
    ("phase", None),
    ("host", "no build"),
])  # fmt: skip
def test_a_record_that_makes_no_sense(
    member: str, value: object, image: Path, place: Path, tmp_path: Path
) -> None:
    """It is passed over, and the others are listed and cleared away as always."""
    path = record_path(place)
    recorded(image, place)
    path.write_text(json.dumps(json.loads(path.read_text()) | {member: value}))
    other = recorded(image, tmp_path / "other")
    assert read_record(place) is None
    assert [each.record for each in mounts_below(tmp_path)] == [other]
    assert [each.record for each in cleanup_mountpoints(quick())] == [other]


def test_a_time_without_a_zone_and_a_folder_among_the_records(image: Path, place: Path) -> None:
    path = record_path(place)
    recorded(image, place)
    path.write_text(path.read_text().replace("+00:00", ""))
    recorded(image, place.parent)
    path.with_name("folder.json").mkdir()
    assert len(all_records()) == 2
    assert all(record.since.tzinfo is not None for record in all_records())


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENODATA, errno.EMFILE, errno.EIO])
def test_a_mount_that_answers_strangely_is_never_taken_for_dead(
    number: int, image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ending it would lose its changes; only what FUSE says of a dead process is believed."""
    mount(image, 1, place, writable=True, world=quick())
    (place / "new.txt").write_text("new")

    def strange(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("wimdock.servicing.mounts.probe.os.getxattr", strange)
        (found,) = mounts_below(tmp_path)
        assert found.is_live
        assert cleanup_mountpoints(quick()) == ()
        with pytest.raises(ImageBusy, match="does not answer"):
            unmount(place, commit=False, world=quick())
    assert (place / "new.txt").read_text() == "new"
    assert unmount(place, commit=True, world=quick()).committed


@pytest.mark.parametrize("phase, state", [
    (Phase.MOUNTING, MountState.NEEDS_REMOUNT),
    (Phase.MOUNTED, MountState.NEEDS_REMOUNT),
    (Phase.DISCARDING, MountState.NEEDS_REMOUNT),
    (Phase.COMMITTING, MountState.INVALID),
])  # fmt: skip
def test_after_a_restart(
    phase: Phase, state: MountState, image: Path, place: Path, tmp_path: Path
) -> None:
    record = recorded(image, place, phase)
    assert record.staging is not None
    inner = record.staging / "demo.wim.staging0123456789"
    inner.mkdir(parents=True)
    (inner / "a changed file").write_text("x")
    (found,) = mounts_below(tmp_path)
    assert (found.record, found.state, found.is_live) == (record, state, False)
    assert found.note
    (cleared,) = cleanup_mountpoints(quick())
    assert cleared.record == record
    assert cleared.done[-2:] == (f"{record.staging.name} removed", "record removed")
    assert not record.staging.exists()
    assert mounts_below(tmp_path) == ()
    assert cleanup_mountpoints(quick()) == ()


@pytest.mark.parametrize("what", ["replaced", "serviced", "as it was"])
def test_a_commit_cut_short_and_what_became_of_the_file(
    what: str, image: Path, place: Path
) -> None:
    number = begin_commit(image, quick())
    record = replace(recorded(image, place, Phase.COMMITTING), generation=number, inode=1)
    write_record(record, quick().disk)
    update = image.with_name("demo-update.cab")
    if what == "serviced":
        put_in(image, [update], ServiceOptions(allow_unsigned=True))
    elif what == "replaced":
        run("wimlib-imagex", "info", image, "1", "--image-property=NAME=Other")
    before = everything_in(image.parent)
    with pytest.raises(CommitFailed) as caught:
        unmount(place, commit=True, world=quick())
    assert caught.value.hresult == 0xC142011D
    told = "are lost" if what == "as it was" else "nobody can tell"
    assert told in caught.value.message
    after = everything_in(image.parent)
    for name in ("demo.wim", "demo.wim.generations"):
        assert after[name] == before[name]


def test_an_image_that_is_gone(image: Path, place: Path, tmp_path: Path) -> None:
    recorded(image, place)
    image.unlink()
    (found,) = mounts_below(tmp_path)
    assert found.state is MountState.INVALID
    assert str(image) in found.note
    with pytest.raises(StorageError):
        remount(place, world=quick())
    assert len(mounts_below(tmp_path)) == 1
    cleanup_mountpoints(quick())
    assert mounts_below(tmp_path) == ()


def test_another_image_in_the_folder(image: Path, place: Path, tmp_path: Path) -> None:
    other = Path(shutil.copyfile(image, tmp_path / "other.wim"))
    record = recorded(image, place)
    subprocess.run(["wimlib-imagex", "mount", other, "1", place], check=True)
    ours, foreign = mounts_below(tmp_path)
    assert (ours.record, ours.state, ours.owner) == (record, MountState.INVALID, "wimdock")
    assert (foreign.record, foreign.state, foreign.owner) == (None, MountState.OK, "wimlib")
    assert foreign.image == other
    cleanup_mountpoints(quick())
    (left,) = mounts_below(tmp_path)
    assert left == foreign


def test_clean_up_leaves_live_and_foreign_mounts(image: Path, place: Path, tmp_path: Path) -> None:
    places = [place, tmp_path / "dead", tmp_path / "foreign", tmp_path / "foreign and dead"]
    for folder in places[1:]:
        folder.mkdir()
    mount(image, 1, places[0], world=quick())
    mount(image, 1, places[1], world=quick())
    for folder in places[2:]:
        subprocess.run(["wimlib-imagex", "mount", image, "1", folder], check=True)
    kill_daemon(places[1])
    kill_daemon(places[3])
    states = {each.directory: (each.owner, each.state) for each in mounts_below(tmp_path)}
    assert states == {
        places[0]: ("wimdock", MountState.OK),
        places[1]: ("wimdock", MountState.NEEDS_REMOUNT),
        places[2]: ("wimlib", MountState.OK),
        places[3]: ("wimlib", MountState.NEEDS_REMOUNT),
    }
    (cleared,) = cleanup_mountpoints(quick())
    assert cleared.done == ("dead mount detached", "record removed")
    assert [is_mount_point(folder) for folder in places] == [True, False, True, True]
    unmount(places[3], commit=False, world=quick())
    assert not is_mount_point(places[3])


def test_staging_that_is_not_ours_is_named_and_stays(
    image: Path, place: Path, tmp_path: Path
) -> None:
    subprocess.run(["wimlib-imagex", "mountrw", image, "1", place], check=True)
    (place / "new.txt").write_text("new")
    assert abandoned_staging(image) == ()
    kill_daemon(place)
    (left,) = abandoned_staging(image)
    unmount(place, commit=False, world=quick())
    assert cleanup_mountpoints(quick()) == ()
    assert left.is_dir()
    assert abandoned_staging(image) == (left,)
    assert tmp_path in left.parents


@pytest.mark.parametrize("what", ["file", "folder", "link", "link inside"])
def test_what_no_mount_leaves_is_not_removed(what: str, image: Path, place: Path) -> None:
    record = recorded(image, place)
    assert record.staging is not None
    treasure = image.parent / "treasure"
    treasure.mkdir()
    (treasure / "gold").touch()
    inner = record.staging / "demo.wim.staging0123456789"
    inner.mkdir(parents=True)
    match what:
        case "file":
            (record.staging / "notes.txt").touch()
        case "folder":
            (inner / "folder").mkdir()
        case "link":
            inner.rmdir()
            record.staging.rmdir()
            record.staging.symlink_to(treasure)
        case _:
            (inner / "link").symlink_to(treasure)
    with pytest.raises(StorageError) as caught:
        cleanup_mountpoints(quick())
    assert "move it away" in caught.value.hint
    assert (treasure / "gold").exists()
    assert read_record(place) == record


def test_who_only_lists_keeps_nobody_from_working(image: Path, place: Path) -> None:
    """A list of mounts holds the lock for a moment, to see whether somebody else does."""
    recorded(image, place)
    with working_on(place):
        pass
    path = record_path(place).with_suffix(".lock")
    with path.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        freed = threading.Timer(0.05, fcntl.flock, (lock, fcntl.LOCK_UN))
        freed.start()
        with working_on(place):
            pass
        freed.join()
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ImageBusy, match="another wimdock"), working_on(place):
            pass


def test_a_mount_that_only_another_view_shows(
    image: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service with mounts of its own: its record is not for others to clear away."""
    monkeypatch.setattr("wimdock.servicing.mounts.clearing._PATIENCE", 0.2)
    words = ("unshare", "--mount", "--propagation", "private", sys.executable, "-m", "wimdock")
    subprocess.run((*words, "mount", image, place), check=True, capture_output=True)
    assert not is_mount_point(place)
    keeper = daemon_of(place)
    with pytest.raises(MountInUse, match=f"process {keeper} .* namespace of its own"):
        cleanup_mountpoints(quick())
    assert [record.directory for record in all_records()] == [place]
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: keeper_of(place) is None)
    assert len(cleanup_mountpoints(quick())) == 1


def test_one_that_cannot_be_cleared_away_keeps_no_other(image: Path, place: Path) -> None:
    first = recorded(image, place)
    assert first.staging is not None
    (first.staging / "payroll").mkdir(parents=True)
    recorded(image, place.parent / "other")
    with pytest.raises(StorageError, match="payroll"):
        cleanup_mountpoints(quick())
    assert all_records() == (first,)


def test_a_record_that_names_any_other_folder(image: Path, place: Path) -> None:
    record = recorded(image, place)
    treasure = image.parent / "treasure"
    treasure.mkdir()
    document = json.loads(record_path(place).read_text())
    document["staging"] = str(treasure)
    record_path(place).write_text(json.dumps(document))
    cleanup_mountpoints(quick())
    assert treasure.is_dir()
    assert read_record(record.directory) is None


def test_mounting_again_where_there_is_no_record(place: Path) -> None:
    if not shutil.which("wimlib-imagex"):
        skip_or_fail("wimlib-imagex is not installed")
    with pytest.raises(NotMounted):
        remount(place, world=quick())


def test_lines_of_the_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        rb"42 27 0:39 / /mnt/a\040b\134c rw,nosuid - fuse.wimfs wimfs rw,user_id=7,group_id=0",
        rb"43 27 0:40 / /mnt/ro ro,nosuid shared:1 master:2 - fuse.wimfs wimfs ro,user_id=0",
        rb"44 27 254:0 / / rw - ext4 /dev/vda rw,discard",
        rb"45 27 0:41 / /mnt/\303\244 rw - fuse wimlib rw",
        b"46 27",
        b"",
        b"47 27 0:42 / /mnt/x rw - fuse",
        b"48 27 0:43 / /mnt/a\rb\x0bc\x0cd rw - fuse.wimfs wimfs rw",
    )
    table = tmp_path / "mountinfo"
    table.write_bytes(b"\n".join(lines))
    monkeypatch.setattr(mountinfo_module, "TABLE", table)
    found = mount_points()
    assert [os.fspath(point.directory) for point in found] == [
        "/mnt/a b\\c",
        "/mnt/ro",
        "/",
        "/mnt/ä",
        "/mnt/a\rb\x0bc\x0cd",
    ]
    assert [point.is_wim for point in found] == [True, True, False, True, True]
    assert [point.writable for point in found] == [True, False, True, True, True]
    assert [point.owner for point in found] == [7, 0, None, None, None]
    assert is_mount_point(Path("/mnt/ä"))
    monkeypatch.setattr(mountinfo_module, "TABLE", tmp_path / "absent")
    assert mount_points() == ()
    assert is_mount_point(Path("/"))


def test_a_user_without_rights(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reachable_folder() as folder:
        monkeypatch.setenv("WIMDOCK_STATE", str(folder / "state"))
        (folder / "state" / "mounts").mkdir(parents=True)
        for who in ("as-root", "as-nobody"):
            shutil.copyfile(image, folder / f"{who}.wim")
            (folder / f"to-{who}").mkdir()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        at = f"{folder}/to-@"
        ended = run_as_nobody("mount", f"{folder}/@.wim", at, "--write", temporary=folder)
        if not _everybody_may_mount():
            assert ended.returncode == MountError.exit_code
            assert "run it as root" in ended.stderr
            assert read_record(folder / "to-as-nobody") is None
            end_all(folder)
            return
        try:
            assert ended.returncode == 0, ended.stderr
            monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
            _, seen_by_root = mounts_below(folder)
            assert (seen_by_root.owner, seen_by_root.state) == ("wimlib", MountState.OK)
            assert (seen_by_root.image, seen_by_root.writable) == (None, True)
            assert f"Only its user {NOBODY} can look in" in seen_by_root.note
            monkeypatch.setenv("WIMDOCK_STATE", str(folder / "state"))
            ended = run_as_nobody("unmount", at, "--commit", temporary=folder)
            assert ended.returncode == 0, ended.stderr
        finally:
            end_all(folder)


def _everybody_may_mount() -> bool:
    open_to_all = Path("/dev/fuse").stat().st_mode & 0o006 == 0o006
    return open_to_all and shutil.which("fusermount") is not None
