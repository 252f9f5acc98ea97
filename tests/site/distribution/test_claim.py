"""One transfer of a content at a time, and a holder that comes too late writes no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.site.conftest import SetClock
from tests.site.distribution.distributing import SEGMENT, ServedImage, WrittenDisk, means
from wimdock.errors import DatabaseUnavailable, RunCancelled, StorageError
from wimdock.events import Reporter
from wimdock.site.distribution import (
    Means,
    Sent,
    Way,
    distribute,
    retry_due,
    send_to,
    verify_point,
    withdraw,
)
from wimdock.site.distribution.claim import Claim, Overtaken, take
from wimdock.site.models import ContentState, DistributedContent


class Meanwhile(WrittenDisk):
    """Does something once, after the first write."""

    def __init__(self, served: ServedImage, what: Callable[[], object]) -> None:
        """Take what is done."""
        super().__init__(served.point)
        self._what = what
        self.done: object = None

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write; the first time do it."""
        super().write_at(fd, data, offset)
        if len(self.writes) == 1:
            self.done = self._what()


def send(served: ServedImage) -> Sent:
    (sent,) = send_to(served.site, [served.id], means=means())
    return sent


def test_a_second_sender_leaves_it_to_the_first(served: ServedImage) -> None:
    disk = Meanwhile(served, lambda: (send(served), verify_point(served.site, "here")))
    (first,) = send_to(served.site, [served.id], means=means(disk))
    assert first.error is None
    assert isinstance(disk.done, tuple)
    second, checked = disk.done
    assert (second.way, second.error, second.sent) == (None, None, 0)
    assert second.why == "another process sends it"
    assert checked == [], "it is not there yet"
    assert served.is_served_as_it_is()


def test_nothing_is_withdrawn_under_a_sender(served: ServedImage) -> None:
    def try_to() -> str:
        with pytest.raises(Exception, match="right now") as found:
            withdraw(served.site, [served.id], "here", means=means())
        return str(found.value)

    disk = Meanwhile(served, try_to)
    send_to(served.site, [served.id], means=means(disk))
    assert disk.done
    assert served.placed().content.state is ContentState.REMOVING
    assert retry_due(served.site, means=means()) == 1
    assert not served.served.exists()


def test_a_claim_that_ran_out_is_taken_over(served: ServedImage, clock: SetClock) -> None:
    """The first sender is paused for longer than its claim and wakes up after the second."""
    send(served)
    served.service()

    def overtake() -> Sent:
        clock.advance(minutes=3)
        return send(served)

    disk = Meanwhile(served, overtake)
    slow = Means(disk=disk, segment=SEGMENT, lease=timedelta(0))
    (first,) = send_to(served.site, [served.id], means=slow)
    assert isinstance(disk.done, Sent)
    assert (disk.done.error, disk.done.way) == (None, Way.TAIL)
    assert (first.way, first.error) == (None, None)
    assert len(disk.writes) == 1, "it wrote no more"
    assert served.served.read_bytes() == served.image.read_bytes()
    assert served.placed().content.state is ContentState.CURRENT


def test_a_dead_senders_claim_runs_out(served: ServedImage, clock: SetClock) -> None:
    send(served)
    served.service()
    with served.site.writing() as session:
        content = session.get_one(DistributedContent, (served.placed().point.id, served.id))
        content.state = ContentState.SENDING
        content.holder = "gone:1:x"
        content.held_until = clock.now() + timedelta(minutes=2)
        content.wanted_version = 2
    assert retry_due(served.site, means=means()) == 0
    assert send(served).way is None
    clock.advance(minutes=2)
    assert retry_due(served.site, means=means()) == 1
    assert served.is_served_as_it_is()


def test_a_claim_that_is_lost_is_noticed(served: ServedImage, clock: SetClock) -> None:
    send(served)
    found = served.placed()
    first = take(served.site, found.point.id, served.id)
    assert first is not None
    assert take(served.site, found.point.id, served.id) is None
    clock.advance(minutes=3)
    second = take(served.site, found.point.id, served.id)
    assert second is not None
    with pytest.raises(Overtaken):
        first.renew()
    first.release(ContentState.WAITING)
    second.renew()
    second.release()
    assert served.placed().content.holder == ""


def test_a_cancelled_run_commits_nothing_at_a_point(served: ServedImage) -> None:
    send(served)
    old = served.served.read_bytes()
    served.service()

    def cancelled() -> None:
        message = "the run was cancelled"
        raise RunCancelled(message)

    with pytest.raises(RunCancelled):
        distribute(served.site, served.id, Reporter(), cancelled, means=means())
    assert served.served.read_bytes()[: len(old)] == old
    found = served.placed().content
    assert (found.state, found.holder, found.attempts) == (ContentState.WAITING, "", 0)
    assert retry_due(served.site, means=means()) == 1
    assert served.is_served_as_it_is()


def test_a_database_that_is_lost_ends_the_transfer_before_its_commit(
    served: ServedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(served)
    old = served.served.read_bytes()
    served.service()

    def lost(claim: Claim, transfer: object = None) -> None:
        del claim, transfer
        message = "the database is gone"
        raise DatabaseUnavailable(message)

    with monkeypatch.context() as patch:
        patch.setattr(Claim, "renew", lost)
        with pytest.raises(DatabaseUnavailable):
            distribute(served.site, served.id, means=means())
    assert served.served.read_bytes()[:208] == old[:208]
    assert retry_due(served.site, means=means()) == 1
    assert served.is_served_as_it_is()


def test_a_failure_of_one_that_was_overtaken_is_not_recorded(
    served: ServedImage, clock: SetClock
) -> None:
    send(served)
    served.service()

    def overtake() -> None:
        clock.advance(minutes=3)
        send(served)
        message = "No space left on device"
        raise StorageError(message)

    (first,) = send_to(served.site, [served.id], means=means(Meanwhile(served, overtake)))
    assert isinstance(first.error, StorageError)
    found = served.placed().content
    assert (found.state, found.attempts, found.error) == (ContentState.CURRENT, 0, "")
    assert served.is_served_as_it_is()
