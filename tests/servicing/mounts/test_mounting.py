"""Mounting: what is mounted, what is recorded, and what is refused before anything is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servicing.mounts_at_hand import end_all, kill_daemon, mounts_below, names_in
from tests.servicing.small_disk import small_disk
from tests.servicing.surroundings import CLOCK, everything_in, put_in, quick
from wimdock.errors import (
    AlreadyMounted,
    GenerationError,
    ImageBusy,
    MissingLibrary,
    MountError,
    NoSuchImage,
    NotAnImage,
    StorageError,
    UnsupportedImage,
)
from wimdock.files import exclusive_lock
from wimdock.servicing.mounts import (
    MountState,
    is_mount_point,
    mount,
    remount,
    unmount,
)
from wimdock.servicing.mounts.record import Phase, read_record, state_folder
from wimdock.servicing.service import ServiceOptions
from wimdock.wim import layout
from wimdock.wim.generations import sidecar_path

UNSIGNED = ServiceOptions(allow_unsigned=True)


def test_a_read_only_mount(image: Path, place: Path, tmp_path: Path) -> None:
    before = everything_in(image.parent)
    record = mount(image, 1, place, world=quick())
    assert (record.directory, record.image, record.index) == (place, image, 1)
    assert (record.writable, record.since, record.phase) == (False, CLOCK.now(), Phase.MOUNTED)
    assert record.staging is None
    assert read_record(place) == record
    assert is_mount_point(place)
    assert (place / "Windows").is_dir()
    with pytest.raises(OSError, match="Read-only"):
        (place / "new").write_text("x")
    (found,) = mounts_below(tmp_path)
    assert (found.record, found.state, found.owner) == (record, MountState.OK, "wimdock")
    done = unmount(place, commit=False, world=quick())
    assert (done.committed, done.generation) == (False, None)
    assert mounts_below(tmp_path) == ()
    assert not is_mount_point(place)
    after = everything_in(image.parent)
    assert {name: what for name, what in after.items() if not name.startswith("state")} == before


def test_a_mount_for_writing_keeps_changes_beside_the_image(image: Path, place: Path) -> None:
    record = mount(image, 1, place, writable=True, world=quick())
    assert record.staging is not None
    assert record.staging.parent == image.parent
    (place / "new.txt").write_text("new")
    assert [path.read_text() for path in record.staging.rglob("*") if path.is_file()] == ["new"]
    before = image.read_bytes()
    unmount(place, commit=False, world=quick())
    assert image.read_bytes() == before
    assert not record.staging.exists()
    assert read_record(place) is None


def test_paths_that_are_relative_odd_or_linked(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "a b\t\\040 \N{SNOWMAN}\n\r\x0b\x0c\x1b[2J#"
    odd.mkdir()
    (tmp_path / "link").symlink_to(odd)
    (tmp_path / "link.wim").symlink_to(image)
    monkeypatch.chdir(tmp_path)
    record = mount(Path("link.wim"), 1, Path("link"), world=quick())
    assert (record.directory, record.image) == (odd, image)
    assert is_mount_point(Path("link"))
    assert is_mount_point(odd)
    assert [each.state for each in mounts_below(tmp_path)] == [MountState.OK]
    unmount(Path("link"), commit=False, world=quick())
    assert not is_mount_point(odd)


def test_a_name_that_is_no_text(image: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    odd.mkdir()
    record = mount(image, 1, odd, world=quick())
    assert read_record(odd) == record
    assert mounts_below(tmp_path)[0].state is MountState.OK
    unmount(odd, commit=False, world=quick())
    odd.rmdir()


@pytest.mark.parametrize("hindrance, hresult", [
    ("absent", 0xC1420115),
    ("file", 0x8007010B),
    ("full", 0xC1420114),
    ("root", 0xC1420131),
    ("staging", 0x80070005),
    ("wimlib's staging", 0x80070005),
])  # fmt: skip
def test_folders_that_are_refused(
    hindrance: str, hresult: int, image: Path, place: Path, tmp_path: Path
) -> None:
    match hindrance:
        case "absent":
            place.rmdir()
        case "file":
            place.rmdir()
            place.touch()
        case "full":
            (place / "there").touch()
        case "root":
            place = Path("/")
        case "staging":
            place = image.with_name("demo.wim.01234567.wimdock-staging") / "inner"
            place.mkdir(parents=True)
        case _:
            place = image.with_name("demo.wim.staging0123456789") / "inner"
            place.mkdir(parents=True)
    before = image.read_bytes()
    with pytest.raises(MountError) as caught:
        mount(image, 1, place, writable=True, world=quick())
    assert caught.value.hresult == hresult
    assert caught.value.hint
    assert mounts_below(tmp_path) == ()
    assert image.read_bytes() == before


def test_a_folder_that_holds_a_mount_or_lies_in_one(
    image: Path, place: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copyfile(image, tmp_path / "other.wim"))
    mount(image, 1, place, writable=True, world=quick())
    with pytest.raises(AlreadyMounted) as caught:
        mount(other, 1, place, world=quick())
    assert caught.value.hresult == 0xC1420113
    (place / "inner").mkdir()
    with pytest.raises(MountError, match="lies in another mounted image"):
        mount(other, 1, place / "inner", world=quick())


def test_a_mount_point_of_anything_else(image: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as folder:
        assert is_mount_point(folder)
        with pytest.raises(AlreadyMounted):
            mount(image, 1, folder, world=quick())


def test_an_image_that_is_mounted_for_writing(image: Path, place: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    linked = tmp_path / "linked.wim"
    linked.hardlink_to(image)
    mount(image, 1, place, writable=True, world=quick())
    for path, writable in ((image, True), (image, False), (linked, True)):
        with pytest.raises(AlreadyMounted, match="mounted read/write in") as caught:
            mount(path, 1, second, writable=writable, world=quick())
        assert caught.value.hresult == 0xC1420127
        assert str(place) in caught.value.message
    assert not is_mount_point(second)
    assert read_record(second) is None


def test_an_image_can_be_looked_at_twice(image: Path, place: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    mount(image, 1, place, world=quick())
    mount(image, 1, second, world=quick())
    assert [each.directory for each in mounts_below(tmp_path)] == [place, second]
    assert {each.state for each in mounts_below(tmp_path)} == {MountState.OK}


def test_a_file_that_is_locked(image: Path, place: Path, tmp_path: Path) -> None:
    fd = os.open(image, os.O_RDWR)
    try:
        with exclusive_lock(fd, image), pytest.raises(ImageBusy):
            mount(image, 1, place, writable=True, world=quick())
    finally:
        os.close(fd)
    assert mounts_below(tmp_path) == ()


def test_servicing_is_refused_while_it_is_mounted_for_writing(image: Path, place: Path) -> None:
    update = image.with_name("demo-update.cab")
    mount(image, 1, place, writable=True, world=quick())
    with pytest.raises(ImageBusy) as caught:
        put_in(image, [update], UNSIGNED)
    assert "wimlib-imagex" in caught.value.message
    assert f"mounted read/write in {place}" in caught.value.message
    assert f"wimdock unmount '{place}'" in caught.value.hint
    unmount(place, commit=False, world=quick())
    put_in(image, [update], UNSIGNED)


def test_a_file_that_is_only_looked_at_can_be_serviced(image: Path, place: Path) -> None:
    mount(image, 1, place, world=quick())
    before = names_in(place)
    put_in(image, [image.with_name("demo-update.cab")], UNSIGNED)
    assert names_in(place) == before
    unmount(place, commit=False, world=quick())


@pytest.mark.parametrize("index", [0, 2, 99])
def test_an_index_that_is_not_there(index: int, image: Path, place: Path) -> None:
    with pytest.raises(NoSuchImage) as caught:
        mount(image, index, place, world=quick())
    assert caught.value.hresult == 0xC1510113


def test_files_that_cannot_be_mounted(image: Path, place: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.wim"
    text.write_text("no image" * 100)
    with pytest.raises(NotAnImage):
        mount(text, 1, place, world=quick())
    with pytest.raises(StorageError):
        mount(tmp_path / "absent.wim", 1, place, world=quick())
    with image.open("r+b") as file:
        file.seek(16)
        flags = int.from_bytes(file.read(4), "little") | layout.FLAG_READONLY
        file.seek(16)
        file.write(flags.to_bytes(4, "little"))
    with pytest.raises(UnsupportedImage):
        mount(image, 1, place, writable=True, world=quick())
    mount(image, 1, place, world=quick())


def test_a_record_of_generations_that_cannot_be_read(image: Path, place: Path) -> None:
    sidecar_path(image).write_text("{}")
    with pytest.raises(GenerationError):
        mount(image, 1, place, writable=True, world=quick())
    mount(image, 1, place, world=quick())


def test_without_the_program(
    image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingLibrary, match="wimlib-imagex is not installed") as caught:
        mount(image, 1, place, world=quick())
    assert "wimtools" in caught.value.hint
    assert mounts_below(tmp_path) == ()


def test_a_mount_that_fails_leaves_nothing(
    image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "wimlib-imagex"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho 'fuse: failed to open /dev/fuse: Permission denied' >&2\nexit 6\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(MountError, match="failed to open /dev/fuse") as caught:
        mount(image, 1, place, writable=True, world=quick())
    assert caught.value.hresult == 0xC1510112
    assert mounts_below(tmp_path) == ()
    assert not list(image.parent.glob("*staging*"))


def test_a_program_that_only_says_that_it_has_mounted(
    image: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "wimlib-imagex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(MountError, match="it is not so"):
        mount(image, 1, place, writable=True, world=quick())
    assert mounts_below(tmp_path) == ()


def test_mounting_again(image: Path, place: Path, tmp_path: Path) -> None:
    first = mount(image, 1, place, writable=True, typed=r"D:\mount", world=quick())
    (place / "lost.txt").write_text("lost")
    with pytest.raises(MountError) as caught:
        remount(place, world=quick())
    assert caught.value.hresult == 0xC1420123
    kill_daemon(place)
    again = remount(place, world=quick())
    assert (again.image, again.index, again.writable) == (first.image, 1, True)
    assert (again.typed, again.phase) == (r"D:\mount", Phase.MOUNTED)
    assert not (place / "lost.txt").exists()
    assert [each.state for each in mounts_below(tmp_path)] == [MountState.OK]
    unmount(place, commit=True, world=quick())


def test_mounts_of_two_users_are_kept_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert state_folder() == tmp_path / "state"
    monkeypatch.delenv("WIMDOCK_STATE")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state_folder() == Path("/var/lib/wimdock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/somebody")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_folder() == Path("/somebody/.local/state/wimdock")
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    assert state_folder() == Path("/elsewhere/wimdock")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_folder() == Path("/somebody/.local/state/wimdock")


def test_a_mount_made_without_us(image: Path, place: Path, tmp_path: Path) -> None:
    subprocess.run(["wimlib-imagex", "mountrw", image, "1", place], check=True)
    (found,) = mounts_below(tmp_path)
    assert (found.owner, found.record, found.state) == ("wimlib", None, MountState.OK)
    assert (found.directory, found.image, found.index) == (place, image, 1)
    assert found.writable
    with pytest.raises(MountError, match="was not mounted by wimdock"):
        unmount(place, commit=True, world=quick())
    assert is_mount_point(place)
    unmount(place, commit=False, world=quick())
    assert mounts_below(tmp_path) == ()
    end_all(place.parent)
