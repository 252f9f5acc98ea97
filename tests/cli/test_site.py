"""`wimdock site`: a site made, looked at, backed up, restored, upgraded; and what is no site."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sqlalchemy import insert, text, update

from tests.cli.ended import Command, Ended
from tests.cli.site_command import SiteCommand
from tests.site.conftest import postgres  # noqa: F401 - the fixture
from tests.site.filled import row_of
from tests.site.postgres import PostgresServer
from wimdock.cli.main import run
from wimdock.errors import (
    AlreadyRecorded,
    BackupError,
    DatabaseUnavailable,
    NoSite,
    SchemaMismatch,
    SettingsError,
    StorageError,
    UsageError,
)
from wimdock.site.models import (
    Base,
    DistributionPoint,
    ImagePackage,
    Lease,
    Run,
    RunState,
    Schedule,
    SiteRow,
    UpdateRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.opening import Place, open_site
from wimdock.site.schema import VERSION_TABLE

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
ON_A_SITE = [("status",), ("backup", "out.tar.gz"), ("upgrade",), ("audit",)]


@pytest.fixture
def wimdock(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    """Run a command line of `site`, in an empty folder, and give how it ended."""
    for name in ("WIMDOCK_SITE", "WIMDOCK_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def ended(*words: str) -> Ended:
        status = run(["site", *words])
        printed = capsys.readouterr()
        return Ended(status, printed.out, printed.err)

    return ended


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[SiteCommand]:
    """Give a site."""
    made = SiteCommand(tmp_path / "site", capsys)
    yield made
    made.close()


def document(ended: Ended, name: str) -> dict[str, Any]:
    """Give the document of a command that ended well, valid by its schema."""
    assert ended.status == 0, ended.err
    found = ended.document
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, schema, format_checker=jsonschema.FormatChecker())
    assert found.pop("wimdock") == {"document": name, "version": 1}
    return found


def put(command: SiteCommand, kind: Any, values: Mapping[str, Any], number: int = 1) -> None:
    """Put a row into a table."""
    with command.site.writing() as session:
        row = row_of(Base.metadata.tables[kind.__tablename__], number)
        session.execute(insert(kind), row | dict(values))


def key(number: int) -> str:
    """Give the ID of the image package of that number."""
    ids: str = row_of(Base.metadata.tables["image_packages"], number)["id"]
    return ids


def test_init(wimdock: Command, tmp_path: Path) -> None:
    ended = wimdock("init", "a/site", "--code", "cas")
    assert (ended.status, ended.err) == (0, "")
    folder = tmp_path / "a" / "site"
    assert f"site CAS in {folder}, database sqlite:///{folder}/site.sqlite" in ended.out
    assert (folder / "wimdock.toml").exists()
    assert f"export WIMDOCK_SITE={folder}, or give every command --site {folder}" in ended.out
    assert "--site 'a b'" in wimdock("init", "a b", "--code", "CAS").out.replace(f"{tmp_path}/", "")
    found = document(wimdock("init", "other", "--code", "X01", "--json"), "site_init")
    site = open_site(Place(tmp_path / "other"))
    assert found == {
        "code": "X01",
        "uuid": site.uuid,
        "folder": str(tmp_path / "other"),
        "database": f"sqlite:///{tmp_path}/other/site.sqlite",
        "settings": str(tmp_path / "other" / "wimdock.toml"),
    }
    site.close()


@pytest.mark.parametrize(
    "words, error",
    [
        (("init", "site", "--code", "CAS"), AlreadyRecorded),
        (("init", "new", "--code", "CASX"), UsageError),
        (("init", "new"), UsageError),
        (("init", "--code", "CAS"), UsageError),
        (("init", "new", "--code", "CAS", "--database", "mysql://u:hunter2@h/d"), SettingsError),
        (
            ("init", "new", "--code", "CAS", "--database", "postgresql://u:hunter2@127.0.0.1:1/d"),
            DatabaseUnavailable,
        ),
    ],
)
def test_init_that_cannot_be(
    words: tuple[str, ...], error: type[Exception], command: SiteCommand, wimdock: Command
) -> None:
    for more in ((), ("--json",)):
        ended = wimdock(*words, *more)
        assert ended.status == error.exit_code  # type: ignore[attr-defined]
        assert "what to do: " in ended.err
        assert "hunter2" not in ended.out + ended.err
        assert "Traceback" not in ended.err
    assert not (command.site.folder.parent / "new" / "wimdock.toml").exists()


def test_the_status_of_a_new_site(command: SiteCommand) -> None:
    ended = command("site", "status")
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"site CAS in {command.site.folder}"
    assert lines[-1] == "Nothing is wrong."
    found = document(command("site", "status", "--json"), "site_status")
    assert (found["code"], found["schema"]) == ("CAS", "0001")
    assert found["problems"] == found["workers"] == found["leases"] == []
    assert found["last_tick"] is None
    assert set(found["counts"].values()) == {0}
    assert found["bytes"]["database"] > 100_000


def test_the_status_of_a_site_with_troubles(command: SiteCommand) -> None:
    now = command.site.now()
    old = now - timedelta(minutes=10)
    put(command, ImagePackage, {"removed_at": None})
    put(command, ImagePackage, {"removed_at": None}, 2)
    put(command, UpdateRow, {"retired_at": None})
    due = {"removed_at": None, "next_due": now + timedelta(hours=1)}
    put(command, Schedule, due | {"enabled": True})
    put(command, Schedule, due | {"enabled": False}, 2)
    worker = {"id": "w1", "lease_seconds": 30.0, "queues": ["fast"], "heartbeat_at": old}
    put(command, WorkerRow, worker | {"state": WorkerState.RUNNING})
    run = {"package_id": key(1), "not_before": None, "queue": "default", "instant": None}
    put(command, Run, run | {"state": RunState.QUEUED})
    lost = {"state": RunState.RUNNING, "worker_id": None, "orphaned_at": old}
    put(command, Run, run | lost, 2)
    point = {"enabled": True, "down_since": old, "error": "no route\x1b[31m", "retry_at": now}
    put(command, DistributionPoint, point | {"name": "branch"})
    lease = {"run_id": 2, "worker_id": "w1", "expires_at": None, "acquired_at": old}
    put(command, Lease, lease | {"package_id": key(1)})
    with command.site.writing() as session:
        session.execute(update(SiteRow).values(last_tick=old))
        session.execute(update(ImagePackage).values(state="as recorded"))
        session.execute(update(ImagePackage).where(ImagePackage.type == 2).values(state="missing"))
    found = document(command("site", "status", "--json"), "site_status")
    assert found["problems"] == [
        "schedules wait, but nothing has looked at them for 10 minutes: start `wimdock serve`",
        "workers are silent for longer than their leases: w1",
        "1 run waits, but no worker lives: start `wimdock serve` or `wimdock worker`",
        "1 run is without the worker that executed it",
        f"files of image packages are missing or unreadable: {key(2)}",
        "files of updates are not in the library: 1; import them again",
        "the distribution point branch is down: no route\x1b[31m",
    ]
    counts = found["counts"]
    assert (counts["image_packages"], counts["updates"]) == (2, 1)
    assert (counts["schedules"], counts["schedules_enabled"]) == (2, 1)
    assert (counts["runs"], counts["runs_waiting"], counts["runs_running"]) == (2, 1, 1)
    assert [(each["id"], each["alive"]) for each in found["workers"]] == [("w1", False)]
    assert [(each["image_package"], each["run"]) for each in found["leases"]] == [(key(1), 2)]
    assert [each["schedule"] for each in found["next_due"]] == [1]
    assert [each["name"] for each in found["points_down"]] == ["branch"]
    out = command("site", "status").out
    assert out.count("\nproblem: ") == 7
    assert "\x1b" not in out
    assert "2; 1 waiting, 1 running, 0 failed" in out
    # A worker that lives, but serves another queue.
    with command.site.writing() as session:
        session.execute(update(WorkerRow).values(heartbeat_at=command.site.now()))
        session.execute(update(SiteRow).values(last_tick=command.site.now()))
    found = document(command("site", "status", "--json"), "site_status")
    assert found["problems"][:2] == [
        "no worker serves the queues default, and runs wait",
        "1 run is without the worker that executed it",
    ]


def test_backup_and_restore(command: SiteCommand, wimdock: Command, tmp_path: Path) -> None:
    put(command, UpdateRow, {"retired_at": None})
    put(command, DistributionPoint, {})
    ended = command("site", "backup", str(tmp_path / "b.tar.gz"))
    assert ended.status == 0
    assert "read the database" in ended.err
    assert ended.out.startswith(f"{tmp_path}/b.tar.gz: ")
    found = document(command("site", "backup", str(tmp_path), "--json"), "site_backup")
    assert (found["with_updates"], found["with_secrets"], found["code"]) == (False, False, "CAS")
    ended = wimdock("restore", "b.tar.gz", "again")
    assert ended.status == 0
    assert f"site CAS in {tmp_path}/again, database sqlite:///{tmp_path}/again/site.sqlite" in (
        ended.out
    )
    assert "copy updates/ over" in ended.out
    assert "stop it, then wimdock distribution enable POINT" in ended.out
    restored = document(wimdock("restore", found["file"], "third", "--json"), "site_restore")
    assert restored["folder"] == str(tmp_path / "third")
    assert restored["time"] == found["time"]
    assert wimdock("status", "--site", "third").status == 0


@pytest.mark.parametrize(
    "words, error",
    [
        (("restore", "missing", "new"), StorageError),
        (("restore", "broken", "new"), BackupError),
        (("restore", ".", "new"), StorageError),
        (("restore", "good", "site"), AlreadyRecorded),
        (("restore", "good", "."), AlreadyRecorded),
        (("restore", "good", "broken"), StorageError),
        (("restore", "good", "new", "--database", "postgresql://u:hunter2@h"), SettingsError),
        (
            ("restore", "good", "new", "--database", "postgresql://u:hunter2@127.0.0.1:1/d"),
            DatabaseUnavailable,
        ),
        (("backup", "good", "--site", "site"), StorageError),
        (("backup", "missing/x", "--site", "site"), StorageError),
        (("backup", "x", "--with-updates", "--site", "site"), StorageError),
    ],
)
def test_backups_that_cannot_be(
    words: tuple[str, ...],
    error: type[Exception],
    command: SiteCommand,
    wimdock: Command,
    tmp_path: Path,
) -> None:
    assert wimdock("backup", "good", "--site", "site").status == 0
    put(command, UpdateRow, {"retired_at": None})
    (tmp_path / "broken").write_bytes((tmp_path / "good").read_bytes()[:-1])
    before = sorted(path.name for path in tmp_path.iterdir())
    for more in ((), ("--json",)):
        ended = wimdock(*words, *more)
        assert ended.status == error.exit_code  # type: ignore[attr-defined]
        assert "what to do: " in ended.err
        assert "hunter2" not in ended.out + ended.err
        if more:
            assert ended.document["errors"][0]["type"] == error.__name__
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_upgrade(command: SiteCommand) -> None:
    assert (
        command("site", "upgrade").out == "The database has schema 0001: nothing is to be done.\n"
    )
    found = document(command("site", "upgrade", "--json"), "site_upgrade")
    assert (found["before"], found["after"], found["upgraded"]) == ("0001", "0001", False)
    with command.site.database.changing_schema() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0002'"))  # noqa: S608
    for name in ("status", "upgrade", "audit"):
        ended = command("site", name)
        assert ended.status == SchemaMismatch.exit_code
        assert "newer version" in ended.err


def test_audit(command: SiteCommand) -> None:
    assert command("site", "audit").out == "There is no such change.\n"
    with command.site.writing() as session:
        for number, action in enumerate(("image.add", "image.remove", "imagery.see", "update.x")):
            command.site.note(session, action, f"CAS0000{number}", number=number, text="é\x1b")
    found = document(command("site", "audit", "--json"), "site_audit")["changes"]
    assert [each["action"] for each in found] == [
        "update.x",
        "imagery.see",
        "image.remove",
        "image.add",
    ]
    assert found[0]["detail"] == {"number": 3, "text": "é\x1b"}
    out = command("site", "audit").out
    assert "\x1b" not in out
    assert out.splitlines()[0].split() == ["time", "operator", "action", "object", "detail"]

    def actions(*words: str) -> list[str]:
        changes = document(command("site", "audit", "--json", *words), "site_audit")["changes"]
        return [each["action"] for each in changes]

    assert actions("--action", "image") == ["image.remove", "image.add"]
    assert actions("--action", "image.add") == ["image.add"]
    assert actions("--action", "%") == []
    assert actions("--object", "CAS00003") == ["update.x"]
    assert actions("--operator", "nobody") == []
    assert actions("--last", "1") == ["update.x"]
    assert len(actions("--since", "1h")) == 4
    assert actions("--since", "2100-01-01") == []
    assert command("site", "audit", "--since", "soon").status == UsageError.exit_code


def test_a_file_of_settings_that_everybody_can_read(command: SiteCommand) -> None:
    path = command.site.folder / "wimdock.toml"
    path.write_text('[mail]\npassword = "hunter2"\n')
    path.chmod(0o644)
    ended = command("site", "audit")
    assert ended.status == 0
    assert ended.err == (
        f"wimdock: warning: {path} holds secrets and everybody can read it: chmod 600 {path}\n"
    )
    ended = command("site", "status")
    assert ended.err == ""
    assert "problem: " in ended.out
    assert "hunter2" not in ended.out


HIDING = """
[database]
password = "hunter2"
[mail]
host = "mail.example.org"
sender = "wimdock@example.org"
password = "swordfish"
[[notification]]
name = "operators"
kind = "webhook"
url = "https://example.org/hook/opensesame"
secret = "correcthorse"
"""


@pytest.mark.parametrize("more", ["", "[worker]\nlease = 0\n"])
def test_nothing_shows_a_secret(
    more: str, command: SiteCommand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = command.site.folder / "wimdock.toml"
    path.write_text(HIDING + more)
    path.chmod(0o644)
    monkeypatch.setenv("WIMDOCK_NOTIFICATION_OPERATORS_SECRET", "staple")
    said = ""
    for words in (("status",), ("audit",), ("upgrade",), ("backup", str(tmp_path / "b.tar.gz"))):
        for form in ((), ("--json",)):
            ended = command("site", *words, *form)
            said += ended.out + ended.err
    assert "chmod 600" in said or "lease" in said
    for log in command.site.logs.iterdir():
        said += log.read_text(encoding="utf-8", errors="replace")
    for word in ("hunter2", "swordfish", "opensesame", "correcthorse", "staple"):
        assert word not in said
    if not more:
        held = gzip.decompress((tmp_path / "b.tar.gz").read_bytes())
        assert b"mail.example.org" in held
        for secret in (b"hunter2", b"swordfish", b"correcthorse", b"staple"):
            assert secret not in held


def bad_places(tmp_path: Path, server: PostgresServer) -> Iterator[tuple[list[str], int, str]]:
    """Give options that name no usable site, the status to expect and what must be said."""
    whole = tmp_path / "site"
    for name in ("corrupt", "no settings", "wrong settings", "gone", "foreign"):
        shutil.copytree(whole, tmp_path / name)
    (tmp_path / "corrupt" / "site.sqlite").write_bytes(b"no database" * 1000)
    (tmp_path / "no settings" / "wimdock.toml").unlink()
    (tmp_path / "wrong settings" / "wimdock.toml").write_text("[worker]\nlese = 1\nlease = 0\n")
    (tmp_path / "gone" / "site.sqlite").unlink()
    (tmp_path / "foreign" / "site.sqlite").write_bytes(b"")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "x.txt").write_text("something else")
    empty = server.new_database()
    down = "postgresql://u:hunter2@127.0.0.1:1/d"
    yield [], NoSite.exit_code, "no site was named"
    yield ["--site", str(tmp_path / "nowhere")], NoSite.exit_code, "there is no site in"
    yield ["--site", str(tmp_path / "else")], NoSite.exit_code, "there is no site in"
    yield ["--site", str(tmp_path / "file")], NoSite.exit_code, "there is no site in"
    yield ["--site", str(tmp_path / "file" / "x")], NoSite.exit_code, "there is no site in"
    yield ["--site", str(tmp_path / "corrupt")], DatabaseUnavailable.exit_code, "not a database"
    yield ["--site", str(tmp_path / "no settings")], NoSite.exit_code, "but no wimdock.toml"
    yield ["--site", str(tmp_path / "wrong settings")], SettingsError.exit_code, "line 2: [worker]"
    yield ["--site", str(tmp_path / "gone")], NoSite.exit_code, "is gone"
    yield (
        ["--site", str(tmp_path / "foreign")],
        NoSite.exit_code,
        "there is no site in the database",
    )
    yield ["--database", empty], NoSite.exit_code, "there is no site in the database"
    yield ["--database", down], DatabaseUnavailable.exit_code, "Connection refused"
    yield ["--database", empty + "x"], DatabaseUnavailable.exit_code, "createdb"
    yield ["--database", "mysql://u:hunter2@h/d"], SettingsError.exit_code, "postgresql://USER@"
    yield ["--database", "hunter2"], SettingsError.exit_code, "postgresql://USER@HOST/NAME"
    yield ["--site", str(whole), "--database", down], DatabaseUnavailable.exit_code, "refused"


def test_what_is_no_site_is_said_by_every_command(
    command: SiteCommand,
    wimdock: Command,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    server: PostgresServer = request.getfixturevalue("postgres")
    command.close()
    for options, status, said in bad_places(tmp_path, server):
        before = sorted(path for path in tmp_path.rglob("*") if path.suffix in {"", ".gz"})
        for words in ON_A_SITE:
            ended = wimdock(*words, *options)
            context = (words, options, ended)
            assert ended.status == status, context
            assert said in ended.err, context
            assert ended.err.startswith("wimdock: "), context
            assert "what to do: " in ended.err, context
            assert ended.out == "", context
            assert "hunter2" not in ended.err, context
            ended = wimdock(*words, *options, "--json")
            assert ended.status == status
            assert "hunter2" not in ended.out
            assert ended.document["errors"][0]["what_to_do"]
        after = sorted(path for path in tmp_path.rglob("*") if path.suffix in {"", ".gz"})
        assert after == before, options


def test_a_wrong_password_is_not_repeated(
    wimdock: Command, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    site = open_site_on(url, tmp_path)
    with site.writing() as session:
        session.execute(text("CREATE ROLE stranger LOGIN PASSWORD 'right'"))
    site.close()
    server.require_passwords("stranger")
    place = url.replace("wimdock@", "stranger:hunter2@")
    for words in ON_A_SITE:
        ended = wimdock(*words, "--database", place, "--json")
        assert ended.status == DatabaseUnavailable.exit_code
        assert "user and the password" in ended.err
        assert "0x8007052E" in ended.err
        assert "hunter2" not in ended.err + ended.out


def open_site_on(url: str, tmp_path: Path) -> Any:
    """Make a site on a database and open it."""
    assert run(["site", "init", str(tmp_path / "other"), "--code", "CAS", "--database", url]) == 0
    return open_site(Place(tmp_path / "other"))


def test_the_environment_names_the_site(
    command: SiteCommand, wimdock: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WIMDOCK_SITE", str(command.site.folder))
    assert document(wimdock("status", "--json"), "site_status")["code"] == "CAS"
    ended = wimdock("status", "--site", str(tmp_path / "nowhere"))
    assert ended.status == NoSite.exit_code
