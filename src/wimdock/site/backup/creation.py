"""Making a backup while the site is in use.

Every table is read in one transaction that sees one state of the database: SQLite's write-ahead log
and PostgreSQL's REPEATABLE READ give that, and hinder no writer. The engine's own records are left
out on purpose: a restored site begins its open runs anew, as new attempts, and records of another
moment would say of some of them that they are done.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from wimdock import __version__
from wimdock.errors import CorruptPackage, StorageError
from wimdock.events import Reporter
from wimdock.files import Disk, open_file, storage_error
from wimdock.site.backup.archive import ArchiveWriter
from wimdock.site.backup.layout import MANIFEST, SETTINGS, Manifest, Member
from wimdock.site.backup.rows import dump, tables_of
from wimdock.site.backup.spool import HashedSource, Spool
from wimdock.site.messages.log import SiteLog
from wimdock.site.messages.report import report
from wimdock.site.messages.table import BACKUP_MADE
from wimdock.site.models import UpdateRow
from wimdock.site.placing import put_in_place
from wimdock.site.schema import require, schema_of
from wimdock.site.settings import SETTINGS_NAME
from wimdock.site.settings_file import parse_settings
from wimdock.site.settings_text import settings_text, without_secrets
from wimdock.site.site import Site
from wimdock.site.updates.library import file_of_update

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made: its file, its length in bytes, and what is in it."""

    path: Path
    size: int
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """What a backup holds beside the tables: the settings' secrets, the files of the library."""

    secrets: bool = False
    updates: bool = False


def backup_site(
    site: Site,
    out: Path,
    options: BackupOptions | None = None,
    *,
    reporter: Reporter | None = None,
    disk: Disk | None = None,
) -> Backup:
    """Write a backup to `out`; where that is a folder, into a file in it named by code and time.

    Only who runs wimdock can read it. It appears under its name when it is whole: StorageError
    where there is a file of that name. No backup is left where anything goes wrong.
    """
    disk = disk or Disk()
    if out.is_dir():
        out /= f"{site.code}-{site.now():%Y%m%dT%H%M%SZ}.tar.gz"
    if out.exists():
        raise _exists(out)
    unfinished = out.with_name(f".{out.name}.new-{os.getpid()}")
    fd = open_file(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    try:
        try:
            with ExitStack() as stack:
                maker = _Maker(site, options or BackupOptions(), out.parent, stack)
                manifest = maker.write(ArchiveWriter(fd, disk), reporter or Reporter())
                size = os.fstat(fd).st_size
        finally:
            os.close(fd)
        put_in_place(unfinished, out, disk)
    except FileExistsError as error:
        raise _exists(out) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    _tell(site, out, manifest)
    return Backup(out, size, manifest)


class _Maker:
    """Gathers what a backup is made of, then writes it after its manifest."""

    def __init__(self, site: Site, options: BackupOptions, folder: Path, stack: ExitStack) -> None:
        self._site = site
        self._options = options
        self._folder = folder
        self._stack = stack
        self._sources: list[tuple[Member, IO[bytes]]] = []
        self._updates: list[tuple[Member, Path]] = []

    def write(self, archive: ArchiveWriter, reporter: Reporter) -> Manifest:
        with reporter.step("read the database"):
            schema = self._read_database()
            self._read_settings()
        members = [member for member, _ in (*self._sources, *self._updates)]
        manifest = Manifest(
            wimdock=__version__,
            code=self._site.code,
            uuid=self._site.uuid,
            folder=str(self._site.folder),
            schema=schema,
            database="sqlite" if self._site.database.is_sqlite else "postgresql",
            created_at=self._site.now(),
            secrets=self._options.secrets,
            updates=self._options.updates,
            members=tuple(members),
        )
        text = manifest.to_json()
        with reporter.step("write the backup"):
            done, total = 0, sum(member.size for member in members)

            def watch(count: int) -> None:
                nonlocal done
                done += count
                reporter.progress(done, total)

            archive.add(MANIFEST, len(text), io.BytesIO(text))
            for member, source in self._sources:
                archive.add(member.name, member.size, source, watch=watch)
            for member, path in self._updates:
                self._add_update(archive, member, path, watch)
            archive.finish()
        return manifest

    def _read_database(self) -> str:
        with self._site.database.snapshot() as connection:
            schema = schema_of(connection)
            require(schema, self._site.database.shown)
            for table in tables_of(connection):
                spool = self._spool()
                rows = dump(connection, table, spool)
                columns = table.columns.keys()
                member = spool.member(f"tables/{table.name}.jsonl", columns, rows)
                self._sources.append((member, spool.file))
            if self._options.updates:
                self._updates = list(self._library(connection))
        return str(schema)

    def _library(self, connection: Connection) -> Iterator[tuple[Member, Path]]:
        """Give the files of the library; one of a retired update need not be there any more."""
        query = select(UpdateRow).order_by(UpdateRow.id)
        for row in Session(connection).scalars(query):
            try:
                path = file_of_update(self._site, row)
            except StorageError:
                if row.retired_at is None:
                    raise
                continue
            yield Member(f"updates/{row.sha256}", row.size, row.sha256, file=row.file_name), path

    def _add_update(
        self, archive: ArchiveWriter, member: Member, path: Path, watch: Callable[[int], None]
    ) -> None:
        with os.fdopen(open_file(path), "rb") as file:
            source = HashedSource(file)
            archive.add(member.name, member.size, source, packed=True, watch=watch)
            if source.digest.hexdigest() != member.sha256:
                message = f"{path} is not what was imported"
                hint = "Import the file again, then make the backup: wimdock update import FILE."
                raise CorruptPackage(message, hint=hint)

    def _read_settings(self) -> None:
        given = parse_settings(self._site.folder / SETTINGS_NAME)
        given.pop("database", None)  # a restored site has another one
        if not self._options.secrets:
            given = without_secrets(given)
        spool = self._spool()
        spool.write(settings_text(given).encode("utf-8"))
        self._sources.insert(0, (spool.member(SETTINGS), spool.file))

    def _spool(self) -> Spool:
        return self._stack.enter_context(Spool(self._folder))


def _exists(out: Path) -> StorageError:
    return storage_error(FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)), out)


def _tell(site: Site, out: Path, manifest: Manifest) -> None:
    with site.writing() as session:
        site.note(
            session,
            "site.backup",
            str(out),
            rows=sum(member.rows for member in manifest.members),
            secrets=manifest.secrets,
            updates=manifest.updates,
        )
        row = report(site, session, BACKUP_MADE, str(out))
    with SiteLog(site) as log:
        log.status(row)
