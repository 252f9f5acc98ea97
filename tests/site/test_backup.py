"""Backups: made while the site is in use, restored into either kind of database."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from tests.faults.disk import CountingDisk, FullDisk, StoppingDisk
from tests.site.conftest import SetClock
from tests.site.filled import fill, row_of, rows_of
from tests.site.postgres import PostgresServer
from wimdock.errors import CorruptPackage, StorageError
from wimdock.site.backup.creation import BackupOptions, backup_site
from wimdock.site.backup.restoration import Restored, restore_site
from wimdock.site.backup.standstill import TOKENS_AHEAD, Standstill
from wimdock.site.images.commit_token import commit_token, run_of_token
from wimdock.site.images.records import _store_generations
from wimdock.site.messages.table import BACKUP_MADE, BACKUP_RESTORED
from wimdock.site.models import (
    Audit,
    ContentState,
    DistributedContent,
    GenerationRow,
    ImagePackage,
    Lease,
    Run,
    RunState,
    SiteRow,
    StatusMessageRow,
    Step,
    UpdateRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.opening import Place, open_site
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.settings_file import parse_settings
from wimdock.site.site import Site
from wimdock.site.updates.library import file_of_update, place_of
from wimdock.wim.generations import Generation

CHANGED = {
    table.__tablename__
    for table in (SiteRow, WorkerRow, Run, Step, Lease, DistributedContent, Audit, StatusMessageRow)
}
"""The tables in which a restored site differs from its backup, on purpose."""

SECRETS = """
[mail]
host = "mail.example.org"  # ours
sender = "wimdock@example.org"
password = "hunter2"
[storage]
nas = "/mnt/n\\"as"
[[notification]]
name = "operators"
kind = "webhook"
url = "https://example.org/hook"
secret = "swordfish"
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give an empty place for a restored site, on each kind of database."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    return Place(tmp_path / "restored", url)


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Site]]:
    """Give a function that opens a site by its folder until the test is over."""
    sites: list[Site] = []

    def open_it(folder: Path) -> Site:
        sites.append(open_site(Place(folder)))
        return sites[-1]

    yield open_it
    for site in sites:
        site.close()


def backup_and_restore(site: Site, target: Place, clock: SetClock, **options: Any) -> Restored:
    """Make a backup and a site of it."""
    made = backup_site(site, site.folder.parent / "backup.tar.gz", BackupOptions(**options))
    return restore_site(made.path, target, clock)


