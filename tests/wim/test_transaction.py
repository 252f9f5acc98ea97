"""The transaction, stopped at every write, flush and rename, and on a disk that is full there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.disk import CountingDisk, FullDisk, RememberingDisk, StoppedError, StoppingDisk
from wimdock.clock import FixedClock
from wimdock.errors import (
    CorruptImage,
    GenerationError,
    ImageBusy,
    MalformedImage,
    StorageError,
    UnsupportedImage,
    UsageError,
)
from wimdock.files import Disk, name_of
from wimdock.paths import ImagePath
from wimdock.wim import Archive
from wimdock.wim.creation import NewImage, create_archive
from wimdock.wim.editor import FileFacts
from wimdock.wim.generations import read_generations, sidecar_path
from wimdock.wim.rollback import list_generations, rollback
from wimdock.wim.transaction import Transaction

CLOCK = FixedClock(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
FACTS = FileFacts(0x20, 1, 2, 3)
LARGE = bytes(range(256)) * 20_000  # more than is compressed as one piece
NEW = ImagePath(r"\Windows\System32\new.dll")


def change(path: Path, disk: Disk | None = None, text: bytes = b"new" * 20_000) -> None:
    """Put a file with two names, a reparse point and a stream into every image."""
    with Transaction.begin(path, disk=disk, clock=CLOCK, threads=2) as transaction:
        for index in range(1, transaction.archive.image_count + 1):
            file, link, large = transaction.add([text, b"target", LARGE])
            with transaction.edit(index) as editor:
                editor.put_file(NEW, FACTS, file.sha1, (ImagePath(r"\Windows\second.dll"),))
                editor.put_reparse_point(ImagePath(r"\there"), FACTS, 0x8000001B, link.sha1)
                editor.put_stream(NEW, "zone", link.sha1)
                editor.put_stream(NEW, "large", large.sha1)
        transaction.commit("test")


def wimlib_verifies(path: Path) -> None:
    """Let wimlib read everything and compare all hashes."""
    done = subprocess.run(
        ["wimlib-imagex", "verify", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def contents(path: Path) -> list[dict[str, object]]:
    """Give all that an image file says, as a reader sees it."""
    with Archive.open(path) as archive:
        found: list[dict[str, object]] = []
        for index in range(1, archive.image_count + 1):
            image = archive.image(index)
            found.append(
                {
                    str(place): (
                        entry.name,
                        entry.short_name,
                        entry.attributes,
                        entry.created,
                        entry.written,
                        entry.link,
                        entry.hashes,
                        entry.streams,
                        image.security(entry),
                    )
                    for place, entry in image.walk()
                }
            )
        return found


@pytest.fixture(params=["xpress", "multi-check"])
def image(request: pytest.FixtureRequest, lab_image: Callable[[str], Path]) -> Path:
    """Give a lab image: one with one image, one with two and an integrity table."""
    return lab_image(request.param)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Give a small image file of our own."""
    path = tmp_path / "small.wim"
    create_archive(path, [NewImage("one")], CLOCK.now())
    return path


def test_a_change_is_seen_by_wimlib_and_7zip_and_nothing_else_changes(image: Path) -> None:
    before = contents(image)
    change(image)
    after = contents(image)
    for old, new in zip(before, after, strict=True):
        added = {r"\Windows\System32\new.dll", r"\Windows\second.dll", r"\there"}
        assert new.keys() - old.keys() == added
        assert {place: new[place] for place in old} == old
    wimlib_verifies(image)
    tested = subprocess.run(["7z", "t", image], capture_output=True, text=True, check=False)
    assert "Everything is Ok" in tested.stdout


def test_what_was_there_stays_at_its_place(image: Path) -> None:
    before = image.read_bytes()
    change(image)
    after = image.read_bytes()
    assert after[208 : len(before)] == before[208:]
    assert after[:208] != before[:208]


def test_stopped_at_every_operation_leaves_the_old_image_or_the_new(
    image: Path, tmp_path: Path
) -> None:
    counting = CountingDisk()
    whole = Path(shutil.copy(image, tmp_path / "whole.wim"))
    change(whole, counting)
    old, new = contents(image), contents(whole)
    assert len(counting.operations) >= 10
    seen = set()
    for at in range(len(counting.operations)):
        for torn in (False, True):
            path = Path(shutil.copy(image, tmp_path / "stopped.wim"))
            sidecar_path(path).unlink(missing_ok=True)
            with pytest.raises(StoppedError):
                change(path, StoppingDisk(at, torn=torn))
            wimlib_verifies(path)
            found = contents(path)
            assert found in (old, new), at
            seen.add(found == new)
            change(path, text=b"again")
            wimlib_verifies(path)
    assert seen == {False, True}, "the stops must fall on both sides of the commit"


