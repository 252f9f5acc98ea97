"""Folder points: what travels, how many bytes, and what is there afterwards."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.site.conftest import SetClock
from tests.site.distribution.distributing import (
    ServedImage,
    WrittenDisk,
    committed,
    means,
    register,
    sha256,
    verify,
)
from wimdock.errors import ContentMismatch, DistributionError
from wimdock.events import Reporter
from wimdock.files import read_at
from wimdock.servicing.options import always
from wimdock.site.distribution import (
    Sent,
    Way,
    add_point,
    change_point,
    distribute,
    folder_transfer,
    point_of,
    retry_due,
    send_to,
    update,
    verify_point,
)
from wimdock.site.distribution.contents import place
from wimdock.site.images.reading import record_commit
from wimdock.site.images.records import package_of
from wimdock.site.models import ContentState
from wimdock.site.site import Site
from wimdock.wim import Archive
from wimdock.wim.generations import sidecar_path
from wimdock.wim.rollback import list_generations, rollback
from wimdock.wim.transaction import Transaction


def send(served: ServedImage) -> tuple[Sent, WrittenDisk]:
    """Send the package to its point; give what came of it, and what was written there."""
    disk = WrittenDisk(served.point)
    (sent,) = send_to(served.site, [served.id], ["here"], means=means(disk))
    assert sent.error is None
    return sent, disk


def test_the_first_time_the_whole_file_travels(served: ServedImage) -> None:
    sent, disk = send(served)
    assert (sent.way, sent.sent) == (Way.WHOLE, served.image.stat().st_size)
    assert disk.bytes == sent.sent
    assert served.served.read_bytes() == served.image.read_bytes()
    assert [path.name for path in served.served.parent.iterdir()] == [served.image.name]
    found = served.placed()
    assert found.is_current
    assert found.content.state is ContentState.CURRENT
    assert found.content.sha256 == sha256(served.image)
    assert found.content.transfer == {}
    assert found.content.holder == ""


def test_nothing_travels_twice(served: ServedImage) -> None:
    send(served)
    sent, disk = send(served)
    assert (sent.way, sent.sent, disk.writes) == (Way.NOTHING, 0, [])


def test_what_was_only_looked_at_is_not_called_verified(
    served: ServedImage, clock: SetClock
) -> None:
    send(served)
    sent_at = clock.now()
    clock.advance(hours=1)
    send(served)
    assert served.placed().content.verified_at == sent_at
    verify_point(served.site, "here", means=means())
    assert served.placed().content.verified_at == clock.now()


def test_only_what_was_appended_travels_and_then_the_header(served: ServedImage) -> None:
    send(served)
    inode = served.served.stat().st_ino
    before = served.image.stat().st_size
    added = served.service()
    sent, disk = send(served)
    assert (sent.way, sent.sent) == (Way.TAIL, added + 208)
    assert disk.bytes == added + 208
    assert disk.writes[-1] == (0, 208)
    assert min(offset for offset, _ in disk.writes[:-1]) == before
    assert served.served.stat().st_ino == inode
    assert served.served.read_bytes() == served.image.read_bytes()
    verify(served.served)
    assert served.placed().content.sha256 == ""
    (checked,) = verify_point(served.site, "here", means=means())
    assert (checked.error, checked.sha256) == (None, sha256(served.image))
    assert served.placed().content.sha256 == checked.sha256


def test_several_generations_at_once(served: ServedImage) -> None:
    send(served)
    added = served.service() + served.service()
    sent, _ = send(served)
    assert (sent.way, sent.sent) == (Way.TAIL, added + 208)
    assert served.is_served_as_it_is()


def test_a_rollback_travels_as_a_header_and_so_does_going_forward(served: ServedImage) -> None:
    send(served)
    served.service()
    newer = served.image.read_bytes()
    send(served)
    served.roll_back()
    sent, disk = send(served)
    assert (sent.way, disk.writes) == (Way.HEADER, [(0, 208)])
    assert served.is_served_as_it_is()
    verify(served.served)
    served.roll_back(2)
    sent, disk = send(served)
    assert (sent.way, disk.writes) == (Way.TAIL, [(0, 208)])
    assert served.served.read_bytes() == newer


def test_a_rollback_then_another_update_is_a_tail_again(served: ServedImage) -> None:
    send(served)
    served.service()
    send(served)
    served.roll_back()
    send(served)
    added = served.service("Lab-Another-Package")
    sent, _ = send(served)
    assert (sent.way, sent.sent + sent.reused) == (Way.TAIL, added + 208)
    assert served.served.read_bytes() == served.image.read_bytes()
    verify(served.served)


def test_a_point_that_missed_a_rollback_gets_the_whole_file(served: ServedImage) -> None:
    send(served)
    served.service()
    send(served)
    old = served.served.open("rb")
    served.roll_back()
    served.service("Lab-Another-Package")
    served.service("Lab-Third-Package")
    sent, _ = send(served)
    assert sent.way is Way.WHOLE
    assert sent.why == "it was not made from what the point holds"
    assert served.is_served_as_it_is()
    with old:  # whoever reads the old file goes on reading it
        assert os.fstat(old.fileno()).st_nlink == 0


def test_the_same_header_with_other_content_is_noticed(
    site: Site, lab_image: Callable[[str], Path], tmp_path: Path
) -> None:
    served = register(site, lab_image("none"), tmp_path / "point")
    add_point(site, "here", str(served.point))
    send(served)
    served.service("Lab-Same-Package", at=1)
    send(served)
    header = served.image.read_bytes()[:208]
    served.roll_back()
    served.runs -= 1
    served.service("Lab-Same-Package", at=2)
    assert served.image.read_bytes()[:208] == header
    assert served.image.read_bytes() != served.served.read_bytes()
    sent, _ = send(served)
    assert (sent.way, sent.why) == (Way.WHOLE, "the point holds another file with the same header")
    assert served.is_served_as_it_is()


def test_a_source_that_another_program_rebuilt_travels_whole(served: ServedImage) -> None:
    send(served)
    served.service()
    words = ("wimlib-imagex", "optimize", str(served.image))
    subprocess.run(words, check=True, capture_output=True)
    sent, _ = send(served)
    assert sent.way is Way.WHOLE
    assert served.served.read_bytes() == served.image.read_bytes()


def _cut(served: ServedImage) -> None:
    os.truncate(served.served, served.served.stat().st_size - 1)


def _other_header(served: ServedImage) -> None:
    with served.served.open("r+b") as file:
        file.seek(24)
        file.write(b"other")


def _gone(served: ServedImage) -> None:
    served.served.unlink()


def _link(served: ServedImage) -> None:
    elsewhere = served.point / "elsewhere"
    elsewhere.write_bytes(served.served.read_bytes())
    served.served.unlink()
    served.served.symlink_to(elsewhere)


def _table(served: ServedImage) -> None:
    with Archive.open(served.served) as archive:
        at = archive.header.blob_table.offset
    with served.served.open("r+b") as file:
        file.seek(at + 40)
        file.write(b"\xff")


@pytest.mark.parametrize("change", [_cut, _other_header, _gone, _link, _table])
def test_what_others_change_at_the_point_is_noticed(
    change: Callable[[ServedImage], None], served: ServedImage
) -> None:
    send(served)
    served.service()
    change(served)
    sent, _ = send(served)
    assert sent.way is Way.WHOLE
    assert served.served.read_bytes() == served.image.read_bytes()
    assert not served.served.is_symlink()


def test_damage_at_the_point_is_found_by_its_hash_and_made_good(
    served: ServedImage, clock: SetClock
) -> None:
    send(served)
    with served.served.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    (checked,) = verify_point(served.site, "here", means=means())
    assert checked.error is not None
    assert checked.error.exit_code == 97
    assert served.placed().content.state is ContentState.FAILED
    assert retry_due(served.site, means=means()) == 0, "it waits a minute"
    clock.advance(minutes=1)
    assert retry_due(served.site, means=means()) == 1
    assert served.served.read_bytes() == served.image.read_bytes()
    assert verify_point(served.site, "here", means=means())[0].error is None


def test_a_mount_that_reads_and_writes_less_than_it_is_asked_for(
    served: ServedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, write = os.pread, os.pwrite

    def less(fd: int, count: int, offset: int) -> bytes:
        return read(fd, min(count, 4093), offset)

    def part(fd: int, data: memoryview, offset: int) -> int:
        return write(fd, data[:4093], offset)

    monkeypatch.setattr(os, "pread", less)
    monkeypatch.setattr(os, "pwrite", part)
    send(served)
    added = served.service()
    sent, _ = send(served)
    assert (sent.way, sent.sent) == (Way.TAIL, added + 208)
    assert verify_point(served.site, "here", means=means())[0].error is None
    assert served.is_served_as_it_is()


@pytest.mark.parametrize("way", [Way.WHOLE, Way.TAIL])
def test_what_reads_back_shorter_is_not_committed(
    served: ServedImage, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    before = None
    if way is Way.TAIL:
        send(served)
        before = committed(served.served)
        served.service()

    def shorter(fd: int, size: int, offset: int) -> bytes:
        return read_at(fd, size - 1, offset)

    with monkeypatch.context() as patch:
        patch.setattr(folder_transfer, "read_at", shorter)
        (sent,) = send_to(served.site, [served.id], means=means())
    assert isinstance(sent.error, ContentMismatch)
    assert before == (committed(served.served) if served.served.exists() else None)
    assert send(served)[0].way is Way.WHOLE
    assert served.is_served_as_it_is()


def test_what_is_written_while_it_is_sent_is_sent_next(served: ServedImage) -> None:
    """The source is serviced in the middle of the transfer: the newer state arrives as well."""
    old = served.image.stat().st_size
    added = 0

    class Servicing(WrittenDisk):
        def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
            nonlocal added
            super().write_at(fd, data, offset)
            if not added:
                added = served.service(record=False)

    disk = Servicing(served.point)
    (sent,) = send_to(served.site, [served.id], means=means(disk))
    assert sent.error is None
    assert served.served.read_bytes() == served.image.read_bytes()
    verify(served.served)
    # The file that was half sent serves for the newer state: nothing of it is sent again.
    assert sent.sent <= old + added + 2 * 208
    assert not served.placed().is_current or served.placed().package.content_version == 1


def test_a_rollback_and_another_update_while_it_is_sent(served: ServedImage) -> None:
    served.service()
    done = False

    class Changing(WrittenDisk):
        def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
            nonlocal done
            super().write_at(fd, data, offset)
            if not done and len(self.writes) > 3:
                done = True
                served.roll_back()
                served.service("Lab-Another-Package")

    (sent,) = send_to(served.site, [served.id], means=means(Changing(served.point)))
    assert done
    assert sent.error is None
    assert served.served.read_bytes() == served.image.read_bytes()
    verify(served.served)


def test_a_source_that_never_rests_is_given_up(served: ServedImage) -> None:
    for _ in range(4):
        served.service(record=False)

    def move_on() -> None:
        current = list_generations(served.image)[1]
        assert current is not None
        rollback(served.image, current.number % 5 + 1, disk=means().disk)

    (sent,) = distribute_with(served, move_on)
    assert sent.error is not None
    assert "changes faster" in sent.error.message
    assert not served.served.exists()


def distribute_with(served: ServedImage, permit: Callable[[], None]) -> list[Sent]:
    """Distribute with something that happens before every commit."""
    with served.site.writing() as session:
        place(session, package_of(session, served.id), point_of(session, "here"))
    return distribute(served.site, served.id, Reporter(), permit, means=means(segment=1 << 30))


def test_the_file_is_never_sent_to_itself(served: ServedImage) -> None:
    served.served.parent.mkdir()
    os.link(served.image, served.served)
    (sent,) = send_to(served.site, [served.id], ["here"], means=means())
    assert isinstance(sent.error, DistributionError)
    assert "own file" in sent.error.message


def test_one_package_folder_that_is_a_link_is_not_followed(
    served: ServedImage, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    served.served.parent.symlink_to(tmp_path / "elsewhere")
    (sent,) = send_to(served.site, [served.id], ["here"], means=means())
    assert isinstance(sent.error, DistributionError)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_is_due_by_itself(served: ServedImage) -> None:
    send(served)
    served.service()
    assert retry_due(served.site, means=means()) == 0, "a new state waits to be sent"
    (sent,) = update(served.site, means=means())
    assert sent.way is Way.TAIL
    served.roll_back()
    assert retry_due(served.site, means=means()) == 1, "a state that was taken back does not"
    assert served.is_served_as_it_is()
    served.service("Lab-Another-Package")
    assert retry_due(served.site, means=means()) == 0
    change_point(served.site, "here", follow=True)
    assert retry_due(served.site, means=means()) == 1
    assert served.is_served_as_it_is()
    assert retry_due(served.site, means=means()) == 0


def test_a_run_distributes_before_the_site_has_read_the_file(served: ServedImage) -> None:
    send(served)
    served.service(record=False)
    (sent,) = distribute(served.site, served.id, Reporter(), always, means=means())
    assert sent.way is Way.TAIL
    record_commit(served.site, served.id)
    assert not served.placed().is_current
    disk = WrittenDisk(served.point)
    assert retry_due(served.site, means=means(disk)) == 1
    assert disk.writes == []
    assert served.placed().is_current


def test_without_records_what_was_serviced_travels_whole(served: ServedImage) -> None:
    send(served)
    served.service()
    sidecar_path(served.image).unlink()
    sent, _ = send(served)
    assert sent.way is Way.WHOLE
    assert committed(served.served) == committed(served.image)


def test_a_transaction_that_is_not_committed_sends_nothing(served: ServedImage) -> None:
    send(served)
    with Transaction.begin(served.image, disk=means().disk):
        sent, disk = send(served)
    assert (sent.way, disk.writes) == (Way.NOTHING, [])