def test_every_row_comes_back_whichever_database(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    fill(site)
    before = rows_of(site)
    assert all(before.values())
    assert target.folder is not None
    restored = backup_and_restore(site, target, clock)
    again = opened(target.folder)
    after = rows_of(again)
    assert {name for name in before if before[name] != after[name]} <= CHANGED
    assert [len(before[name]) for name in ("runs", "workers", "distributed_contents")] == [3, 3, 3]
    assert [len(after[name]) for name in ("runs", "workers", "distributed_contents")] == [3, 3, 3]
    assert after["audit"][:3] == before["audit"]
    assert after["status_messages"][:3] == before["status_messages"]
    assert (again.code, again.folder) == (site.code, target.folder)
    assert again.uuid == restored.standstill.uuid != site.uuid
    assert again.database.is_sqlite == (target.url is None)
    assert restored.manifest.database == ("sqlite" if site.database.is_sqlite else "postgresql")


def test_numbers_go_on_behind_those_that_were_put_back(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    fill(site, rows=5)
    backup_and_restore(site, target, clock)
    assert target.folder is not None
    again = opened(target.folder)
    with again.writing() as session:
        names = {"name": "new", "build": "", "source": "", "added_at": clock.now()}
        session.execute(insert(rows_table("providers")), names)
        assert session.scalar(select(func.max(rows_table("providers").c.id))) == 6


def rows_table(name: str) -> Any:
    """Give a table by its name."""
    return SiteRow.metadata.tables[name]


def test_nothing_is_under_way_in_a_restored_site(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    with site.writing() as session:
        connection = session.connection()
        for number in (1, 2):
            connection.execute(insert(ImagePackage), row_of(rows_table("image_packages"), number))
        package, other = session.scalars(select(ImagePackage.id)).all()
        worker = row_of(rows_table("workers"), 1) | {"id": "w", "state": WorkerState.RUNNING}
        connection.execute(insert(WorkerRow), worker)
        base = row_of(rows_table("runs"), 2) | {"package_id": package, "orphaned_at": None}
        for state in (RunState.RUNNING, RunState.QUEUED, RunState.SUCCEEDED):
            run = base | {"state": state, "worker_id": "w", "attempt": 4, "schedule_id": None}
            connection.execute(insert(Run), run)
            step = row_of(rows_table("steps"), 1)
            step["run_id"] = connection.scalar(select(func.max(Run.id)))
            connection.execute(insert(Step), step)
        lease = row_of(rows_table("leases"), 7)
        connection.execute(insert(Lease), lease | {"package_id": package, "token": 7})
        point = row_of(rows_table("distribution_points"), 1)
        connection.execute(insert(rows_table("distribution_points")), point)
        content = row_of(rows_table("distributed_contents"), 1) | {
            "package_id": package,
            "state": ContentState.SENDING,
            "holder": "somebody",
        }
        connection.execute(insert(DistributedContent), content)
    assert target.folder is not None
    restored = backup_and_restore(site, target, clock)
    assert restored.standstill == Standstill(workers=1, runs=1, uuid=restored.standstill.uuid)
    with opened(target.folder).reading() as session:
        runs = session.scalars(select(Run).order_by(Run.id)).all()
        assert [(run.state, run.attempt) for run in runs] == [
            (RunState.QUEUED, 5),
            (RunState.QUEUED, 4),
            (RunState.SUCCEEDED, 4),
        ]
        assert (runs[0].worker_id, runs[0].step) == (None, None)
        assert session.scalars(select(Step.run_id)).all() == [runs[2].id]
        buried = session.get_one(WorkerRow, "w")
        assert (buried.state, buried.ended_at) == (WorkerState.DEAD, clock.now())
        leases = {row.package_id: row for row in session.scalars(select(Lease))}
        assert {each: row.token for each, row in leases.items()} == {
            package: 7 + TOKENS_AHEAD,
            other: TOKENS_AHEAD,
        }
        assert {row.run_id for row in leases.values()} == {None}
        content_row = session.scalars(select(DistributedContent)).one()
        assert (content_row.state, content_row.holder) == (ContentState.WAITING, "")


def test_commits_of_the_old_site_are_not_taken_for_those_of_the_new_one(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    """The old site went on after its backup: its run 7 is in the file, and is not ours."""
    generations = [
        Generation(
            number=run - 5,
            header=bytes([run]) * 208,
            length=1,
            added=1,
            time=clock.now(),
            note="",
            committed=True,
            token=commit_token(site, run),
        )
        for run in (6, 7)
    ]
    with site.writing() as session:
        package = row_of(rows_table("image_packages"), 1)
        session.execute(insert(ImagePackage), package)
        values = row_of(rows_table("generations"), 1)
        values |= {"name": generations[0].name, "run_id": 6}
        session.execute(insert(GenerationRow), values)
    assert target.folder is not None
    backup_and_restore(site, target, clock)
    again = opened(target.folder)
    assert run_of_token(again, commit_token(site, 7)) is None
    with again.writing() as session:
        found = session.get_one(ImagePackage, package["id"])
        facts: Any = SimpleNamespace(generations=generations)
        _store_generations(session, again, found, facts)
    with again.reading() as session:
        runs = session.execute(select(GenerationRow.number, GenerationRow.run_id))
        assert sorted(map(tuple, runs)) == [(1, 6), (2, None)]


def test_both_ends_are_told(
    site: Site, tmp_path: Path, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    made = backup_site(site, tmp_path / "b.tar.gz")
    with site.reading() as session:
        note = session.scalars(select(Audit)).one()
        assert (note.action, note.object) == ("site.backup", str(made.path))
        assert session.scalars(select(StatusMessageRow.message_id)).all() == [BACKUP_MADE.id]
    restore_site(made.path, Place(tmp_path / "again"), clock)
    with opened(tmp_path / "again").reading() as session:
        assert session.scalars(select(Audit.action)).all() == ["site.restore"]
        assert session.scalars(select(StatusMessageRow.message_id)).all() == [BACKUP_RESTORED.id]


def test_a_backup_holds_one_moment_while_others_write(
    site: Site, tmp_path: Path, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    """Each transaction adds a row to a table that is read early and to one that is read late."""
    fill(site)
    stop = threading.Event()
    failed: list[BaseException] = []
    written = 0

    def write() -> None:
        nonlocal written
        try:
            while not stop.is_set():
                with site.writing() as session:
                    site.note(session, "test", str(written))
                    session.add(
                        WorkerRow(
                            **row_of(rows_table("workers"), 1)
                            | {"id": f"w{written}", "state": WorkerState.STOPPED}
                        )
                    )
                written += 1
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    backups = []
    try:
        for number in range(4):
            before = written
            backups.append(backup_site(site, tmp_path / f"{number}.tar.gz").path)
            while written <= before and not failed:
                threading.Event().wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    counts = []
    for path in backups:
        restore_site(path, Place(tmp_path / path.name.partition(".")[0]), clock)
        with opened(tmp_path / path.name.partition(".")[0]).reading() as session:
            notes = select(func.count()).where(Audit.action == "test")
            workers = select(func.count()).where(WorkerRow.id.like("w%"), WorkerRow.pid == 1)
            counts.append((session.scalar(notes), session.scalar(workers)))
    assert all(notes == workers for notes, workers in counts), counts
    assert len(set(counts)) == len(counts)


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_stay_at_home_unless_they_are_asked_for(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site], *, secrets: bool
) -> None:
    path = site.folder / SETTINGS_NAME
    path.write_text(path.read_text().partition("# The processes")[0] + SECRETS)
    assert target.folder is not None
    restored = backup_and_restore(site, target, clock, secrets=secrets)
    settings = opened(target.folder).settings
    assert settings.mail.password == ("hunter2" if secrets else "")
    assert settings.notification[0].secret == ("swordfish" if secrets else "")
    assert settings.notification[0].url == "https://example.org/hook"
    assert settings.mail.host == "mail.example.org"
    assert settings.storage == {"nas": Path('/mnt/n"as')}
    assert settings.database.url == (target.url or "")
    assert restored.manifest.secrets is secrets
    found = parse_settings(target.folder / SETTINGS_NAME)
    assert ("password" in found["mail"]) is secrets
    assert (target.folder / SETTINGS_NAME).stat().st_mode & 0o777 == 0o600


def put_update(site: Site, data: bytes, number: int = 1, **others: Any) -> UpdateRow:
    """Put a file into the library."""
    digest = hashlib.sha256(data).hexdigest()
    values = row_of(rows_table("updates"), number) | {
        "sha256": digest,
        "size": len(data),
        "file_name": f"update-{number}.cab",
        "retired_at": None,
    }
    with site.writing() as session:
        session.execute(insert(UpdateRow), values | others)
    path = place_of(site, digest, f"update-{number}.cab")
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with site.reading() as session:
        return session.get_one(UpdateRow, number)


def test_the_library_comes_along_when_it_is_asked_for(
    site: Site, target: Place, clock: SetClock, opened: Callable[[Path], Site]
) -> None:
    rows = [put_update(site, bytes([each]) * 3_000_000, each) for each in (1, 2)]
    gone = put_update(site, b"gone", 3, retired_at=clock.now())
    place_of(site, gone.sha256, gone.file_name).unlink()
    assert target.folder is not None
    restored = backup_and_restore(site, target, clock, updates=True)
    again = opened(target.folder)
    for row in rows:
        assert file_of_update(again, row).read_bytes() == file_of_update(site, row).read_bytes()
    assert [each.update for each in restored.manifest.members if each.update] == [
        row.sha256 for row in rows
    ]


def test_a_library_that_is_not_whole_gives_no_backup(site: Site, tmp_path: Path) -> None:
    row = put_update(site, b"an update")
    path = file_of_update(site, row)
    path.chmod(0o644)
    path.write_bytes(b"an upd4te")
    out = tmp_path / "b.tar.gz"
    with pytest.raises(CorruptPackage):
        backup_site(site, out, BackupOptions(updates=True))
    path.unlink()
    with pytest.raises(StorageError):
        backup_site(site, out, BackupOptions(updates=True))
    assert not list(tmp_path.glob("*b.tar.gz*"))
    assert backup_site(site, out).manifest.updates is False


def test_where_it_goes(site: Site, tmp_path: Path, clock: SetClock) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    made = backup_site(site, folder)
    assert made.path == folder / "CAS-20261103T120000Z.tar.gz"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.size == made.path.stat().st_size
    data = made.path.read_bytes()
    for out in (folder, made.path):
        with pytest.raises(StorageError, match="exists"):
            backup_site(site, out)
    assert made.path.read_bytes() == data
    clock.advance(seconds=1)
    assert backup_site(site, folder).path != made.path
    with pytest.raises(StorageError):
        backup_site(site, tmp_path / "missing" / "b.tar.gz")
    assert sorted(path.name for path in folder.iterdir()) == [
        "CAS-20261103T120000Z.tar.gz",
        "CAS-20261103T120001Z.tar.gz",
    ]


def test_a_disk_that_stops_or_is_full_leaves_no_backup(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site = make_site()
    fill(site)
    counting = CountingDisk(quick=True)
    backup_site(site, tmp_path / "whole.tar.gz", disk=counting)
    before = sorted(tmp_path.iterdir())
    assert len(counting.operations) > 3
    named = counting.operations.index("flush folder")
    for at in range(named):
        for disk in (StoppingDisk(at, quick=True), FullDisk(at, quick=True)):
            with pytest.raises(StorageError):
                backup_site(site, tmp_path / "b.tar.gz", disk=disk)
            assert sorted(tmp_path.iterdir()) == before
