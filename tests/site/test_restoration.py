"""Restoring: only what is whole, only into an empty place, and all or nothing."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from tests.faults.disk import CountingDisk, FullDisk, StoppingDisk
from tests.site.conftest import SetClock
from tests.site.filled import fill, rows_of
from wimdock.errors import (
    AlreadyRecorded,
    BackupError,
    NoSite,
    SchemaMismatch,
    SettingsError,
    StorageError,
)
from wimdock.site.backup.archive import opened
from wimdock.site.backup.creation import BackupOptions, backup_site
from wimdock.site.backup.restoration import restore_site
from wimdock.site.database import Database, parse_url
from wimdock.site.opening import Place, create_site, open_site
from wimdock.site.site import Site

Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def backup(make_site: Callable[[], Site], tmp_path: Path) -> Path:
    """Give a backup of a site with rows in every table."""
    site = make_site()
    fill(site)
    return backup_site(site, tmp_path / "backup.tar.gz").path


def refused(path: Path, tmp_path: Path) -> BackupError:
    """Restore what cannot be restored: it must say so and make nothing."""
    folder = tmp_path / "restored"
    with pytest.raises(BackupError) as caught:
        restore_site(path, Place(folder))
    assert not folder.exists()
    return caught.value


def members_of(path: Path) -> Members:
    """Give the members of a backup."""
    with tarfile.open(path) as archive:
        found = []
        for info in archive:
            file = archive.extractfile(info)
            assert file is not None
            found.append((info, file.read()))
        return found


def packed(path: Path, members: Members) -> Path:
    """Write members as a backup is written, whatever they are."""
    out = io.BytesIO()
    for info, data in members:
        info.size = len(data) if info.isreg() else 0
        out.write(info.tobuf(tarfile.GNU_FORMAT))
        out.write(data + bytes(-len(data) % 512) if info.isreg() else b"")
    out.write(bytes(1024))
    out.write(bytes(-out.tell() % 10240))
    path.write_bytes(gzip.compress(out.getvalue()))
    return path


def with_manifest(members: Members, change: Callable[[dict[str, Any]], None]) -> Members:
    """Change what the manifest says."""
    manifest = json.loads(members[0][1])
    change(manifest)
    return [(members[0][0], json.dumps(manifest).encode()), *members[1:]]


def replaced(members: Members, name: str, data: bytes) -> Members:
    """Give a member other bytes, and the manifest their size and hash."""

    def change(manifest: dict[str, Any]) -> None:
        for member in manifest["members"]:
            if member["name"] == name:
                member |= {"size": len(data), "sha256": sha256(data).hexdigest()}

    kept = [(info, data if info.name == name else old) for info, old in members]
    return with_manifest(kept, change)


def test_tar_reads_it_and_so_does_what_tar_wrote(backup: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        ("tar", "-tzf", str(backup)), check=True, capture_output=True, text=True
    )
    names = listed.stdout.split()
    assert names[:2] == ["manifest.json", "wimdock.toml"]
    assert {"tables/site.jsonl", "tables/runs.jsonl", "tables/audit.jsonl"} <= set(names)
    again = packed(tmp_path / "again.tar.gz", members_of(backup))
    assert restore_site(again, Place(tmp_path / "restored")).manifest.code == "CAS"


def test_truncated_at_any_byte(backup: Path, tmp_path: Path) -> None:
    data = backup.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        with pytest.raises(BackupError, match="damaged"), opened(cut) as reader:
            reader.check()
        if length % 500 == 0:
            refused(cut, tmp_path)
    refused(cut, tmp_path)


def test_truncated_before_it_was_packed(backup: Path, tmp_path: Path) -> None:
    """A gzip trailer that is right says nothing of an archive that ends early."""
    data = gzip.decompress(backup.read_bytes())
    cut = tmp_path / "cut.tar.gz"
    for length in (*range(0, len(data), 512), len(data) - 1, len(data) - 10240):
        cut.write_bytes(gzip.compress(data[:length], 1))
        refused(cut, tmp_path)


def test_bytes_that_changed(backup: Path, tmp_path: Path) -> None:
    """What is not refused must be the same: gzip's own header holds bytes that mean nothing."""
    data = backup.read_bytes()
    plain = gzip.decompress(data)
    changed = tmp_path / "changed.tar.gz"
    chance = random.Random(1)
    for _ in range(400):
        place = chance.randrange(len(data))
        mutated = bytearray(data)
        mutated[place] ^= 1 << chance.randrange(8)
        changed.write_bytes(mutated)
        try:
            with opened(changed) as reader:
                reader.check()
        except BackupError:
            continue
        assert gzip.decompress(mutated) == plain
    for _ in range(400):
        mutated = bytearray(plain)
        place = chance.randrange(len(plain))
        mutated[place] ^= 1 << chance.randrange(8)
        changed.write_bytes(gzip.compress(mutated, 1))
        try:
            with opened(changed) as reader:
                reader.check()
        except (BackupError, SchemaMismatch):
            continue
        # The padding of a member, or a member's mode, owner or time, which nobody reads.
        first = members_of(changed)
        assert [(info.name, body) for info, body in first[1:]] == [
            (info.name, body) for info, body in members_of(backup)[1:]
        ]


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", gzip.compress(b""), gzip.compress(b"x" * 999)],
    ids=["empty", "text", "compressed nothing", "compressed text"],
)
def test_what_is_no_backup(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "backup.tar.gz"
    path.write_bytes(data)
    assert str(path) in refused(path, tmp_path).message


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", ".", "pipe"):
        with pytest.raises(StorageError):
            restore_site(tmp_path / name, Place(tmp_path / "restored"))
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "updates/../../evil",
        "tables/../site.jsonl",
        "tables/Site.jsonl",
        "tables/site.json",
        "updates/" + "0" * 63,
        "wimdock.toml/",
        "",
        "tables/" + "x" * 64 + ".jsonl",
    ],
)
def test_names_that_no_backup_has(name: str, backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    info = tarfile.TarInfo(name)
    extra = {"name": name, "size": 4, "sha256": sha256(b"evil").hexdigest()}
    extra |= {"columns": [], "rows": 0, "file": ""}
    named = with_manifest(members, lambda manifest: manifest["members"].append(extra))
    refused(packed(tmp_path / "a.tar.gz", [*named, (info, b"evil")]), tmp_path)
    refused(packed(tmp_path / "b.tar.gz", [*members, (info, b"evil")]), tmp_path)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    "file", ["../../../evil", "/evil", "a/b", "..", ".hidden", "", "x\0y", "\u202e.cab", "a" * 300]
)
def test_files_of_the_library_go_nowhere_else(file: str, backup: Path, tmp_path: Path) -> None:
    digest = sha256(b"evil").hexdigest()
    name = f"updates/{digest}"
    extra = {"name": name, "size": 4, "sha256": digest, "columns": [], "rows": 0, "file": file}
    members = with_manifest(members_of(backup), lambda manifest: manifest["members"].append(extra))
    refused(packed(tmp_path / "a.tar.gz", [*members, (tarfile.TarInfo(name), b"evil")]), tmp_path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_members_that_are_no_files(kind: bytes, backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    for place in (0, 1, len(members) - 1):
        info = tarfile.TarInfo(members[place][0].name)
        info.type = kind
        info.linkname = "/etc/passwd"
        changed = [*members[:place], (info, members[place][1]), *members[place + 1 :]]
        refused(packed(tmp_path / "a.tar.gz", changed), tmp_path)


def test_members_in_another_order_or_number(backup: Path, tmp_path: Path) -> None:
    members = members_of(backup)
    for changed in (
        members[::-1],
        [members[0], *members[2:]],
        members[:-1],
        [*members, members[-1]],
        [members[0], members[0], *members[1:]],
        members[:1],
        with_manifest(members, lambda manifest: manifest["members"].append(manifest["members"][0])),
        with_manifest(members, lambda manifest: manifest["members"].clear()),
    ):
        refused(packed(tmp_path / "a.tar.gz", changed), tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("code"),
        lambda manifest: manifest.update(code="ABC"),
        lambda manifest: manifest.update(code=7),
        lambda manifest: manifest.update(format=2),
        lambda manifest: manifest.update(created_at="yesterday"),
        lambda manifest: manifest.update(members=None),
        lambda manifest: manifest["members"][3].update(size=-1),
        lambda manifest: manifest["members"][3].update(rows=1),
        lambda manifest: manifest["members"][3].update(rows=True),
        lambda manifest: manifest["members"][3].update(sha256="0" * 64),
        lambda manifest: manifest["members"][3]["columns"].pop(),
        lambda manifest: manifest["members"][3]["columns"].append("id"),
        lambda manifest: manifest["members"][3]["columns"].append("x; DROP TABLE site"),
    ],
)
def test_manifests_that_are_wrong(
    change: Callable[[dict[str, Any]], None], backup: Path, tmp_path: Path
) -> None:
    members = with_manifest(members_of(backup), change)
    refused(packed(tmp_path / "a.tar.gz", members), tmp_path)


@pytest.mark.parametrize(
    "line", [b"{}", b"[]", b"[1, 2]", b"nonsense", b"\xff", b"[" * 100_000, b"null"]
)
def test_lines_that_are_no_rows(line: bytes, backup: Path, tmp_path: Path) -> None:
    for name in ("tables/audit.jsonl", "tables/site.jsonl"):
        members = replaced(members_of(backup), name, line + b"\n")
        refused(packed(tmp_path / "a.tar.gz", members), tmp_path)


def test_rows_that_refer_to_what_is_not_there(backup: Path, tmp_path: Path) -> None:
    def empty(manifest: dict[str, Any]) -> None:
        for member in manifest["members"]:
            if member["name"] == "tables/runs.jsonl":
                member["rows"] = 0

    members = with_manifest(replaced(members_of(backup), "tables/runs.jsonl", b""), empty)
    error = refused(packed(tmp_path / "a.tar.gz", members), tmp_path)
    assert "refer to what is not in it" in error.message


def test_settings_that_are_none(backup: Path, tmp_path: Path) -> None:
    for data in (b"= 1", b"\xff\xfe", b'mail = "x"', b"notification = 3"):
        members = replaced(members_of(backup), "wimdock.toml", data)
        refused(packed(tmp_path / "a.tar.gz", members), tmp_path)


def test_a_backup_of_a_newer_wimdock(backup: Path, tmp_path: Path) -> None:
    members = with_manifest(members_of(backup), lambda manifest: manifest.update(schema="9999"))
    path = packed(tmp_path / "a.tar.gz", members)
    with pytest.raises(SchemaMismatch, match="9999"):
        restore_site(path, Place(tmp_path / "restored"))
    assert not (tmp_path / "restored").exists()


def test_only_into_an_empty_folder(
    backup: Path, tmp_path: Path, make_site: Callable[[], Site]
) -> None:
    site = make_site()
    before = rows_of(site)
    with pytest.raises(AlreadyRecorded, match="there is a site"):
        restore_site(backup, Place(site.folder))
    assert rows_of(site) == before
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    with pytest.raises(AlreadyRecorded, match=r"not empty: mine\.txt"):
        restore_site(backup, Place(full))
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(StorageError):
        restore_site(backup, Place(file))
    with pytest.raises(StorageError):
        restore_site(backup, Place(file / "below"))


def test_only_into_an_empty_database(
    backup: Path, tmp_path: Path, postgres: Any, clock: SetClock
) -> None:
    url = postgres.new_database()
    create_site(Place(tmp_path / "first", url), "ABC", clock).close()
    with pytest.raises(AlreadyRecorded, match="holds tables"):
        restore_site(backup, Place(tmp_path / "restored", url))
    assert not (tmp_path / "restored").exists()
    other = postgres.new_database()
    database = Database(parse_url(other))
    with database.changing_schema() as connection:
        connection.execute(text("CREATE SCHEMA dbos"))
    database.close()
    with pytest.raises(AlreadyRecorded, match="schema dbos"):
        restore_site(backup, Place(tmp_path / "restored", other))
    assert not (tmp_path / "restored").exists()


def test_a_disk_that_stops_or_is_full_leaves_the_place_as_it_was(
    make_site: Callable[[], Site], tmp_path: Path, postgres: Any
) -> None:
    site = make_site()
    fill(site)
    data = os.urandom(3_000_000)
    from tests.site.test_backup import put_update

    put_update(site, data, 9)
    options = BackupOptions(updates=True)
    # the library's other rows have no files
    with site.writing() as session:
        session.execute(text("DELETE FROM schedule_updates"))
        session.execute(text("DELETE FROM updates WHERE id < 9"))
    backup = backup_site(site, tmp_path / "backup.tar.gz", options).path
    counting = CountingDisk(quick=True)
    restore_site(backup, Place(tmp_path / "whole"), disk=counting)
    last = max(at for at, what in enumerate(counting.operations) if what == "rename")
    for at in range(last + 1):
        for disk in (StoppingDisk(at, quick=True), FullDisk(at, quick=True)):
            with pytest.raises(StorageError):
                restore_site(backup, Place(tmp_path / "restored"), disk=disk)
            assert not (tmp_path / "restored").exists()
    empty = tmp_path / "empty"
    empty.mkdir()
    url = postgres.new_database()
    counting = CountingDisk(quick=True)
    restore_site(backup, Place(tmp_path / "other", postgres.new_database()), disk=counting)
    last = max(at for at, what in enumerate(counting.operations) if what == "rename")
    for at in range(last + 1):
        with pytest.raises(StorageError):
            restore_site(backup, Place(empty, url), disk=FullDisk(at, quick=True))
        assert list(empty.iterdir()) == []
    database = Database(parse_url(url))
    with database.snapshot() as connection:
        assert inspect(connection).get_table_names() == []
    database.close()
    restore_site(backup, Place(empty, url))
    open_site(Place(empty)).close()


KILLED = """
import os, signal, sys
from pathlib import Path
from wimdock.files import Disk
from wimdock.site.backup.restoration import restore_site
from wimdock.site.opening import Place

class Killed(Disk):
    left = int(sys.argv[3])
    def replace(self, source, target):
        if not Killed.left:
            os.kill(os.getpid(), signal.SIGKILL)
        Killed.left -= 1
        super().replace(source, target)

restore_site(Path(sys.argv[1]), Place(Path(sys.argv[2])), disk=Killed())
"""


@pytest.mark.parametrize("renames", [0, 1, 2, 3, 4])
def test_killed_on_the_way(renames: int, backup: Path, tmp_path: Path) -> None:
    """What is left is no site; the next restore clears it away, or says what is in the way."""
    folder = tmp_path / "restored"
    words = (sys.executable, "-c", KILLED, str(backup), str(folder), str(renames))
    done = subprocess.run(words, check=False, env={**os.environ, "PYTHONPATH": "src"})
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(NoSite):
        open_site(Place(folder))
    if renames <= 1:  # nothing has taken its place yet
        restore_site(backup, Place(folder))
        open_site(Place(folder)).close()
        return
    with pytest.raises(AlreadyRecorded, match="is not empty: ") as caught:
        restore_site(backup, Place(folder))
    assert "its files can be deleted" in caught.value.hint


def test_two_at_once(backup: Path, tmp_path: Path) -> None:
    words = (
        "import sys; from pathlib import Path; from wimdock.site.opening import Place;"
        "from wimdock.site.backup.restoration import restore_site;"
        "restore_site(Path(sys.argv[1]), Place(Path(sys.argv[2])))"
    )
    command = (sys.executable, "-c", words, str(backup), str(tmp_path / "restored"))
    environment = {**os.environ, "PYTHONPATH": "src"}
    running = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in running]
    codes = sorted(bool(process.returncode) for process in running)
    assert codes == [False, True], said
    open_site(Place(tmp_path / "restored")).close()


def test_the_settings_of_the_environment_do_not_matter(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{'WIMDOCK'}_WORKER_LEASE", "no number")
    restore_site(backup, Place(tmp_path / "restored"))
    with pytest.raises(SettingsError):
        open_site(Place(tmp_path / "restored"))
