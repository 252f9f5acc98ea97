"""Making a site of a backup, in an empty place only.

Order: everything in the backup is verified; then the site is made in a folder of its own within the
place (`.restoring-` and the process's number); the database is made in one piece; the files take
their places, `wimdock.toml` last: with that the site is there. What goes wrong leaves the place as
it was; what a killed process left is cleared away by the next one, or named.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select

from wimdock.clock import Clock, SystemClock
from wimdock.errors import AlreadyRecorded, SettingsError, UsageError
from wimdock.events import Reporter
from wimdock.files import Disk, open_file, storage_error
from wimdock.site.backup.archive import ArchiveReader, opened
from wimdock.site.backup.layout import SETTINGS, Manifest, Member, refuse
from wimdock.site.backup.rows import load, tables_of
from wimdock.site.backup.standstill import Standstill, stand_still
from wimdock.site.database import SQLITE_NAME, Database, parse_url, sqlite_url
from wimdock.site.founding import new_database
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.report import report
from wimdock.site.messages.table import BACKUP_RESTORED
from wimdock.site.models import SiteRow
from wimdock.site.opening import (
    Place,
    already_in,
    folder_error,
    make_folders,
    url_with_password,
)
from wimdock.site.schema import SCHEMAS, check_references, move, require
from wimdock.site.settings import SETTINGS_NAME, Settings
from wimdock.site.settings_file import parse_text
from wimdock.site.settings_text import settings_text, write_text
from wimdock.site.site import Site

_STAGING = ".restoring-"
_PIECE = 1 << 20
_LARGEST_SETTINGS = 16 << 20
_LIBRARY_MODE = 0o444


@dataclass(frozen=True, slots=True)
class Restored:
    """A site that was made of a backup; `standstill` is what was under way in it."""

    folder: Path
    database: str
    manifest: Manifest
    standstill: Standstill


def restore_site(
    backup: Path,
    place: Place,
    clock: Clock | None = None,
    *,
    reporter: Reporter | None = None,
    disk: Disk | None = None,
) -> Restored:
    """Make a site of a backup; `place` names an empty folder, and an empty PostgreSQL database.

    BackupError where the backup is damaged, AlreadyRecorded where the place is not empty.
    """
    reporter = reporter or Reporter()
    if place.folder is None:
        message = "a site needs a folder"
        raise UsageError(message)
    folder = place.folder.absolute()
    with reporter.step("verify the backup"), opened(backup) as reader:
        _judge(reader.manifest, backup)
        reader.check()
    with _staging(folder) as staging, reporter.step("make the site"):
        maker = _Maker(place, folder, staging, disk or Disk())
        with opened(backup) as reader:
            maker.make(reader, clock or SystemClock())
    database = Database(maker.url if place.url else sqlite_url(folder))
    try:
        manifest = reader.manifest
        identity = maker.standstill.uuid
        _tell(Site(folder, manifest.code, identity, database, Settings()), backup, manifest)
    finally:
        database.close()
    return Restored(folder, database.shown, manifest, maker.standstill)


def _judge(manifest: Manifest, backup: Path) -> None:
    if manifest.schema not in SCHEMAS:
        require(manifest.schema, f"in {backup}")
    names = {member.name for member in manifest.members}
    for name in (SETTINGS, f"tables/{SiteRow.__tablename__}.jsonl"):
        if name not in names:
            refuse(f"it has no {name}")


class _Maker:
    """Makes the parts of a site in the staging folder."""

    def __init__(self, place: Place, folder: Path, staging: Path, disk: Disk) -> None:
        self._given = place.url or ""
        self.url = sqlite_url(staging)
        if place.url:
            self.url = url_with_password(parse_url(place.url))
        self._folder = folder
        self._staging = staging
        self._disk = disk
        self.standstill = Standstill(0, 0, "")

    def make(self, reader: ArchiveReader, clock: Clock) -> None:
        make_folders(self._staging)
        with new_database(self.url) as connection:
            move(connection, reader.manifest.schema)
            tables = {table.name: table for table in tables_of(connection)}
            for member, source in reader.members():
                if member.table:
                    if member.table not in tables:
                        refuse(f"schema {reader.manifest.schema} has no table {member.table}")
                    load(connection, tables[member.table], member, source)
                elif member.update:
                    self._put_update(member, source)
                else:
                    self._put_settings(source)
            self._finish(connection, reader.manifest, clock)
            if self._given:
                self._put_in_place()
        if not self._given:
            self._put_in_place()

    def _finish(self, connection: Connection, manifest: Manifest, clock: Clock) -> None:
        broken = check_references(connection)
        if broken:
            refuse(f"rows of {', '.join(broken)} refer to what is not in it")
        move(connection)
        codes = connection.scalars(select(SiteRow.code)).all()
        if codes != [manifest.code]:
            refuse(f"it is not of site {manifest.code!r:.20}")
        self.standstill = stand_still(connection, str(self._folder), clock.now())

    def _put_settings(self, source: IO[bytes]) -> None:
        data = source.read(_LARGEST_SETTINGS)
        try:
            given = parse_text(Path(SETTINGS_NAME), data.decode("utf-8"))
        except (SettingsError, UnicodeDecodeError):
            refuse(f"its {SETTINGS_NAME} cannot be read")
        for name, table in given.items():
            rows = table if name == "notification" else [table]
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                refuse(f"its {SETTINGS_NAME} has no table {name}")
        given["database"] = {"url": self._given} if self._given else {}
        write_text(self._staging, settings_text(given), self._disk)

    def _put_update(self, member: Member, source: IO[bytes]) -> None:
        """Put a file of the library where the library looks for it."""
        folder = self._staging / "updates" / member.update[:2] / member.update
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, folder) from error
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        fd = open_file(folder / member.file, flags, _LIBRARY_MODE)
        try:
            done = 0
            while piece := source.read(_PIECE):
                self._disk.write_at(fd, piece, done)
                done += len(piece)
            self._disk.flush(fd)
        finally:
            os.close(fd)

    def _put_in_place(self) -> None:
        """Let the parts take their places; the settings last."""
        names = [SQLITE_NAME] if (self._staging / SQLITE_NAME).exists() else []
        for name in ("updates", "logs", *names, SETTINGS_NAME):
            self._disk.replace(self._staging / name, self._folder / name)


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give a folder in an empty one; an error leaves the empty one as it was, or takes it away."""
    made = not folder.exists()
    staging = folder / f"{_STAGING}{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_full(folder)
        staging.mkdir()
    except OSError as error:
        raise folder_error(error, folder) from error
    try:
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for name in ("updates", "logs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in (SQLITE_NAME, SETTINGS_NAME):
            with suppress(OSError):
                (folder / name).unlink()
        if made:
            with suppress(OSError):
                folder.rmdir()
        raise
    shutil.rmtree(staging, ignore_errors=True)


def _refuse_full(folder: Path) -> None:
    """Make sure that a folder is empty; what a killed restore left in it is cleared away."""
    if (folder / SETTINGS_NAME).exists():
        raise already_in(folder)
    for path in list(folder.glob(f"{_STAGING}*")):
        digits = path.name.removeprefix(_STAGING)
        if digits.isdigit() and not Path(f"/proc/{digits}").exists():
            shutil.rmtree(path, ignore_errors=True)
    left = sorted(path.name for path in folder.iterdir())
    if not left:
        return
    message = f"{folder} is not empty: {', '.join(left[:5])}"
    hint = "Name another folder. Without a wimdock.toml it is no site: its files can be deleted."
    raise AlreadyRecorded(message, hint=hint)


def _tell(site: Site, backup: Path, manifest: Manifest) -> None:
    with site.writing() as session:
        site.note(
            session,
            "site.restore",
            str(backup),
            made_at=manifest.created_at.isoformat(),
            from_folder=manifest.folder,
        )
        row = report(site, session, BACKUP_RESTORED, str(backup))
    with SiteLog(site) as log:
        log.status(row)
