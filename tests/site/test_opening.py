"""Making sites and opening them."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from tests.conftest import skip_or_fail
from tests.site.conftest import SetClock
from tests.site.filled import rows_of
from tests.site.postgres import PostgresServer
from wimdock.errors import (
    AlreadyRecorded,
    DatabaseUnavailable,
    NoSite,
    SettingsError,
    StorageError,
    UsageError,
    WimdockError,
)
from wimdock.site.database import Database, parse_url
from wimdock.site.models import SiteRow
from wimdock.site.opening import FIRST_NUMBER, Place, create_site, open_site
from wimdock.site.schema import SCHEMAS, schema_of
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.site import Site
from wimdock.site.upgrade import upgrade_site

NAMES = ["logs", "site.sqlite", "updates", "wimdock.toml"]


def names(folder: Path) -> list[str]:
    """List a folder, without SQLite's own files beside the database."""
    return sorted(
        path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))
    )


def test_a_site_that_was_made_can_be_opened(
    site: Site, database_url: str | None, clock: SetClock
) -> None:
    again = open_site(Place(site.folder))
    with again.reading() as session:
        row = session.get_one(SiteRow, 1)
        assert (row.code, row.uuid, row.folder) == ("CAS", site.uuid, str(site.folder))
        assert (row.next_package, row.next_schedule) == (1, FIRST_NUMBER)
        assert row.created_at == clock.now()
        assert schema_of(session.connection()) == SCHEMAS[-1]
    again.close()
    expected = NAMES if database_url is None else [name for name in NAMES if "sqlite" not in name]
    assert names(site.folder) == expected
    assert (site.folder / SETTINGS_NAME).stat().st_mode & 0o777 == 0o600


def test_a_site_can_be_opened_by_its_database_alone(site: Site, database_url: str | None) -> None:
    if database_url is None:
        return
    again = open_site(Place(None, database_url))
    assert (again.folder, again.uuid) == (site.folder, site.uuid)
    again.close()
    moved = site.folder.rename(site.folder.with_name("moved"))
    with pytest.raises(NoSite, match=r"has its folder at .*: not found here") as caught:
        open_site(Place(None, database_url))
    assert "--site" in caught.value.hint
    again = open_site(Place(moved, database_url))
    assert (again.folder, again.uuid) == (moved, site.uuid)
    again.close()


def test_a_folder_that_was_moved(make_site: Callable[[], Site], tmp_path: Path) -> None:
    site = make_site()
    site.close()
    moved = site.folder.rename(tmp_path / "moved ü %41 ?&#")
    again = open_site(Place(moved))
    assert again.uuid == site.uuid
    again.close()


def test_a_relative_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    monkeypatch.chdir(tmp_path)
    site = create_site(Place(Path("a/b")), "CAS", clock)
    assert site.folder == tmp_path / "a" / "b"
    site.close()
    open_site(Place(Path("a/b"))).close()


def test_there_is_one_site_in_a_folder(site: Site) -> None:
    before = rows_of(site)
    for code in ("CAS", "ABC"):
        with pytest.raises(AlreadyRecorded, match="there is a site in"):
            create_site(Place(site.folder), code)
    assert rows_of(site) == before


def test_there_is_one_site_in_a_database(
    site: Site, database_url: str | None, tmp_path: Path, clock: SetClock
) -> None:
    if database_url is None:
        return
    for folder in ("other", site.folder.name):
        with pytest.raises(AlreadyRecorded):
            create_site(Place(tmp_path / folder, database_url), "CAS", clock)
    assert not (tmp_path / "other" / SETTINGS_NAME).exists()
    with pytest.raises(AlreadyRecorded, match="there is a site in the database"):
        create_site(Place(tmp_path / "other", database_url), "CAS", clock)


def test_other_tables_are_left_alone(
    postgres: PostgresServer, tmp_path: Path, clock: SetClock
) -> None:
    url = postgres.new_database()
    database = Database(parse_url(url))
    with database.writing() as session:
        session.execute(text("CREATE TABLE users (id integer)"))
    with pytest.raises(AlreadyRecorded, match="holds tables already: users"):
        create_site(Place(tmp_path / "site", url), "CAS", clock)
    with database.writing() as session:
        session.execute(text("ALTER TABLE users RENAME TO theirs"))
    create_site(Place(tmp_path / "site", url), "CAS", clock).close()
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM theirs")) == 0
    database.close()


def test_files_in_the_folder_are_left_alone(tmp_path: Path, clock: SetClock) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "logs").mkdir()
    create_site(Place(tmp_path), "CAS", clock).close()
    assert names(tmp_path) == sorted([*NAMES, "mine.txt"])


