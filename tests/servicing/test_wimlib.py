"""wimlib's program: files exported and split whole or not at all, and its failures in our words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.demo_files import copy_demo
from tests.conftest import skip_or_fail
from tests.lab.image import verify as witnesses_verify
from tests.lab.tool import run
from tests.servicing.mounts_at_hand import wait_for
from tests.servicing.small_disk import small_disk
from tests.servicing.surroundings import cabinet_of, everything_in, put_in, quick
from wimdock.errors import (
    CorruptImage,
    ImageBusy,
    ImageError,
    MissingLibrary,
    MountError,
    MountInUse,
    NoSuchImage,
    NotAnImage,
    NotMounted,
    StorageError,
    UnsupportedImage,
    UsageError,
    WimdockError,
)
from wimdock.events import Event, Kind, Reporter
from wimdock.image.reparse_points import reparse_points
from wimdock.servicing import wimlib
from wimdock.servicing.wimlib_failure import failure
from wimdock.wim import Archive, layout
from wimdock.wim.rollback import rollback


def need_program() -> None:
    try:
        wimlib.require_program()
    except MissingLibrary as error:
        skip_or_fail(error.message)


def program(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program in the place of wimlib-imagex."""
    path = folder / "bin" / "wimlib-imagex"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")


def names_of(image: Path, index: int) -> list[str]:
    with Archive.open(image) as archive:
        return [str(path) for path, _ in archive.image(index).walk()]