def test_writes_lost_by_a_crash_leave_the_old_image_or_the_new(image: Path, tmp_path: Path) -> None:
    old = contents(image)
    disk = RememberingDisk(image)
    change(image, disk)
    new = contents(image)
    crashed = tmp_path / "crashed.wim"
    for number, state in enumerate(disk.states):
        for survival, data in state[image].items():
            crashed.write_bytes(data)
            sidecar_path(crashed).unlink(missing_ok=True)
            if sidecar_path(image) in state:
                sidecar_path(crashed).write_bytes(state[sidecar_path(image)][survival])
            assert contents(crashed) in (old, new), (number, survival)
            with Archive.open(crashed) as archive:
                assert archive.committed_end <= len(data)
            list_generations(crashed)
    wimlib_verifies(crashed)


class InterruptedDisk(Disk):
    """Is interrupted from outside, right after the header was written."""

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        super().write_at(fd, data, offset)
        if not offset and name_of(fd).endswith(".wim"):
            raise KeyboardInterrupt


def test_an_interrupt_right_after_the_commit_leaves_the_new_image(small: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        change(small, InterruptedDisk())
    wimlib_verifies(small)
    with Archive.open(small) as archive:
        assert archive.image(1).lookup(NEW) is not None
    _, current = list_generations(small)
    assert current is not None
    assert current.number == 2


class InterruptedRenameDisk(Disk):
    """Is interrupted from outside, right before a rename."""

    def replace(self, source: Path, target: Path) -> None:
        raise KeyboardInterrupt(source, target)


def test_an_interrupt_before_a_rename_leaves_nothing_beside_the_image(small: Path) -> None:
    before = small.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        change(small, InterruptedRenameDisk())
    assert small.read_bytes() == before
    assert [path.name for path in small.parent.iterdir()] == [small.name]


def test_a_full_disk_at_every_operation_loses_nothing(image: Path, tmp_path: Path) -> None:
    counting = CountingDisk()
    change(Path(shutil.copy(image, tmp_path / "whole.wim")), counting)
    header_write = max(n for n, what in enumerate(counting.operations) if what == "write")
    for at in range(len(counting.operations)):
        path = Path(shutil.copy(image, tmp_path / "full.wim"))
        sidecar_path(path).unlink(missing_ok=True)
        with pytest.raises(StorageError, match="No space left"):
            change(path, FullDisk(at))
        if at <= header_write:
            assert path.read_bytes() == image.read_bytes(), at
        wimlib_verifies(path)
        change(path)
        wimlib_verifies(path)


def test_a_disk_that_is_really_full(image: Path, small_disk: Path) -> None:
    path = Path(shutil.copy(image, small_disk / "image.wim"))
    before = path.read_bytes()
    with pytest.raises(StorageError) as caught:
        change(path, text=os.urandom(8 << 20))
    assert caught.value.hresult == 0x80070070
    assert path.read_bytes() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        from tests.conftest import skip_or_fail

        skip_or_fail("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_second_writer_is_refused_and_named(small: Path) -> None:
    with Transaction.begin(small):
        with pytest.raises(ImageBusy, match="process"), Transaction.begin(small):
            pass
        with pytest.raises(ImageBusy):
            rollback(small)


def test_wimlib_keeps_out_while_we_write(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x")
    with Transaction.begin(small):
        done = subprocess.run(
            ["wimlib-imagex", "update", small, "1", f"--command=add {file} /x"],
            capture_output=True,
            check=False,
        )
    assert done.returncode != 0


def test_a_reader_meanwhile_sees_the_old_image(small: Path) -> None:
    with Archive.open(small) as before:
        change(small)
        assert [str(path) for path, _ in before.image(1).walk()] == ["\\"]


def test_without_commit_nothing_changes(small: Path) -> None:
    before = small.read_bytes()
    with Transaction.begin(small) as transaction:
        list(transaction.add([b"x" * 100_000]))
    assert small.read_bytes() == before
    assert not sidecar_path(small).exists()


def test_a_refusal_at_the_last_look_changes_nothing(small: Path) -> None:
    before = small.read_bytes()

    def refuse(archive: Archive) -> None:
        assert archive.image(1).lookup(ImagePath(r"\a")) is not None
        message = "no"
        raise CorruptImage(message)

    with Transaction.begin(small) as transaction:
        with transaction.edit(1) as editor:
            editor.put_file(ImagePath(r"\a"), FACTS, None)
        with pytest.raises(CorruptImage):
            transaction.commit("test", refuse)
    assert small.read_bytes() == before


def test_generations_go_back_and_forward(small: Path) -> None:
    states = [small.read_bytes()[:208]]
    for text in (b"one" * 100, b"two" * 100):
        change(small, text=text)
        states.append(small.read_bytes()[:208])
    generations, current = list_generations(small)
    assert [g.number for g in generations] == [1, 2, 3]
    assert current is not None
    assert current.number == 3
    left, target = rollback(small)
    assert (left.number, target.number) == (3, 2)
    assert small.read_bytes()[:208] == states[1]
    rollback(small, 1)
    assert small.read_bytes()[:208] == states[0]
    with pytest.raises(GenerationError, match="oldest"):
        rollback(small)
    rollback(small, 3)
    assert small.read_bytes()[:208] == states[2]
    with pytest.raises(GenerationError, match="already"):
        rollback(small, 3)
    with pytest.raises(GenerationError, match="no generation 9"):
        rollback(small, 9)


def test_writing_after_going_back_forgets_what_was_undone(small: Path) -> None:
    change(small, text=b"one" * 100)
    change(small, text=b"two" * 100)
    rollback(small, 2)
    change(small, text=b"three" * 100)
    generations, current = list_generations(small)
    assert [g.number for g in generations] == [1, 2, 3]
    assert current is not None
    assert current.number == 3
    wimlib_verifies(small)
    with Archive.open(small) as archive:
        entry = archive.image(1).lookup(NEW)
        assert entry is not None
        assert archive.image(1).read(entry) == b"three" * 100


def test_a_change_by_another_program_ends_the_row(small: Path, tmp_path: Path) -> None:
    change(small)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    subprocess.run(
        ["wimlib-imagex", "update", small, "1", f"--command=add {file} /x"],
        check=True,
        capture_output=True,
    )
    _, current = list_generations(small)
    assert current is None
    with pytest.raises(GenerationError, match="another program"):
        rollback(small)
    change(small, text=b"ours")
    generations = read_generations(small)
    assert [g.note for g in generations] == ["changed by another program", "test"]
    wimlib_verifies(small)


def test_a_prepared_generation_that_was_never_committed_cannot_be_gone_to(small: Path) -> None:
    counting = CountingDisk()
    change(Path(shutil.copy(small, small.with_name("count.wim"))), counting)
    header_write = max(n for n, what in enumerate(counting.operations) if what == "write")
    with pytest.raises(StoppedError):
        change(small, StoppingDisk(header_write))
    generations, current = list_generations(small)
    assert [g.committed for g in generations] == [True, False]
    assert current is generations[0]
    with pytest.raises(GenerationError, match="never committed"):
        rollback(small, 2)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"wimdock": 1}', b"\xff" * 100])
def test_a_damaged_sidecar_is_refused_and_the_image_left_alone(small: Path, text: bytes) -> None:
    sidecar_path(small).write_bytes(text)
    before = small.read_bytes()
    with pytest.raises(GenerationError, match="cannot be read"):
        change(small)
    assert small.read_bytes() == before


def test_a_file_that_must_not_be_written_is_refused(small: Path) -> None:
    for flag, words in ((0x4, "read-only"), (0x40, "stopped while it wrote")):
        data = bytearray(small.read_bytes())
        data[16] |= flag
        marked = small.with_name("marked.wim")
        marked.write_bytes(data)
        with pytest.raises(UnsupportedImage, match=words):
            change(marked)


def test_a_file_that_is_cut_off_is_refused(small: Path) -> None:
    change(small)
    data = small.read_bytes()
    small.write_bytes(data[:-10])
    with pytest.raises(MalformedImage):
        change(small)


def test_content_that_is_there_is_not_stored_twice(small: Path) -> None:
    change(small, text=b"same" * 50_000)
    length = small.stat().st_size
    with Transaction.begin(small) as transaction:
        (reference,) = transaction.add([b"same" * 50_000])
        with transaction.edit(1) as editor:
            editor.put_file(ImagePath(r"\twin"), FACTS, reference.sha1)
        commit = transaction.commit("twin")
    assert commit.added < 4096
    assert small.stat().st_size == length + commit.added
    with Archive.open(small) as archive:
        blob = archive.blobs.get(reference.sha1 or b"")
        assert blob.references == 3


def test_content_that_nothing_refers_to_any_more_leaves_the_table(small: Path) -> None:
    change(small)
    with Archive.open(small) as archive:
        count = len(archive.blobs)
    with Transaction.begin(small) as transaction:
        with transaction.edit(1) as editor:
            editor.remove(ImagePath(r"\Windows"))
        transaction.commit("gone")
    with Archive.open(small) as archive:
        assert len(archive.blobs) == count - 2  # the link's target is still used
        assert archive.xml.counts(1) is not None
    wimlib_verifies(small)


def test_wrong_reference_counts_in_the_file_do_not_drop_content(small: Path) -> None:
    """A damaged count must not cost content that another name still needs."""
    change(small)
    with Archive.open(small) as archive:
        entry = archive.image(1).lookup(NEW)
        assert entry is not None
        blob = archive.blobs.get(entry.data_sha1 or b"")
        at = archive.header.blob_table.offset + blob.position * 50 + 26
    data = bytearray(small.read_bytes())
    data[at : at + 4] = (1).to_bytes(4, "little")
    small.write_bytes(data)
    with Transaction.begin(small) as transaction:
        with transaction.edit(1) as editor:
            editor.remove(NEW)
        transaction.commit("one name gone")
    with Archive.open(small) as archive:
        second = archive.image(1).lookup(ImagePath(r"\Windows\second.dll"))
        assert second is not None
        assert archive.image(1).read(second) == b"new" * 20_000


def test_an_image_is_edited_once_in_a_transaction(small: Path) -> None:
    with Transaction.begin(small) as transaction:
        with transaction.edit(1):
            pass
        with pytest.raises(UsageError), transaction.edit(1):
            pass