@pytest.mark.parametrize("code", ["", "C", "CASX", "cas", "C-S", "ÄÖÜ", "CA\n"])
def test_codes_that_are_none(code: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no site code"):
        create_site(Place(tmp_path / "site"), code)
    assert not (tmp_path / "site").exists()


def test_no_site_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NoSite, match="no site was named"):
        open_site(Place(None, None))
    with pytest.raises(NoSite, match="there is no site in"):
        open_site(Place(tmp_path))
    with pytest.raises(NoSite, match="there is no site in"):
        open_site(Place(tmp_path / "missing"))
    with pytest.raises(UsageError):
        create_site(Place(None, "postgresql://h/d"), "CAS")
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_a_site(postgres: PostgresServer) -> None:
    with pytest.raises(NoSite, match="there is no site in the database"):
        open_site(Place(None, postgres.new_database()))


def test_a_database_that_is_gone(make_site: Callable[[], Site]) -> None:
    site = make_site()
    site.close()
    (site.folder / "site.sqlite").unlink()
    with pytest.raises(NoSite, match="is gone") as caught:
        open_site(Place(site.folder))
    assert "site restore" in caught.value.hint
    with pytest.raises(AlreadyRecorded):
        create_site(Place(site.folder), "CAS")


def test_settings_that_are_gone_or_wrong(make_site: Callable[[], Site]) -> None:
    site = make_site()
    with site.writing() as session:
        session.get_one(SiteRow, 1).next_package = 7
    path = site.folder / SETTINGS_NAME
    path.write_text("[worker]\nlease = 0\n")
    with pytest.raises(SettingsError):
        open_site(Place(site.folder))
    path.unlink()
    with pytest.raises(NoSite, match=r"has a site\.sqlite, but no wimdock\.toml") as gone:
        open_site(Place(site.folder))
    assert gone.value.hint.startswith("Put wimdock.toml back")
    assert "site init" not in gone.value.hint
    with pytest.raises(AlreadyRecorded, match="database of site CAS, but no") as caught:
        create_site(Place(site.folder), "CAS")
    assert "an empty one stands for the defaults" in caught.value.hint
    path.write_text("")
    again = open_site(Place(site.folder))
    assert again.uuid == site.uuid
    again.close()