@pytest.mark.parametrize("recipe", ["lzx", "check"])
def test_an_export_is_compact_and_keeps_everything(
    recipe: str, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    image = lab_image(recipe)
    put_in(image, [cabinet_of("plain", tmp_path)])
    rollback(image)
    target = tmp_path / "compact.wim"
    assert wimlib.export(image, target, quick()) == target
    assert target.stat().st_size < image.stat().st_size
    assert names_of(target, 1) == names_of(image, 1)
    witnesses_verify(target)
    with Archive.open(image) as before, Archive.open(target) as after:
        points = list(reparse_points(before.image(1)))
        assert list(reparse_points(after.image(1))) == points
        assert bool(before.header.integrity.size) == bool(after.header.integrity.size)
    assert {path.name for path in tmp_path.iterdir()} == {
        image.name,
        f"{image.name}.generations",
        "plain.cab",
        "compact.wim",
    }


def test_one_image_of_several(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    image = lab_image("multi")
    target = wimlib.export(image, tmp_path / "pro.wim", quick(), index=2, name="Only Pro")
    with Archive.open(target) as archive:
        assert archive.image_count == 1
        assert archive.images[0].name == "Only Pro"
    assert names_of(target, 1) == names_of(image, 2)
    whole = wimlib.export(image, tmp_path / "all.wim", quick())
    with Archive.open(whole) as archive:
        assert archive.image_count == 3


@pytest.mark.parametrize("compression, flag", [
    ("lzx", layout.FLAG_LZX),
    ("xpress", layout.FLAG_XPRESS),
    ("lzms", layout.FLAG_LZMS),
    ("none", 0),
])  # fmt: skip
def test_every_compression(
    compression: str, flag: int, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    image = lab_image("none" if compression == "lzx" else "lzx")
    target = wimlib.export(image, tmp_path / "new.wim", quick(), compression=compression)
    with Archive.open(target) as archive:
        every = layout.FLAG_LZX | layout.FLAG_XPRESS | layout.FLAG_LZMS
        assert archive.header.flags & every == flag
    assert names_of(target, 1) == names_of(image, 1)


def test_chunks_and_integrity(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    image = lab_image("lzx")
    target = wimlib.export(
        image, tmp_path / "new.wim", quick(), compression="xpress", chunk_size=65536, check=True
    )
    with Archive.open(target) as archive:
        assert archive.header.chunk_size == 65536
        assert archive.header.integrity.size
    without = wimlib.export(target, tmp_path / "without.wim", quick(), check=False)
    with Archive.open(without) as archive:
        assert not archive.header.integrity.size


def test_progress_becomes_events(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    events: list[Event] = []
    world = quick()
    listening = type(world)(Reporter(events.append), world.clock, world.disk)
    image = lab_image("none")
    wimlib.export(image, tmp_path / "new.wim", listening, compression="lzx")
    told = [event for event in events if event.kind is Kind.PROGRESS]
    assert told
    assert {event.step for event in told} == {("Export to new.wim",)}
    assert all(0 <= event.done <= event.total for event in told)
    assert told[-1].done == told[-1].total


def test_a_set_of_parts(tmp_path: Path) -> None:
    need_program()
    source = tmp_path / "source"
    source.mkdir()
    for number in range(6):
        (source / f"{number}.bin").write_bytes(os.urandom(700_000))
    image = tmp_path / "image.wim"
    run("wimlib-imagex", "capture", source, image, "--compress=none")
    place = tmp_path / "parts"
    place.mkdir()
    parts = wimlib.split(image, place / "image.swm", 1 << 20, quick())
    assert len(parts) >= 5
    assert [part.name for part in parts[:3]] == ["image.swm", "image2.swm", "image3.swm"]
    assert sorted(place.iterdir()) == sorted(parts)
    joined = tmp_path / "joined.wim"
    run("wimlib-imagex", "join", joined, *parts)
    assert names_of(joined, 1) == names_of(image, 1)
    before = everything_in(place)
    with pytest.raises(StorageError) as caught:
        wimlib.split(image, place / "image.swm", 1 << 20, quick())
    assert caught.value.hresult == 0x800700B7
    parts[0].unlink()  # a later part alone is in the way too
    with pytest.raises(StorageError, match=r"image2\.swm exists already"):
        wimlib.split(image, place / "image.swm", 1 << 20, quick())
    assert everything_in(place) == {k: v for k, v in before.items() if k != "image.swm"}
    with pytest.raises(UsageError):
        wimlib.split(image, place / "small.swm", 1000, quick())


def test_what_is_refused_before_anything_is_made(
    lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    image = lab_image("lzx")
    before = everything_in(tmp_path)
    with pytest.raises(StorageError):
        wimlib.export(image, image, quick())
    with pytest.raises(UsageError):
        wimlib.export(image, tmp_path / "new.wim", quick(), compression="zip")
    with pytest.raises(StorageError):
        wimlib.export(tmp_path / "absent.wim", tmp_path / "new.wim", quick())
    with pytest.raises(StorageError):
        wimlib.export(tmp_path, tmp_path / "new.wim", quick())
    with pytest.raises(StorageError):
        wimlib.export(image, tmp_path / "absent" / "new.wim", quick())
    with pytest.raises(NoSuchImage) as caught:
        wimlib.export(image, tmp_path / "new.wim", quick(), index=7)
    assert caught.value.hresult == 0xC1510113
    assert everything_in(tmp_path) == before


def test_a_file_that_is_no_image(tmp_path: Path) -> None:
    need_program()
    text = tmp_path / "text.wim"
    text.write_text("no image" * 100)
    with pytest.raises(NotAnImage, match="text"):
        wimlib.export(text, tmp_path / "new.wim", quick())
    assert [path.name for path in tmp_path.iterdir()] == ["text.wim"]


def test_a_disk_that_is_full(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    image = lab_image("none")
    with small_disk(tmp_path / "disk", "1m") as folder:
        with pytest.raises(StorageError):
            wimlib.export(image, folder / "new.wim", quick())
        assert list(folder.iterdir()) == []


def test_the_program_killed_in_its_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, 'echo half > "$4"; kill -9 $$', monkeypatch)
    copy_demo(tmp_path)
    image = tmp_path / "demo.wim"
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(StorageError, match="killed by signal 9"):
        wimlib.export(image, tmp_path / "new.wim", quick())
    assert {path.name for path in tmp_path.iterdir()} == before


def test_wimdock_killed_while_the_program_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, 'echo half > "$4"; touch "$0.started"; sleep 3', monkeypatch)
    copy_demo(tmp_path)
    image = tmp_path / "demo.wim"
    before = {path.name for path in tmp_path.iterdir()}
    target = tmp_path / "new.wim"
    code = (
        "import sys; from pathlib import Path; from wimdock.servicing import wimlib; "
        "from wimdock.servicing.options import surroundings; "
        "wimlib.export(Path(sys.argv[1]), Path(sys.argv[2]), surroundings())"
    )
    for kill in (signal.SIGKILL, signal.SIGINT):
        started = tmp_path / "bin" / "wimlib-imagex.started"
        with subprocess.Popen(
            (sys.executable, "-c", code, image, target), stderr=subprocess.DEVNULL
        ) as process:
            wait_for(started.exists)
            process.send_signal(kill)
        started.unlink()
        assert not target.exists()
    # The interrupted one cleared its own workspace and that of the killed one away.
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("status, error, hresult", [
    (1, ImageBusy, 0x80070020),
    (6, MountError, 0xC1510112),
    (13, CorruptImage, 0x80070017),
    (18, NoSuchImage, 0xC1510113),
    (33, UnsupportedImage, 0xC1420130),
    (43, NotAnImage, 0x8007000B),
    (72, StorageError, 0x8007001D),
    (79, MountInUse, 0xC1420117),
    (80, NotMounted, 0xC142010B),
    (123, ImageError, 0x8007000D),
    (-9, StorageError, 0x800704C7),
])  # fmt: skip
def test_its_exit_statuses(status: int, error: type[WimdockError], hresult: int) -> None:
    said = "Using LZX\nERROR: It is so\n\nERROR: Exiting with error code 1:\n       A text.\n"
    found = failure(["wimlib-imagex", "export"], status, said)
    assert type(found) is error
    assert found.hresult == hresult
    assert found.hint
    if status > 0:
        assert "It is so" in found.message
        assert "Exiting" not in found.message
        assert f"its error {status}" in found.message


def test_fuse_without_its_helper() -> None:
    said = "fuse: failed to exec fusermount: No such file or directory"
    found = failure(["wimlib-imagex", "mount"], 6, said)
    assert isinstance(found, MissingLibrary)
    assert "fuse3" in found.hint


def test_without_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    image = tmp_path / "image.wim"
    image.touch()
    for work in (
        lambda: wimlib.export(image, tmp_path / "new.wim", quick()),
        lambda: wimlib.split(image, tmp_path / "new.swm", 1 << 20, quick()),
    ):
        with pytest.raises(MissingLibrary) as caught:
            work()
        assert "wimtools" in caught.value.hint
        assert caught.value.hresult == 0x8007007E
