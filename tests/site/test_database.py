"""The database: transactions, and what is said when it cannot be used."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.conftest import skip_or_fail
from tests.site.postgres import PostgresServer, programs
from wimdock.errors import DatabaseUnavailable, NoSite, SettingsError
from wimdock.site import database as database_module
from wimdock.site.database import Database, parse_url, show_url
from wimdock.site.models import Audit, Provider, SiteRow
from wimdock.site.opening import Place, open_site
from wimdock.site.settings import variable_of
from wimdock.site.site import Site


def notes(site: Site) -> int:
    """Count the rows of the audit."""
    with site.reading() as session:
        return session.scalar(select(func.count(Audit.id))) or 0


def test_an_error_undoes_all_of_a_transaction(site: Site) -> None:
    def stop_half_way() -> None:
        with site.writing() as session:
            site.note(session, "test", "one")
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop_half_way()
    assert notes(site) == 0
    with site.writing() as session:
        site.note(session, "test", "one")
    assert notes(site) == 1


def test_what_is_read_is_not_kept(site: Site) -> None:
    with site.reading() as session:
        session.add(Audit(at=site.now(), operator="x", action="x", object="x", detail={}))
        session.flush()
    assert notes(site) == 0


def test_faults_of_the_program_stay_what_they_are(site: Site) -> None:
    with pytest.raises(Exception, match="nowhere") as caught, site.reading() as session:
        session.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, DatabaseUnavailable)
    same = {"name": "same", "build": "", "source": "", "added_at": site.now()}
    with pytest.raises(IntegrityError), site.writing() as session:
        session.add_all([Provider(**same), Provider(**same)])
    with pytest.raises(IntegrityError), site.writing() as session:
        session.execute(
            text(
                "INSERT INTO steps SELECT 7, 'plan', 'x', 1, '', created_at, NULL, "
                "'{}', '{}' FROM site"
            )
        )
    assert notes(site) == 0


def test_writers_wait_for_each_other(site: Site) -> None:
    """Each adds one to a number that it read: none is lost."""
    failed: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(20):
                with site.writing() as session:
                    row = session.get_one(SiteRow, 1, with_for_update=True)
                    row.next_package += 1
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with site.reading() as session:
        assert session.get_one(SiteRow, 1).next_package == 81


def test_readers_are_not_held_up_by_a_writer(site: Site) -> None:
    with site.writing() as session:
        site.note(session, "test", "one")
        session.flush()
        began = time.monotonic()
        assert notes(site) == 0
        assert time.monotonic() - began < 1
    assert notes(site) == 1


def test_a_snapshot_stays_as_it_was(site: Site) -> None:
    count = select(func.count(Audit.id))
    with site.database.snapshot() as connection:
        assert connection.scalar(count) == 0
        with site.writing() as session:
            site.note(session, "test", "one")
        assert connection.scalar(count) == 0
    assert notes(site) == 1


def test_who_makes_tables_may_stand_still_for_long(site: Site, database_url: str | None) -> None:
    """A backup is restored in one transaction, however many files of the library are in it."""
    with site.database.changing_schema() as connection:
        if database_url is not None:
            limit = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
            assert limit == "0"
        assert connection.scalar(select(func.count(Audit.id))) == 0


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Give a server that a test may stop, and that nobody else uses; it runs when the test ends."""
    binaries = programs()
    if binaries is None:
        skip_or_fail("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="wimdock-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(folder / "server", binaries)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_goes_away_and_comes_back(
    own_server: PostgresServer, make_site: Callable[[str], Site]
) -> None:
    site = make_site(own_server.new_database())
    assert notes(site) == 0

    def lose() -> None:
        with site.writing() as session:
            site.note(session, "test", "lost")
            session.flush()
            own_server.stop()
            site.note(session, "test", "lost, too")

    with pytest.raises(DatabaseUnavailable, match="cannot be used"):
        lose()
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="refused"):
            notes(site)
        with pytest.raises(DatabaseUnavailable), site.database.snapshot():
            pass
    own_server.start()
    assert notes(site) == 0
    with site.writing() as session:
        site.note(session, "test", "kept")
    assert notes(site) == 1
    with site.reading() as session:  # lost between two transactions: the next one does not notice
        session.scalar(select(Audit.id))
    own_server.stop()
    own_server.start()
    assert notes(site) == 1


def test_a_server_that_ends_a_connection(site: Site, database_url: str | None) -> None:
    if database_url is None:
        assert notes(site) == 0
        return
    end = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database()"
    )
    other = Database(parse_url(database_url))

    def lose() -> None:
        with site.writing() as session:
            site.note(session, "test", "lost")
            session.flush()
            with other.writing() as ending:
                ending.execute(end)
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        lose()
    other.close()
    assert notes(site) == 0


def test_what_postgresql_says_when_it_lets_nobody_in(
    own_server: PostgresServer, make_site: Callable[[str], Site]
) -> None:
    url = own_server.new_database()
    site = make_site(url)
    with site.writing() as session:
        session.execute(text("CREATE ROLE guest LOGIN PASSWORD 'right'"))
        session.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest"))
    own_server.require_passwords("guest")

    def opened(user: str, name: str = "") -> str:
        place = url.replace("wimdock@", f"{user}@")
        if name:
            place = place.rpartition("/")[0] + f"/{name}"
        with pytest.raises(DatabaseUnavailable) as caught:
            open_site(Place(site.folder, place))
        assert "wrong" not in str(caught.value)
        return f"{caught.value} {caught.value.hint}"

    assert "user and the password" in opened("guest:wrong")
    assert "(0x8007052E)" in opened("guest:wrong")
    assert "user and the password" in opened("guest")
    assert "createdb" in opened("guest:right", "nowhere")
    guest = open_site(Place(site.folder, url.replace("wimdock@", "guest:right@")))
    assert ":***@" in guest.database.shown
    assert "right" not in guest.database.shown
    with (
        pytest.raises(DatabaseUnavailable, match="permission denied") as caught,
        guest.writing() as session,
    ):
        guest.note(session, "test", "x")
    assert "must own the database" in caught.value.hint
    guest.close()


