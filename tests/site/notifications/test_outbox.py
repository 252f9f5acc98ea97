"""The outbox: what is told of which run, kept with the run, sent by one process at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from tests.site.conftest import SetClock
from tests.site.notifications.conftest import EndRun, told, webhook
from tests.site.notifications.receiver import Receiver
from wimdock.errors import NoSuchRecord
from wimdock.site.models import Audit, Notification, NotificationState, RunState, StatusMessageRow
from wimdock.site.notifications import (
    MOST_TRIES,
    deliver,
    outbox,
    send_due,
    send_now,
    sender,
    try_again,
)
from wimdock.site.notifications.back_off import LONGEST_WAIT, wait_after
from wimdock.site.notifications.delivery_failure import NotSent
from wimdock.site.notifications.outbox import CLAIMED_FOR, claim, settle_failed, settle_sent
from wimdock.site.site import Site

NOWHERE = "http://127.0.0.1:9/"


def states(site: Site) -> list[tuple[str, str, int]]:
    return [(row.target, row.state.value, row.attempts) for row in reversed(outbox(site))]


@pytest.mark.parametrize(
    "state,expected",
    [
        (RunState.SUCCEEDED, ["all", "good"]),
        (RunState.FAILED, ["all", "bad"]),
        (RunState.TIMED_OUT, ["all", "bad"]),
        (RunState.LOCKED, ["all", "bad"]),
        (RunState.REFUSED, ["all", "bad"]),
        (RunState.CANCELLED, []),
        (RunState.RUNNING, []),
    ],
)
def test_targets_hear_of_what_they_listen_for(
    site: Site, end_run: EndRun, state: RunState, expected: list[str]
) -> None:
    site = told(
        site,
        webhook(NOWHERE, "all"),
        webhook(NOWHERE, "good", "succeeded"),
        webhook(NOWHERE, "bad", "failed", "refused"),
    )
    run_id = end_run(site, state)
    rows = outbox(site)
    assert sorted(row.target for row in rows) == expected
    assert {row.run_id for row in rows} <= {run_id}
    assert len({row.body["id"] for row in rows}) == len(rows)


def test_a_run_that_is_not_kept_is_not_told(site: Site, end_run: EndRun) -> None:
    site = told(site, webhook(NOWHERE))
    with pytest.raises(TypeError):
        end_run(site, RunState.FAILED, no_such_column=1)
    assert outbox(site) == []


def test_an_attempt_is_told_once(site: Site, end_run: EndRun) -> None:
    from wimdock.site.models import Run
    from wimdock.site.notifications import enqueue

    site = told(site, webhook(NOWHERE))
    run_id = end_run(site)
    with site.writing() as session:
        run = session.get_one(Run, run_id)
        assert enqueue(session, site, "failed", run) == 0
        run.attempt = 2
        assert enqueue(session, site, "failed", run) == 1
    assert [row.attempt_of_run for row in outbox(site)] == [2, 1]


def test_what_is_due_the_longest_is_claimed_first_and_once(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    site = told(site, webhook(NOWHERE))
    first = end_run(site)
    clock.advance(seconds=1)
    second = end_run(site)
    one, other = claim(site), claim(site)
    assert one is not None
    assert other is not None
    assert (one.body["run"]["id"], other.body["run"]["id"]) == (first, second)
    assert claim(site) is None
    clock.advance(seconds=CLAIMED_FOR.total_seconds())
    # As after a crash in the midst of sending: it is sent again, and the late word is not heard.
    again = claim(site)
    assert again is not None
    assert (again.id, again.attempt) == (one.id, 2)
    settle_sent(site, one, "")
    assert states(site)[0] == ("ops", "waiting", 2)
    settle_sent(site, again, "")
    assert states(site)[0] == ("ops", "sent", 2)


def test_two_processes_send_each_notification_once(site: Site, end_run: EndRun) -> None:
    with Receiver() as receiver:
        site = told(site, webhook(receiver.url))
        for _ in range(12):
            end_run(site)
        together = threading.Barrier(3)

        def work(_: int) -> int:
            together.wait(10)
            return send_due(site)

        with ThreadPoolExecutor(3) as pool:
            sent = list(pool.map(work, range(3)))
        assert sum(sent) == 12
        identifiers = [each.headers["webhook-id"] for each in receiver.received]
        assert len(identifiers) == len(set(identifiers)) == 12
    assert {row.state for row in outbox(site)} == {NotificationState.SENT}


def test_what_failed_waits_longer_each_time_and_is_given_up(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    site = told(site, webhook(NOWHERE))
    end_run(site)
    begun, waits = clock.now(), []
    for number in range(1, MOST_TRIES):
        assert send_now(site).failed == 1
        (row,) = outbox(site)
        assert (row.attempts, row.state) == (number, NotificationState.WAITING)
        waits.append(row.next_try_at - clock.now())
        assert send_now(site).failed == 0
        clock.at = row.next_try_at
    assert timedelta(seconds=24) <= waits[0] <= timedelta(seconds=36)
    assert all(one * 1.3 < other for one, other in pairwise(waits[:9]))
    assert timedelta(days=2) < clock.now() - begun < timedelta(days=4)
    assert send_now(site).given_up == 1
    (row,) = outbox(site)
    assert row.state is NotificationState.GIVEN_UP
    assert row.error == "127.0.0.1 refuses connections on port 9"
    with site.reading() as session:
        message = session.scalars(select(StatusMessageRow)).one()
    assert message.strings == ["ops", "failed", row.error]
    assert message.run_id == row.run_id
    assert "42060" in (site.logs / "OfflineServicingMgr.log").read_text()


def test_a_target_that_is_down_holds_up_no_other(site: Site, end_run: EndRun) -> None:
    with Receiver() as receiver:
        site = told(site, webhook(NOWHERE, "down"), webhook(receiver.url, "up"))
        for _ in range(5):
            end_run(site)
        found = send_now(site)
        assert (found.sent, found.failed) == (5, 1)
        assert [each.notice["event"] for each in receiver.received] == ["failed"] * 5
    assert sum(row.attempts for row in outbox(site) if row.target == "down") == 1


def test_a_target_that_is_gone_from_the_settings_is_waited_for(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    with Receiver() as receiver:
        named = told(site, webhook(receiver.url))
        end_run(named)
        assert send_now(told(site)).failed == 1
        assert outbox(site)[0].error == "the settings have no target ops any more"
        clock.advance(minutes=1)
        assert send_due(named) == 1


def test_a_person_has_it_tried_again(site: Site, end_run: EndRun) -> None:
    with Receiver() as receiver:
        down = told(site, webhook(NOWHERE))
        for _ in range(3):
            end_run(down)
        send_now(down)
        claimed = claim(site, ())
        assert claimed is not None
        with site.writing() as session:
            session.get_one(Notification, claimed.id).attempts = MOST_TRIES
        from dataclasses import replace

        from wimdock.site.notifications.delivery_failure import NotSent

        settle_failed(site, replace(claimed, attempt=MOST_TRIES), NotSent("down"))
        (first, second, third) = reversed(outbox(site))
        assert [first.state, second.state, third.state].count(NotificationState.GIVEN_UP) == 1
        assert try_again(site) == [first.id, second.id]
        up = told(site, webhook(receiver.url))
        assert send_due(up) == 3
    assert {row.state for row in outbox(site)} == {NotificationState.SENT}
    with site.reading() as session:
        audited = session.scalars(select(Audit).where(Audit.action == "notification.retry")).all()
    assert [each.object for each in audited] == [str(first.id), str(second.id)]
    with pytest.raises(NoSuchRecord, match=f"notification {first.id} was sent"):
        try_again(site, [first.id])


def test_nothing_is_changed_where_one_of_the_ids_is_wrong(site: Site, end_run: EndRun) -> None:
    site = told(site, webhook(NOWHERE))
    end_run(site)
    send_now(site)
    (row,) = outbox(site)
    with pytest.raises(NoSuchRecord):
        try_again(site, [row.id, 999])
    assert outbox(site)[0].attempts == 1


def test_the_list_has_an_end_and_can_be_narrowed(site: Site, end_run: EndRun) -> None:
    site = told(site, webhook(NOWHERE))
    runs = [end_run(site) for _ in range(3)]
    assert [row.run_id for row in outbox(site, limit=2)] == [runs[2], runs[1]]
    assert outbox(site, state=NotificationState.SENT) == []


def test_waits_double_up_to_a_limit_and_heed_the_receiver() -> None:
    dice = Random(1)
    for tries in range(1, 60):
        wait = wait_after(tries, dice)
        assert timedelta(seconds=24) <= wait <= LONGEST_WAIT * 1.2
    assert wait_after(1, dice, asked=timedelta(hours=1)) == timedelta(hours=1)
    assert wait_after(1, dice, asked=timedelta(days=9)) == LONGEST_WAIT


def test_an_error_in_wimdock_holds_up_no_other_for_good(
    site: Site, end_run: EndRun, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    with Receiver() as receiver:
        site = told(site, webhook(receiver.url))
        first, second = end_run(site), end_run(site)

        def broken(each: Site, name: str, notice: dict[str, Any]) -> str:
            if notice["run"]["id"] == first:
                message = f"a secret: {receiver.url}"
                raise ZeroDivisionError(message)
            return deliver(each, name, notice)

        monkeypatch.setattr("wimdock.site.notifications.sender.deliver", broken)
        with pytest.raises(ZeroDivisionError):
            send_due(site)
        assert send_due(site) == 1
        assert [each.notice["run"]["id"] for each in receiver.received] == [second]
        (_, row) = outbox(site)
        assert (row.error, row.attempts) == ("an error in wimdock: ZeroDivisionError", 1)
        assert row.next_try_at > clock.now()


def test_what_is_being_sent_is_not_tried_again(
    site: Site, end_run: EndRun, clock: SetClock
) -> None:
    site = told(site, webhook(NOWHERE))
    end_run(site)
    end_run(site)
    first = claim(site)
    assert first is not None
    settle_failed(site, first, NotSent("down"))
    clock.advance(minutes=1)
    sent = claim(site)  # the other one, for which this is the first try
    again = claim(site)  # the first one, for the second time
    assert sent is not None
    assert again is not None
    assert {sent.id, again.id} == {1, 2}
    assert try_again(site) == []
    with pytest.raises(NoSuchRecord, match="is being sent"):
        try_again(site, [again.id])
    clock.advance(seconds=CLAIMED_FOR.total_seconds())  # whoever sent them is dead
    assert try_again(site) == [1, 2]


def test_a_slow_target_leaves_others_their_turn(
    site: Site, end_run: EndRun, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = told(site, webhook(NOWHERE, "slow"))
    both = told(site, webhook(NOWHERE, "slow"), webhook(NOWHERE, "quick"))
    for _ in range(3):
        end_run(slow)
    clock.advance(seconds=1)
    end_run(both)
    order: list[str] = []

    def deliver_to(_site: Site, name: str, _notice: object) -> str:
        order.append(name)
        return ""

    monkeypatch.setattr(sender, "deliver", deliver_to)
    monkeypatch.setattr(sender, "_TURN_SECONDS", 0.0)
    assert send_now(both).sent == 5
    assert order == ["slow", "quick", "slow", "slow", "slow"]


def test_what_no_process_survives_is_given_up(site: Site, end_run: EndRun, clock: SetClock) -> None:
    with Receiver() as receiver:
        site = told(site, webhook(receiver.url))
        end_run(site)
        for _ in range(MOST_TRIES):
            assert claim(site) is not None
            clock.advance(seconds=CLAIMED_FOR.total_seconds())
        assert send_now(site).given_up == 1
        assert receiver.received == []
    assert states(site) == [("ops", "given up", MOST_TRIES + 1)]
