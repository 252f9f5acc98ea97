"""Points of a site that was restored from a backup: taken over by hand, and by one site only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.site.conftest import SetClock
from tests.site.distribution.distributing import ServedImage, WrittenDisk, means, verify
from wimdock.errors import AlreadyRecorded, DistributionError, PointDown
from wimdock.site.backup.creation import backup_site
from wimdock.site.backup.restoration import restore_site
from wimdock.site.distribution import (
    Sent,
    Way,
    add_point,
    change_point,
    point_of,
    retry_due,
    send_to,
    verify_point,
)
from wimdock.site.distribution.folder_point import MARK_NAME
from wimdock.site.models import Audit
from wimdock.site.opening import Place, open_site
from wimdock.site.site import Site
from wimdock.site.status import status_of


def send(served: ServedImage, site: Site) -> tuple[Sent, WrittenDisk]:
    disk = WrittenDisk(served.point)
    (sent,) = send_to(site, [served.id], ["here"], means=means(disk))
    return sent, disk


@pytest.fixture
def restored(served: ServedImage, tmp_path: Path, clock: SetClock) -> Iterator[Site]:
    """Give the site as it was when the point had the first state of the image."""
    send(served, served.site)
    backup = backup_site(served.site, tmp_path / "backup.tar.gz").path
    restore_site(backup, Place(tmp_path / "restored"), clock)
    site = open_site(Place(tmp_path / "restored"), clock)
    yield site
    site.close()


def test_nothing_is_written_until_the_point_is_taken_over(
    served: ServedImage, restored: Site, clock: SetClock
) -> None:
    served.service()
    before = served.served.read_bytes()
    sent, disk = send(served, restored)
    assert isinstance(sent.error, DistributionError)
    assert not isinstance(sent.error, PointDown)
    assert "served by another site" in sent.error.message
    assert sent.error.hint == (
        "Stop that site, then take it over: wimdock distribution enable here."
    )
    assert "distribution points here: see" in status_of(restored).problems[-1]
    (checked,) = verify_point(restored, "here", means=means())
    assert str(checked.error) == str(sent.error)
    clock.advance(hours=1)
    assert retry_due(restored, means=means(disk)) == 0
    assert disk.writes == []
    assert served.served.read_bytes() == before
    assert send(served, served.site)[0].error is None, "the old site goes on meanwhile"


def test_one_that_was_taken_over_is_closed_to_the_old_site(
    served: ServedImage, restored: Site
) -> None:
    served.service()
    assert send(served, restored)[0].error is not None
    change_point(restored, "here", enabled=True)
    mark = json.loads((served.point / MARK_NAME).read_bytes())
    assert (mark["site"], mark["name"]) == (restored.uuid, "here")
    with restored.reading() as session:
        assert "distribution.take_over" in session.scalars(select(Audit.action)).all()
    assert retry_due(restored, means=means()) == 1, "what failed before is tried at once"
    assert status_of(restored).problems == ()
    assert served.is_served_as_it_is()
    verify(served.served)
    served.service()
    sent, disk = send(served, served.site)
    assert sent.error is not None
    assert "served by another site" in sent.error.message
    assert disk.writes == []
    assert send(served, restored)[0].error is None
    change_point(restored, "here", enabled=True)
    assert send(served, restored)[0].way is Way.NOTHING


def test_what_the_old_site_sent_after_the_backup_is_not_trusted(
    served: ServedImage, restored: Site
) -> None:
    served.service()
    send(served, served.site)
    served.roll_back()
    served.service("Lab-Another-Package")
    change_point(restored, "here", enabled=True)
    sent, _ = send(served, restored)
    assert (sent.way, sent.why) == (Way.WHOLE, "another program changed it at the point")
    assert served.is_served_as_it_is()
    assert verify_point(restored, "here", means=means())[0].error is None


def test_a_point_that_was_added_after_the_backup(
    served: ServedImage, restored: Site, tmp_path: Path
) -> None:
    (tmp_path / "later").mkdir()
    add_point(served.site, "later", str(tmp_path / "later"))
    with pytest.raises(AlreadyRecorded, match="of site CAS already") as caught:
        add_point(restored, "later", str(tmp_path / "later"))
    assert "restored" in caught.value.hint
    (tmp_path / "later" / MARK_NAME).unlink()
    add_point(restored, "later", str(tmp_path / "later"))


def test_enabling_takes_nothing_else_over(served: ServedImage, restored: Site) -> None:
    mark = served.point / MARK_NAME
    other = mark.read_text().replace('"point": "', '"point": "x')
    mark.write_text(other)
    change_point(restored, "here", enabled=True)
    assert mark.read_text() == other
    mark.unlink()
    change_point(restored, "here", enabled=True)
    assert not mark.exists()
    served.point.rename(served.point.with_name("away"))
    change_point(restored, "here", enabled=True)
    with restored.reading() as session:
        assert point_of(session, "here").enabled