def test_a_password_of_the_settings_or_the_environment(
    own_server: PostgresServer,
    make_site: Callable[[str], Site],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    url = own_server.new_database()
    site = make_site(url)
    with site.writing() as session:
        session.execute(text("ALTER ROLE wimdock PASSWORD 'p@ss/word'"))
    own_server.require_passwords("wimdock")
    (tmp_path / "key").write_text("p@ss/word\n")
    site.database.close()
    with pytest.raises(DatabaseUnavailable):
        open_site(Place(site.folder))
    path = site.folder / "wimdock.toml"
    whole = path.read_text()
    path.write_text(whole.replace('# password_file = ""', f'password_file = "{tmp_path}/key"', 1))
    open_site(Place(site.folder)).close()
    path.write_text(whole)
    monkeypatch.setenv(variable_of("database", "password"), "p@ss/word")
    open_site(Place(site.folder)).close()
    open_site(Place(None, url)).close()
    other = url.replace("wimdock@", "wimdock:p%40ss%2Fword@")
    monkeypatch.delenv(variable_of("database", "password"))
    again = open_site(Place(None, other))
    assert "ss/word" not in again.database.shown
    again.close()


def test_a_full_disk_on_sqlite(make_site: Callable[[], Site]) -> None:
    site = make_site()
    with site.writing() as session:
        site.note(session, "test", "before")

    def write() -> None:
        with site.writing() as session:
            for number in range(200):
                site.note(session, "test", "x" * 10_000, number=number)

    limit(site, 100)
    with pytest.raises(DatabaseUnavailable, match="disk is full") as caught:
        write()
    assert caught.value.hresult == 0x80070070
    assert "Free space" in caught.value.hint
    assert notes(site) == 1
    limit(site, 1 << 20)
    write()
    assert notes(site) == 201


def limit(site: Site, pages: int) -> None:
    """Let SQLite's file grow to so many pages only, as a full disk would."""
    with site.reading() as session:
        session.execute(text(f"PRAGMA max_page_count = {pages}"))


HOLDER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
connection.execute("COMMIT")
"""


def test_a_locked_sqlite_is_waited_for(
    make_site: Callable[[], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()

    def hold(seconds: float) -> subprocess.Popen[str]:
        words = (sys.executable, "-c", HOLDER, str(site.folder / "site.sqlite"), str(seconds))
        holder = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    with hold(1.0) as holder:
        began = time.monotonic()
        assert notes(site) == 0  # readers need not wait
        assert time.monotonic() - began < 0.5
        with site.writing() as session:
            site.note(session, "test", "x")
        assert time.monotonic() - began > 0.4
    assert holder.returncode == 0
    monkeypatch.setattr(database_module, "_WAIT_SECONDS", 0.1)
    impatient = Database(site.database.url)
    with (
        hold(3.0) as holder,
        pytest.raises(DatabaseUnavailable, match="locked") as caught,
        impatient.writing() as session,
    ):
        session.execute(text("SELECT 1"))
    assert "Another process" in caught.value.hint
    impatient.close()
    assert notes(site) == 1


@pytest.mark.parametrize("kind", ["text", "torn", "folder", "empty", "other"])
def test_files_that_are_no_database_of_a_site(kind: str, make_site: Callable[[], Site]) -> None:
    site = make_site()
    for number in range(50):
        with site.writing() as session:
            site.note(session, "test", "x" * 1000, number=number)
    site.close()
    path = site.folder / "site.sqlite"
    match kind:
        case "text":
            path.write_text("no database at all\n" * 1000)
        case "torn":
            path.write_bytes(path.read_bytes()[:8192] + b"\xff" * 4096 * 20)
        case "folder":
            path.unlink()
            path.mkdir()
        case "empty":
            path.write_bytes(b"")
        case "other":
            path.unlink()
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE users (id)")
    with pytest.raises((DatabaseUnavailable, NoSite)) as caught:
        open_site(Place(site.folder))
    assert str(path) in caught.value.message
    assert isinstance(caught.value, NoSite) == (kind in {"empty", "other"})
    if kind in {"text", "torn"}:
        assert "site restore" in caught.value.hint


@pytest.mark.parametrize(
    "url, shown",
    [
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgres://u@h:5433/d", "postgresql://u@h:5433/d"),
        ("postgresql+psycopg://u@h/d", "postgresql://u@h/d"),
        ("postgresql://u:hunter2@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:hunt/er2@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?user=u&password=hunter2", "postgresql://h/d?password=hidden&user=u"),
        (
            "postgresql:///d?host=/run/pg&sslpassword=hunter2",
            "postgresql:///d?host=%2Frun%2Fpg&sslpassword=hidden",
        ),
    ],
)
def test_urls_are_shown_without_their_passwords(url: str, shown: str) -> None:
    parsed = parse_url(url)
    assert show_url(parsed) == shown
    assert parsed.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "sqlite:///hunter2",
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@h",
        "postgresql://u:hunter2@h/",
        "postgresql://u:hunt@er2@h/d",
        "postgresql://u:hunter2@h:port/d",
        "://hunter2",
    ],
)
def test_urls_that_are_wrong_are_not_shown_at_all(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_url(url)
    said = f"{caught.value} {caught.value.hint}"
    assert "hunt" not in said
    assert "er2" not in said
