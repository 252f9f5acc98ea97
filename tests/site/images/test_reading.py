"""Files that are another than the site knows: noticed, read anew, told; and what runs leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.lab.lab import Lab
from tests.servicing.surroundings import PACKAGE, cabinet_of, put_in, quick
from tests.site.conftest import SetClock
from wimdock.errors import (
    DatabaseUnavailable,
    GenerationError,
    ImageBusy,
    MalformedImage,
    NoSuchRecord,
    StorageError,
)
from wimdock.servicing.service import ServiceOptions
from wimdock.site.images.adding import add_package
from wimdock.site.images.commit_token import commit_token
from wimdock.site.images.facts import read_facts
from wimdock.site.images.reading import record_commit, refresh, reload_package
from wimdock.site.images.records import generations_of, package_of
from wimdock.site.images.removing import remove_package
from wimdock.site.messages import history_of
from wimdock.site.models import FileState, Image, ImagePackage, StatusMessageRow
from wimdock.site.site import Site
from wimdock.wim.generations import sidecar_path
from wimdock.wim.rollback import rollback

ADDED, CHANGED, RELOADED, LOST = 42020, 42022, 42021, 42026


@pytest.fixture
def file(lab_image: Callable[[str], Path]) -> Path:
    """Give an image file."""
    return lab_image("lzx").resolve()


@pytest.fixture
def package(site: Site, file: Path) -> ImagePackage:
    """Give the image package of the file."""
    return add_package(site, file)


def now(site: Site) -> ImagePackage:
    """Give the image package as the database has it."""
    with site.reading() as session:
        return package_of(session, "CAS00001")


def messages(site: Site) -> list[int]:
    """Give the IDs of the status messages, oldest first."""
    with site.reading() as session:
        return list(
            session.scalars(select(StatusMessageRow.message_id).order_by(StatusMessageRow.id))
        )


def actions(site: Site) -> list[str]:
    """Give what the history tells, oldest first."""
    return [entry.action for entry in reversed(history_of(site, "CAS00001"))]


def installed(site: Site) -> set[str]:
    """Give the IDs of the packages of the first image that are installed, as the site knows."""
    with site.reading() as session:
        packages = session.scalars(select(Image.packages).where(Image.index == 1)).one()
    return {each["id"] for each in packages if each["state"] == "installed"}


def serviced(file: Path, folder: Path, token: str = "") -> None:
    """Put an update into the image file, as another program or a run would."""
    put_in(file, [cabinet_of("plain", folder)], ServiceOptions(indexes=(1,), token=token))


@pytest.mark.usefixtures("package")
def test_a_file_that_is_the_same_is_not_read(
    site: Site, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = now(site)
    clock.advance(hours=1)
    monkeypatch.setattr("wimdock.site.images.reading.read_facts", None)
    found = refresh(site, "CAS00001")
    assert not found.changed
    assert found.package.read_at == before.read_at
    assert messages(site) == [ADDED]


@pytest.mark.usefixtures("package")
def test_a_file_that_another_program_serviced(
    site: Site, clock: SetClock, file: Path, tmp_path: Path
) -> None:
    assert PACKAGE not in installed(site)
    clock.advance(hours=1)
    serviced(file, tmp_path)
    found = refresh(site, "CAS00001")
    assert found.changed
    known = now(site)
    assert bytes.fromhex(known.header) == file.read_bytes()[:208]
    assert known.length == file.stat().st_size
    assert (known.generation, known.content_version) == (2, 2)
    assert known.read_at == clock.now()
    assert PACKAGE in installed(site)
    assert messages(site) == [ADDED, CHANGED]
    assert actions(site) == ["add", "changed outside"]
    assert history_of(site, "CAS00001")[0].generation == 2
    with site.reading() as session:
        rows = generations_of(session, "CAS00001")
    assert [(row.number, row.run_id) for row in rows] == [(1, None), (2, None)]
    assert rows[1].length == file.stat().st_size
    assert rows[1].added == rows[1].length - rows[0].length
    assert PACKAGE in rows[1].note
    assert not refresh(site, "CAS00001").changed


@pytest.mark.usefixtures("package")
def test_a_file_in_the_place_of_another(site: Site, file: Path, lab: Lab) -> None:
    shutil.copyfile(lab.image("multi"), file)
    assert refresh(site, "CAS00001").changed
    assert now(site).content_version == 2
    with site.reading() as session:
        assert len(package_of(session, "CAS00001").images) == 3
    shutil.copyfile(lab.image("lzx"), file)
    assert refresh(site, "CAS00001").changed
    assert now(site).content_version == 3
    with site.reading() as session:
        assert [each.index for each in package_of(session, "CAS00001").images] == [1]


@pytest.mark.usefixtures("package")
def test_bytes_behind_the_end_are_no_new_content(site: Site, file: Path) -> None:
    with file.open("ab") as opened:
        opened.write(b"left by a run that was stopped")
    assert refresh(site, "CAS00001").changed
    known = now(site)
    assert (known.length, known.content_version) == (file.stat().st_size, 1)
    assert messages(site) == [ADDED, RELOADED]
    assert "30 bytes behind the file's end" in history_of(site, "CAS00001")[0].detail


@pytest.mark.usefixtures("package")
def test_a_lost_sidecar_is_noticed(site: Site, file: Path, tmp_path: Path) -> None:
    serviced(file, tmp_path)
    refresh(site, "CAS00001")
    sidecar_path(file).unlink()
    assert refresh(site, "CAS00001").changed
    known = now(site)
    assert (known.generation, known.content_version) == (None, 2)
    with site.reading() as session:
        assert generations_of(session, "CAS00001") == []
    assert actions(site)[-1] == "changed outside"
    assert "generations is gone" in history_of(site, "CAS00001")[0].detail
    assert not refresh(site, "CAS00001").changed


@pytest.mark.usefixtures("package")
def test_a_file_that_is_gone_and_back(site: Site, file: Path) -> None:
    hidden = file.rename(file.with_name("hidden.wim"))
    for _ in range(2):
        with pytest.raises(StorageError, match=r"lzx\.wim"):
            refresh(site, "CAS00001")
        assert now(site).state is FileState.MISSING
    assert "No such file" in now(site).reason
    hidden.rename(file)
    assert refresh(site, "CAS00001").changed
    assert (now(site).state, now(site).reason) == (FileState.AS_RECORDED, "")
    assert now(site).content_version == 1
    assert messages(site) == [ADDED, LOST, RELOADED]
    assert actions(site) == ["add", "not readable", "reload"]


@pytest.mark.usefixtures("package")
def test_a_file_that_is_cut_off(site: Site, file: Path, lab: Lab) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 1)
    before = now(site)
    with pytest.raises(MalformedImage, match="resources reach"):
        refresh(site, "CAS00001")
    known = now(site)
    assert known.state is FileState.UNREADABLE
    assert "resources reach" in known.reason
    assert (known.header, known.length) == (before.header, before.length)
    shutil.copyfile(lab.image("lzx"), file)
    assert refresh(site, "CAS00001").changed
    assert now(site).state is FileState.AS_RECORDED


@pytest.mark.usefixtures("package")
def test_a_sidecar_that_cannot_be_read(site: Site, file: Path, tmp_path: Path) -> None:
    serviced(file, tmp_path)
    sidecar_path(file).write_text("{}", encoding="utf-8")
    with pytest.raises(GenerationError):
        refresh(site, "CAS00001")
    assert now(site).state is FileState.UNREADABLE


@pytest.mark.parametrize(
    "member, value",
    [
        ("number", 1 << 40),
        ("length", 1 << 70),
        ("added", -(1 << 70)),
        ("time", "9999-12-31T23:59:59-14:00"),
        ("time", "0001-01-01T00:00:00+14:00"),
        ("token", "x" * 100_000),
        ("note", "\ud800\0"),
    ],
)
@pytest.mark.usefixtures("package")
def test_a_sidecar_that_says_what_cannot_be(
    site: Site, file: Path, tmp_path: Path, member: str, value: object
) -> None:
    """Nothing in it is more than an error of ours, whatever the database."""
    serviced(file, tmp_path)
    document = json.loads(sidecar_path(file).read_text(encoding="utf-8"))
    document["generations"][-1][member] = value
    sidecar_path(file).write_text(json.dumps(document), encoding="utf-8")
    if member in {"token", "note"}:
        assert refresh(site, "CAS00001").changed
        return
    with pytest.raises(GenerationError, match="cannot be"):
        refresh(site, "CAS00001")
    assert now(site).state is FileState.UNREADABLE


@pytest.mark.usefixtures("package")
def test_a_run_that_cannot_be(site: Site, file: Path, tmp_path: Path) -> None:
    serviced(file, tmp_path, f"{site.uuid}/run-{'9' * 30}")
    assert refresh(site, "CAS00001").changed
    assert actions(site)[-1] == "changed outside"


@pytest.mark.usefixtures("package")
def test_a_folder_in_the_place_of_the_file(site: Site, file: Path) -> None:
    file.unlink()
    file.mkdir()
    with pytest.raises(StorageError, match="no plain file"):
        refresh(site, "CAS00001")
    assert now(site).state is FileState.UNREADABLE


@pytest.mark.usefixtures("package")
def test_reload_reads_whatever_the_mark_says(site: Site, file: Path, tmp_path: Path) -> None:
    assert not reload_package(site, "CAS00001").changed
    assert now(site).content_version == 1
    serviced(file, tmp_path)
    assert reload_package(site, "CAS00001").changed
    assert now(site).content_version == 2
    assert actions(site) == ["add", "reload", "changed outside"]


@pytest.mark.usefixtures("package")
def test_the_commit_of_a_run_is_recorded_once(site: Site, file: Path, tmp_path: Path) -> None:
    serviced(file, tmp_path, commit_token(site, 7))
    for _ in range(2):
        known = record_commit(site, "CAS00001")
        assert (known.generation, known.content_version) == (2, 2)
    with site.reading() as session:
        assert [row.run_id for row in generations_of(session, "CAS00001")] == [None, 7]
    assert actions(site) == ["add"]
    assert messages(site) == [ADDED]
    assert not refresh(site, "CAS00001").changed


@pytest.mark.usefixtures("package")
def test_what_a_run_could_not_record_is_known_for_its_work(
    site: Site, file: Path, tmp_path: Path
) -> None:
    """Somebody looks at the file after the commit of a run, and before its record."""
    serviced(file, tmp_path, commit_token(site, 7))
    assert refresh(site, "CAS00001").changed
    assert actions(site) == ["add"]
    assert record_commit(site, "CAS00001").content_version == 2
    with site.reading() as session:
        assert [row.run_id for row in generations_of(session, "CAS00001")] == [None, 7]


@pytest.mark.usefixtures("package")
def test_going_back_behind_the_site_is_a_change_from_outside(
    site: Site, file: Path, tmp_path: Path
) -> None:
    serviced(file, tmp_path, commit_token(site, 7))
    record_commit(site, "CAS00001")
    rollback(file, 1, disk=quick().disk)
    assert refresh(site, "CAS00001").changed
    assert now(site).generation == 1
    rollback(file, 2, disk=quick().disk)
    assert refresh(site, "CAS00001").changed
    known = now(site)
    assert (known.generation, known.content_version) == (2, 4)
    assert actions(site) == ["add", "changed outside", "changed outside"]


@pytest.mark.usefixtures("package")
def test_the_run_of_another_site_is_another_program(site: Site, file: Path, tmp_path: Path) -> None:
    serviced(file, tmp_path, "00000000-0000-0000-0000-000000000000/run-7")
    refresh(site, "CAS00001")
    assert actions(site) == ["add", "changed outside"]
    with site.reading() as session:
        assert [row.run_id for row in generations_of(session, "CAS00001")] == [None, None]


@pytest.mark.usefixtures("package")
def test_a_change_while_it_is_read_is_read_too(
    site: Site, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file changes after its images were read and before they are stored."""
    from wimdock.site.images import facts

    look = facts._look
    done: list[bool] = []

    def late(*given: object) -> object:
        if not done:
            done.append(True)
            serviced(file, tmp_path)
        return look(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(facts, "_look", late)
    reload_package(site, "CAS00001")
    assert PACKAGE in installed(site)
    assert now(site).generation == 2
    assert not refresh(site, "CAS00001").changed


def test_a_file_that_never_rests(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wimdock.site.images import facts

    def growing(*_given: object) -> dict[str, object]:
        with file.open("ab") as opened:
            opened.write(b"more")
        return {}

    monkeypatch.setattr(facts, "_look", growing)
    with pytest.raises(ImageBusy, match="being written"):
        read_facts(file, (), quick())


@pytest.mark.usefixtures("package")
def test_what_another_process_stored_meanwhile_is_kept(
    site: Site, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two notice the change and read; one stores first, and it is told once."""
    serviced(file, tmp_path)
    first: list[bool] = []

    def slow(*given: object) -> object:
        found = read_facts(*given)  # type: ignore[arg-type]
        if not first:
            first.append(True)
            refresh(site, "CAS00001")
        return found

    monkeypatch.setattr("wimdock.site.images.reading.read_facts", slow)
    refresh(site, "CAS00001")
    assert now(site).content_version == 2
    assert actions(site).count("changed outside") == 1


@pytest.mark.usefixtures("package")
def test_a_full_temporary_disk_says_nothing_of_the_file(
    site: Site, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wimdock.site.images import reading

    def full(*_given: object) -> None:
        message = "no space"
        raise StorageError(message, hresult=0x80070070)

    serviced(file, tmp_path)
    monkeypatch.setattr(reading, "read_facts", full)
    with pytest.raises(StorageError, match="no space"):
        refresh(site, "CAS00001")
    assert now(site).state is FileState.AS_RECORDED


@pytest.mark.usefixtures("package")
def test_a_lost_database_changes_nothing(
    site: Site, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is lost right before what was read is kept: the next look finds all of it."""
    from wimdock.site.images import reading

    def lost(*_given: object, **_named: object) -> None:
        message = "gone"
        raise DatabaseUnavailable(message)

    before = now(site)
    serviced(file, tmp_path)
    monkeypatch.setattr(reading, "store_facts", lost)
    with pytest.raises(DatabaseUnavailable):
        refresh(site, "CAS00001")
    monkeypatch.undo()
    known = now(site)
    assert (known.header, known.content_version) == (before.header, 1)
    assert actions(site) == ["add"]
    assert refresh(site, "CAS00001").changed
    assert now(site).content_version == 2


@pytest.mark.usefixtures("package")
def test_what_is_not_there_is_said(site: Site) -> None:
    with pytest.raises(NoSuchRecord, match="CAS00002"):
        refresh(site, "CAS00002")
    remove_package(site, "CAS00001")
    for verb in (refresh, reload_package):
        with pytest.raises(NoSuchRecord, match="was removed on 2026-11-03"):
            verb(site, "CAS00001")
