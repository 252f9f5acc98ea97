"""Points: added, marked, changed, removed; where they may be; what is withdrawn from them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, inspect, select

from tests.site.conftest import SetClock
from tests.site.distribution.distributing import ServedImage, WrittenDisk, means
from wimdock.errors import (
    AlreadyRecorded,
    DistributionError,
    NoSuchRecord,
    PointDown,
    UsageError,
)
from wimdock.site.distribution import (
    add_point,
    all_points,
    change_point,
    distribute,
    placed,
    point_of,
    remove_point,
    retry_due,
    send_to,
    update,
    verify_point,
    want,
    withdraw,
)
from wimdock.site.distribution.contents import due
from wimdock.site.distribution.folder_point import MARK_NAME, FolderPoint
from wimdock.site.distribution.location import name_at_point, parse_location
from wimdock.site.images.removing import remove_package
from wimdock.site.messages.table import (
    CONTENT_FAILED,
    CONTENT_REMOVED,
    CONTENT_SENT,
    POINT_BACK,
    POINT_DOWN,
)
from wimdock.site.models import (
    Audit,
    ContentState,
    DistributedContent,
    DistributionPoint,
    ImagePackage,
    PointKind,
    StatusMessageRow,
)
from wimdock.site.site import Site


def messages(site: Site) -> list[int]:
    """Give the IDs of the status messages about distribution, oldest first."""
    with site.reading() as session:
        found = session.scalars(select(StatusMessageRow.message_id).order_by(StatusMessageRow.id))
        return [each for each in found if 42050 <= each < 42060]


def test_a_folder_is_marked_and_belongs_to_one_point(served: ServedImage, tmp_path: Path) -> None:
    mark = json.loads((served.point / MARK_NAME).read_bytes())
    assert (mark["code"], mark["name"]) == ("CAS", "here")
    with pytest.raises(AlreadyRecorded):
        add_point(served.site, "here", str(tmp_path))
    with pytest.raises(AlreadyRecorded):
        add_point(served.site, "again", f"{served.point}/.")
    link = tmp_path / "link"
    link.symlink_to(served.point)
    with pytest.raises(AlreadyRecorded, match="of site CAS already"):
        add_point(served.site, "again", str(link))
    with served.site.reading() as session:
        assert [point.name for point in all_points(session)] == ["here"]
        actions = session.scalars(select(Audit.action)).all()
    assert "distribution.add" in actions


def test_a_folder_of_another_site(served: ServedImage, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / MARK_NAME).write_text('{"site": "somebody", "code": "ABC", "point": "x"}')
    with pytest.raises(AlreadyRecorded, match="of site ABC already"):
        add_point(served.site, "other", str(other))
    (other / MARK_NAME).write_bytes(b"\xff[" * 9999)
    with pytest.raises(AlreadyRecorded, match="of another site already"):
        add_point(served.site, "other", str(other))


def test_a_folder_that_is_not_there(site: Site, tmp_path: Path) -> None:
    for path in (tmp_path / "none", Path(__file__)):
        with pytest.raises(PointDown):
            add_point(site, "none", str(path))
    with site.reading() as session:
        assert all_points(session) == []


def test_a_mount_that_is_gone_is_no_empty_point(served: ServedImage, clock: SetClock) -> None:
    """The folder under a mount is there and empty: nothing is written into it."""
    send_to(served.site, [served.id], means=means())
    away = served.point.rename(served.point.with_name("away"))
    served.point.mkdir()
    served.service()
    (sent,) = distribute(served.site, served.id, means=means())
    assert isinstance(sent.error, PointDown)
    assert list(served.point.iterdir()) == []
    found = served.placed()
    assert found.point.down_since == clock.now()
    assert found.content.state is ContentState.WAITING
    assert found.content.attempts == 0
    assert retry_due(served.site, means=means()) == 0
    clock.advance(minutes=1)
    assert retry_due(served.site, means=means()) == 0, "still down"
    clock.advance(minutes=1)
    served.point.rmdir()
    away.rename(served.point)
    assert retry_due(served.site, means=means()) == 1
    assert served.is_served_as_it_is()
    assert served.placed().point.down_since is None
    assert messages(served.site) == [
        CONTENT_SENT.id,
        POINT_DOWN.id,
        POINT_BACK.id,
        CONTENT_SENT.id,
    ]


def test_another_folder_in_its_place_is_refused(served: ServedImage) -> None:
    mark = served.point / MARK_NAME
    mark.write_text(mark.read_text().replace('"point": "', '"point": "x'))
    (sent,) = send_to(served.site, [served.id], means=means())
    assert isinstance(sent.error, DistributionError)
    assert not isinstance(sent.error, PointDown)
    assert "another distribution point" in sent.error.message
    assert messages(served.site) == [CONTENT_FAILED.id]


def test_the_waits_grow(served: ServedImage, clock: SetClock) -> None:
    waits = []
    (served.point / MARK_NAME).unlink()
    for _ in range(12):
        send_to(served.site, [served.id], means=means())
        retry_at = served.placed().point.retry_at
        assert retry_at is not None
        waits.append((retry_at - clock.now()).total_seconds() / 60)
        clock.at = retry_at
    assert waits == [1, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert messages(served.site) == [POINT_DOWN.id], "told once"


def test_a_failure_of_one_file_is_tried_again_later(served: ServedImage, clock: SetClock) -> None:
    served.served.parent.write_text("no folder")
    for minutes in (1, 2, 4):
        (sent,) = send_to(served.site, [served.id], means=means())
        assert isinstance(sent.error, DistributionError)
        assert sent.error.hint == "What stands there is not wimdock's: move it away."
        found = served.placed().content
        assert found.state is ContentState.FAILED
        assert found.retry_at is not None
        assert (found.retry_at - clock.now()).total_seconds() == minutes * 60
        clock.at = found.retry_at
    assert messages(served.site) == [CONTENT_FAILED.id], "told once"
    served.served.parent.unlink()
    assert retry_due(served.site, means=means()) == 1
    assert served.placed().content.attempts == 0


def test_a_disabled_point_is_left_alone(served: ServedImage) -> None:
    send_to(served.site, [served.id], means=means())
    change_point(served.site, "here", enabled=False)
    served.service()
    disk = WrittenDisk(served.point)
    assert distribute(served.site, served.id, means=means(disk)) == []
    assert retry_due(served.site, means=means(disk)) == 0
    with pytest.raises(UsageError):
        send_to(served.site, [served.id], means=means(disk))
    with pytest.raises(UsageError):
        send_to(served.site, [served.id], ["here"], means=means(disk))
    assert disk.writes == []
    change_point(served.site, "here", enabled=True)
    assert retry_due(served.site, means=means(disk)) == 1
    assert served.is_served_as_it_is()


def test_what_is_wanted_is_sent_by_itself(served: ServedImage) -> None:
    with served.site.writing() as session:
        assert want(session, served.id) == 0, "it is nowhere yet"
    send_to(served.site, [served.id], means=means())
    served.service()
    for _ in range(2):
        with served.site.writing() as session:
            assert want(session, served.id) == 1
    assert served.placed().content.wanted_version == 2
    assert retry_due(served.site, means=means()) == 1
    assert retry_due(served.site, means=means()) == 0
    assert served.placed().content.content_version == 2


def test_withdrawing(served: ServedImage, clock: SetClock) -> None:
    send_to(served.site, [served.id], means=means())
    (served.served.parent / "readme.txt").write_text("somebody else's")
    away = served.point.rename(served.point.with_name("away"))
    served.point.mkdir()
    with pytest.raises(PointDown):
        withdraw(served.site, [served.id], "here", means=means())
    assert served.placed().content.state is ContentState.REMOVING
    assert distribute(served.site, served.id, means=means()) == []
    served.point.rmdir()
    away.rename(served.point)
    clock.advance(minutes=1)
    assert retry_due(served.site, means=means()) == 1
    assert [path.name for path in served.served.parent.iterdir()] == ["readme.txt"]
    with served.site.reading() as session:
        assert placed(session) == []
    with pytest.raises(NoSuchRecord):
        withdraw(served.site, [served.id], "here", means=means())
    assert messages(served.site)[-1] == CONTENT_REMOVED.id


def test_what_was_withdrawn_can_be_sent_again(served: ServedImage) -> None:
    send_to(served.site, [served.id], means=means())
    withdraw(served.site, [served.id], "here", means=means())
    assert not served.served.parent.exists()
    (sent,) = send_to(served.site, [served.id], means=means())
    assert sent.error is None
    assert served.is_served_as_it_is()


def test_an_image_package_that_was_removed(served: ServedImage) -> None:
    send_to(served.site, [served.id], means=means())
    remove_package(served.site, served.id)
    assert retry_due(served.site, means=means()) == 0
    assert served.served.exists()
    with pytest.raises(NoSuchRecord):
        send_to(served.site, [served.id], means=means())
    withdraw(served.site, [served.id], "here", means=means())
    assert not served.served.exists()


def test_removing_a_point(served: ServedImage) -> None:
    send_to(served.site, [served.id], means=means())
    with pytest.raises(AlreadyRecorded, match=r"holds 1 image package \("):
        remove_point(served.site, "here")
    withdraw(served.site, [served.id], "here", means=means())
    remove_point(served.site, "here")
    assert list(served.point.iterdir()) == []
    with pytest.raises(NoSuchRecord):
        remove_point(served.site, "here")
    add_point(served.site, "here", str(served.point))
    send_to(served.site, [served.id], means=means())
    remove_point(served.site, "here", forget=True)
    assert served.served.exists()
    add_point(served.site, "there", str(served.point))
    (sent,) = send_to(served.site, [served.id], means=means())
    assert sent.error is None


def test_a_point_that_is_sent_to_while_it_is_removed(
    served: ServedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FolderPoint.check

    def check(store: FolderPoint) -> None:
        whole(store)
        monkeypatch.setattr(FolderPoint, "check", whole)
        send_to(served.site, [served.id], means=means())

    monkeypatch.setattr(FolderPoint, "check", check)
    with pytest.raises(AlreadyRecorded, match="just now"):
        remove_point(served.site, "here")
    assert (served.point / MARK_NAME).exists(), "it is a point still"
    served.service()
    (sent,) = update(served.site, means=means())
    assert sent.error is None


def test_verifying_what_is_not_there(served: ServedImage) -> None:
    assert verify_point(served.site, "here") == []
    with pytest.raises(NoSuchRecord):
        verify_point(served.site, "here", [served.id])
    with pytest.raises(NoSuchRecord):
        verify_point(served.site, "nowhere")
    send_to(served.site, [served.id], means=means())
    served.served.unlink()
    (checked,) = verify_point(served.site, "here")
    assert checked.error is not None
    assert "is gone" in checked.error.message


def test_verifying_after_the_source_has_changed_otherwise(served: ServedImage) -> None:
    """The whole file was sent, so that its hash is known although the source has it no more."""
    send_to(served.site, [served.id], means=means())
    recorded = served.placed().content.sha256
    served.image.unlink()
    other = served.served.read_bytes()
    served.image.write_bytes(other[:24] + b"other identifier" + other[40:])
    (checked,) = verify_point(served.site, "here")
    assert (checked.error, checked.sha256) == (None, recorded)
    with served.served.open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    (checked,) = verify_point(served.site, "here")
    assert checked.error is not None


@pytest.mark.parametrize(
    "text, endpoint",
    [
        ("", ""),
        ("smb://server/share", ""),
        (r"\\server\share", ""),
        ("/srv/\x1b[31m", ""),
        ("/srv/images", "http://127.0.0.1"),
        ("s3://", ""),
        ("s3://UPPER/a", ""),
        ("s3://bucket/../a", ""),
        ("s3://bucket/a b", ""),
        ("s3://bucket/a", "127.0.0.1:9000"),
        ("s3://bucket/a", "ftp://server"),
        ("s3://bucket/a", "https://server:port"),
        ("s3://bucket/a", "https://user:secret@server"),
        ("s3://bucket/a", "https://server/?x"),
    ],
)
def test_locations_that_cannot_be(text: str, endpoint: str) -> None:
    with pytest.raises(UsageError) as found:
        parse_location(text, endpoint)
    assert "secret" not in found.value.message


def test_locations() -> None:
    folder = parse_location("/srv/images/../wim/")
    assert (folder.kind, folder.text) == (PointKind.FOLDER, "/srv/wim")
    store = parse_location("s3://bucket/a/b/", "https://server:9000/")
    assert (store.text, store.endpoint) == ("s3://bucket/a/b", "https://server:9000")
    assert (store.bucket, store.prefix) == ("bucket", "a/b")


@pytest.mark.parametrize(
    "file, name",
    [
        ("/srv/install.wim", "install.wim"),
        ("/srv/Windows 11 (24H2).wim", "Windows 11 (24H2).wim"),
        ("/srv/Größe.wim", "Größe.wim"),
        ("/srv/.install.wim.part", "_.install.wim.part"),
        ("/srv/a\\..\\b:c.wim", "a_.._b_c.wim"),
        ("/srv/con.wim", "_con.wim"),
        ("/srv/a\n\x1b\udcff.wim", "a___.wim"),
        ("/srv/...", "_"),
        ("/srv/" + "ä" * 200 + ".wim", "ä" * 30 + ".wim"),
    ],
)
def test_names_at_points(file: str, name: str) -> None:
    assert name_at_point("CAS00001", file) == f"CAS00001/{name}"


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1))
def test_no_name_leads_elsewhere(name: str) -> None:
    folder, _, found = name_at_point("CAS00001", name).partition("/")
    assert folder == "CAS00001"
    assert found.isprintable()
    assert not set(found) & set('/\\:*?"<>|')
    assert not found.startswith(".")
    assert 0 < len(found.encode()) <= 160


@pytest.mark.parametrize("package_id", ["", "..", "CAS0000", "CAS00001x", "cas00001", "CAS/0001"])
def test_no_package_id_leads_elsewhere(package_id: str) -> None:
    with pytest.raises(ValueError, match="no package ID"):
        name_at_point(package_id, "install.wim")


def test_names_of_points_that_cannot_be(site: Site, tmp_path: Path) -> None:
    for name in ("", "a b", "-a", "a/b", "ä", "a" * 65):
        with pytest.raises(UsageError):
            add_point(site, name, str(tmp_path))


def test_a_point_by_its_name(served: ServedImage) -> None:
    with served.site.reading() as session:
        assert point_of(session, "here").location == os.fspath(served.point)
        with pytest.raises(NoSuchRecord):
            point_of(session, "nowhere")


def test_what_is_due_is_found_at_once_among_much_that_is_not(
    served: ServedImage, clock: SetClock
) -> None:
    """1,000 image packages at five points each, of which one waits."""
    send_to(served.site, [served.id], means=means())
    point = served.placed().point
    with served.site.writing() as session:
        package = session.get_one(ImagePackage, served.id)
        columns = {each.key: getattr(package, each.key) for each in inspect(ImagePackage).columns}
        points = [
            {
                "name": f"point{number}",
                "kind": PointKind.FOLDER,
                "location": f"/srv/{number}",
                "options": {},
                "enabled": True,
                "added_at": clock.now(),
            }
            for number in range(4)
        ]
        made = [*session.scalars(insert(DistributionPoint).returning(DistributionPoint.id), points)]
        ids = [f"CAS{number:05X}" for number in range(2, 1_002)]
        packages = [columns | {"id": each, "path": f"/srv/{each}.wim"} for each in ids]
        session.execute(insert(ImagePackage), packages)
        rows = [
            {
                "point_id": each,
                "package_id": package_id,
                "state": ContentState.CURRENT,
                "content_version": 1,
                "wanted_version": 1,
                "transfer": {},
            }
            for each in (*made, point.id)
            for package_id in ids
        ]
        session.execute(insert(DistributedContent), rows)
        want(session, served.id)
    with served.site.reading() as session:
        began = time.perf_counter()
        found = due(session, clock.now())
        passed = time.perf_counter() - began
    assert [(each.point.name, each.package.id) for each in found] == [("here", served.id)]
    assert passed < 0.5


@pytest.mark.parametrize("place", [".", "inside"])
def test_the_site_s_own_folder_is_no_point(site: Site, place: str) -> None:
    folder = (site.folder / place).resolve()
    folder.mkdir(exist_ok=True)
    before = sorted(folder.iterdir())
    with pytest.raises(UsageError, match="own folder"):
        add_point(site, "own", str(folder))
    assert sorted(folder.iterdir()) == before
