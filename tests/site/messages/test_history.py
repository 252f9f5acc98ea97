"""The history of image packages."""

from __future__ import annotations

import pytest

from tests.site.conftest import SetClock
from wimdock.errors import NoSuchRecord
from wimdock.site.messages import history_of, remember
from wimdock.site.site import Site


def test_history_is_given_newest_first(site: Site, clock: SetClock) -> None:
    for number in range(3):
        clock.advance(minutes=1)
        with site.writing() as session:
            remember(
                session,
                site,
                "CAS00001",
                action="run",
                result="succeeded",
                generation=number,
                run_id=number,
                seconds=2.5,
                updates=[{"id": 16777217, "title": "KB5", "result": "installed"}],
                operator="ann",
            )
            remember(session, site, "CAS00002", action="rollback", result="succeeded")
    newest, *_ = found = history_of(site, "CAS00001")
    assert [each.generation for each in found] == [2, 1, 0]
    assert newest.at == clock.now()
    assert (newest.operator, newest.seconds) == ("ann", 2.5)
    assert newest.updates == [{"id": 16777217, "title": "KB5", "result": "installed"}]
    assert [each.generation for each in history_of(site, "CAS00001", 1)] == [2]
    assert {each.operator for each in history_of(site, "CAS00002")} == {site.operator}


def test_the_end_of_a_run_is_remembered_once(site: Site) -> None:
    for _ in range(2):
        with site.writing() as session:
            remember(session, site, "CAS00001", action="run", result="failed", run_id=7)
    assert len(history_of(site, "CAS00001")) == 1


def test_a_package_that_never_was_has_no_history(site: Site) -> None:
    with pytest.raises(NoSuchRecord):
        history_of(site, "CAS00009")