def test_records_of_an_engine_are_no_part_of_a_new_site(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """A run of the new site would have the number of one that they say is done."""
    (tmp_path / "engine.sqlite").write_bytes(b"x")
    with pytest.raises(AlreadyRecorded, match=r"engine\.sqlite of a site that is gone"):
        create_site(Place(tmp_path), "CAS")
    url = postgres.new_database()
    database = Database(parse_url(url))
    with database.writing() as session:
        session.execute(text("CREATE SCHEMA dbos"))
    database.close()
    with pytest.raises(AlreadyRecorded, match="holds the schema dbos"):
        create_site(Place(tmp_path / "site", url), "CAS")


CREATOR = """
import os, signal, sys
from pathlib import Path
from wimdock.site import founding, opening
from wimdock.site.opening import Place, create_site
from wimdock.site.schema import move

where, folder, url, code = sys.argv[1:5]

def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if where == "tables":
    def half(connection):
        move(connection)
        killed()
    opening.move = half
elif where == "place":
    founding.put_in_place = killed
elif where == "settings":
    opening.write_settings = killed
create_site(Place(Path(folder), url or None), code).close()
"""


def create_elsewhere(where: str, folder: Path, url: str | None, code: str = "CAS") -> int:
    """Make a site in another process, which is killed there."""
    words = (sys.executable, "-c", CREATOR, where, str(folder), url or "", code)
    return subprocess.run(words, check=False, env={**os.environ, "PYTHONPATH": "src"}).returncode


@pytest.mark.parametrize("where", ["tables", "place", "settings"])
def test_a_site_whose_making_was_killed_is_made_by_the_next_call(
    where: str, tmp_path: Path, database_url: str | None, clock: SetClock
) -> None:
    folder = tmp_path / "site"
    if where == "place" and database_url is not None:
        return  # nothing takes a place there
    assert create_elsewhere(where, folder, database_url) == -signal.SIGKILL
    with pytest.raises(NoSite):
        open_site(Place(folder))
    if where == "settings":
        with pytest.raises(AlreadyRecorded):
            create_site(Place(folder, database_url), "ABC", clock)
    site = create_site(Place(folder, database_url), "CAS", clock)
    assert not [name for name in names(folder) if name.startswith(".")]
    with site.reading() as session:
        assert session.scalar(select(func.count(SiteRow.id))) == 1
    site.close()


def test_of_several_at_once_one_makes_the_site(tmp_path: Path, database_url: str | None) -> None:
    folder = tmp_path / "site"
    words = (sys.executable, "-c", CREATOR, "", str(folder), database_url or "", "CAS")
    running = [
        subprocess.Popen(
            words, env={**os.environ, "PYTHONPATH": "src"}, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [process.communicate()[1] for process in running]
    codes = [process.returncode for process in running]
    assert codes.count(0) >= 1
    for code, err in zip(codes, said, strict=True):
        assert code == 0 or "AlreadyRecorded" in err, err
    site = open_site(Place(folder))
    with site.reading() as session:
        assert session.scalar(select(func.count(SiteRow.id))) == 1
    site.close()
    assert not [name for name in names(folder) if ".new" in name]


LIMITED = """
import resource, sys
from pathlib import Path
from wimdock.errors import WimdockError
from wimdock.site.opening import Place, create_site
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    create_site(Place(Path(sys.argv[1])), "CAS").close()
except WimdockError as error:
    print(type(error).__name__, error)
    sys.exit(error.exit_code)
"""


def test_a_disk_that_is_full_leaves_nothing_in_the_way(tmp_path: Path, clock: SetClock) -> None:
    """Files can grow to so many bytes only, at every size up to that of a whole site."""
    codes = set()
    for number, limit in enumerate((0, 500, 20_000, 120_000, 200_000)):
        folder = tmp_path / f"site{number}"
        words = (sys.executable, "-c", LIMITED, str(folder), str(limit))
        environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            words, check=False, env=environment, stdout=subprocess.PIPE, text=True
        )
        codes.add(done.returncode)
        assert done.returncode in {DatabaseUnavailable.exit_code, StorageError.exit_code}, (
            limit,
            done.stdout,
        )
        assert names(folder) in (["logs", "updates"], ["logs", "site.sqlite", "updates"])
        create_site(Place(folder), "CAS", clock).close()
        assert names(folder) == NAMES
    assert DatabaseUnavailable.exit_code in codes
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_disk_of_any_size_holds_a_whole_site_or_none(tmp_path: Path, clock: SetClock) -> None:
    """SQLite writes twice, its log and its file: what has room for one only is no site."""
    codes = set()
    for size in range(280, 720, 20):
        disk = tmp_path / f"disk{size}"
        disk.mkdir()
        with small_disk(disk, size << 10):
            refused: WimdockError | None = None
            try:
                create_site(Place(disk / "site"), "CAS", clock).close()
            except (DatabaseUnavailable, StorageError) as error:
                refused = error
            codes.add(refused.exit_code if refused else 0)
            if refused:
                assert refused.hresult == 0x80070070
                assert "Free space" in refused.hint
                assert "site.sqlite" not in names(disk / "site")
            else:
                with closing(sqlite3.connect(disk / "site" / "site.sqlite")) as database:
                    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert codes == {0, DatabaseUnavailable.exit_code}


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """Put a disk of so many bytes into a folder."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        skip_or_fail("only root can mount a small disk")
    subprocess.run((mount, "-t", "tmpfs", "-o", f"size={size}", "none", folder), check=True)
    try:
        yield
    finally:
        subprocess.run(("umount", "--lazy", folder), check=True)


@pytest.mark.parametrize("kind", ["file", "below", "sqlite"])
def test_folders_that_cannot_be_one(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    if kind == "sqlite":
        folder.mkdir()
        (folder / "site.sqlite").write_text("something else")
    else:
        folder.write_text("a file")
    with pytest.raises(WimdockError) as caught:
        create_site(Place(folder / "x" if kind == "below" else folder), "CAS")
    assert caught.value.exit_code in {4, 82, 85}
    assert caught.value.hint
    if kind != "sqlite":
        assert caught.value.message == f"{folder} is no folder"
        assert "Name a folder" in caught.value.hint
        assert folder.read_text() == "a file"


def test_a_database_without_tables_is_none_to_begin_with(tmp_path: Path) -> None:
    """A site's file of no bytes is a site that was lost: nobody is told to make another there."""
    (tmp_path / "site.sqlite").write_bytes(b"")
    with pytest.raises(AlreadyRecorded, match=r"has a site\.sqlite, but no wimdock\.toml") as made:
        create_site(Place(tmp_path), "CAS")
    assert "another folder" in made.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["site.sqlite"]
    (tmp_path / SETTINGS_NAME).write_text("")
    for use in (open_site, upgrade_site):
        with pytest.raises(NoSite, match="there is no site in the database") as used:
            use(Place(tmp_path))
        assert "site restore" in used.value.hint
        assert "site init" not in used.value.hint
