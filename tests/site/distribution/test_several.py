"""Several image packages at one point: one that is down is asked once, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.site.conftest import SetClock
from tests.site.distribution.distributing import ServedImage, means, register
from wimdock.errors import NoSuchRecord, PointDown
from wimdock.site.distribution import placed, retry_due, send_to, verify_point, withdraw
from wimdock.site.distribution.folder_point import FolderPoint
from wimdock.site.models import ContentState


@pytest.fixture
def both(served: ServedImage, lab_image: Callable[[str], Path]) -> list[str]:
    """Give the IDs of two image packages that the point `here` has."""
    other = register(served.site, lab_image("none"), served.point)
    send_to(served.site, [served.id, other.id], means=means())
    return [served.id, other.id]


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list that grows whenever the point is asked."""
    made: list[str] = []
    whole = FolderPoint.check

    def check(store: FolderPoint) -> None:
        made.append("asked")
        whole(store)

    monkeypatch.setattr(FolderPoint, "check", check)
    return made


def states(served: ServedImage) -> list[ContentState]:
    with served.site.reading() as session:
        return [each.content.state for each in placed(session)]


def test_verifying_at_a_point_that_is_down(
    served: ServedImage, both: list[str], checks: list[str]
) -> None:
    served.point.rename(served.point.with_name("away"))
    done = verify_point(served.site, "here", means=means())
    assert [each.package_id for each in done] == both
    assert all(isinstance(each.error, PointDown) for each in done)
    assert len(checks) == 1


def test_withdrawing_from_a_point_that_is_down(
    served: ServedImage, both: list[str], checks: list[str], clock: SetClock
) -> None:
    away = served.point.rename(served.point.with_name("away"))
    with pytest.raises(PointDown):
        withdraw(served.site, both, "here", means=means())
    assert states(served) == [ContentState.REMOVING] * 2, "both are asked for"
    assert len(checks) == 1
    clock.advance(minutes=1)
    assert retry_due(served.site, means=means()) == 0
    assert len(checks) == 2
    away.rename(served.point)
    clock.advance(hours=1)
    assert retry_due(served.site, means=means()) == 2
    assert states(served) == []


def test_withdrawing_what_is_not_all_there(served: ServedImage, both: list[str]) -> None:
    with pytest.raises(NoSuchRecord, match="CAS0000F is not at"):
        withdraw(served.site, [*both, "CAS0000F"], "here", means=means())
    assert states(served) == [ContentState.CURRENT] * 2
    withdraw(served.site, [], "here", means=means())
    assert states(served) == [ContentState.CURRENT] * 2
