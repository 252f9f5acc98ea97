"""The watched folder: what is put there imports by itself, once it is complete.

A file is complete when its size and time are the same at two looks, some seconds apart. What became
of it is kept in the database, so that neither a restart nor a second process tries it again before
it changes. The folder itself is never written.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from wimdock.events import Reporter
from wimdock.files import open_file, storage_error
from wimdock.site.models import WatchedFile, WatchState
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text
from wimdock.site.updates import library
from wimdock.site.updates.importing import (
    ENDINGS,
    Imported,
    ImportOptions,
    ImportState,
    import_updates,
)

QUIET_SECONDS = 10.0
"""For so long a file must stay as it is before it is taken for complete."""

_LOCK = "watch.lock"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file as a look at the folder finds it; `modified` counts nanoseconds since 1970."""

    path: Path
    size: int
    modified: int

    @property
    def key(self) -> str:
        """What its row is found by."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()


def watch_folder(
    site: Site,
    folder: Path,
    *,
    quiet_seconds: float = QUIET_SECONDS,
    options: ImportOptions | None = None,
    reporter: Reporter | None = None,
) -> list[Imported]:
    """Look at a folder once and import what is complete; give what was tried.

    Called again and again. A file that failed is not tried again until its size or time changes. An
    update that was retired stays so. Nothing happens while another process looks. StorageError
    where the folder cannot be read.
    """
    library.prepare(site)
    with _alone(site) as alone:
        if not alone:
            return []
        ready = _look(site, list(_files_in(folder.absolute())), quiet_seconds)
        return [_import(site, seen, options, reporter) for seen in ready]


@contextmanager
def _alone(site: Site) -> Iterator[bool]:
    """Tell whether no other process looks at the folder, and keep it so."""
    path = site.library / _LOCK
    fd = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        except OSError as error:
            raise storage_error(error, path) from error
        else:
            yield True
    finally:
        os.close(fd)


def _files_in(folder: Path) -> Iterator[_Seen]:
    def fail(error: OSError) -> None:
        raise storage_error(error, error.filename or folder) from error

    for where, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(ENDINGS):
                path = Path(where, name)
                try:
                    found = path.stat()
                except OSError:
                    continue  # gone since, or a link that leads nowhere yet
                if path.is_file():
                    yield _Seen(path, found.st_size, found.st_mtime_ns)


def _look(site: Site, found: list[_Seen], quiet_seconds: float) -> list[_Seen]:
    """Record what was found and give what is complete; files that are gone are forgotten."""
    now = site.now()
    quiet = timedelta(seconds=quiet_seconds)
    ready: list[_Seen] = []
    with site.writing() as session:
        known = {row.key: row for row in session.scalars(select(WatchedFile))}
        for seen in found:
            row = known.pop(seen.key, None)
            if row is None:
                row = WatchedFile(key=seen.key, path=storable_text(str(seen.path)))
                session.add(row)
                _arrive(row, seen, now)
            elif (row.size, row.modified) != (seen.size, seen.modified):
                _arrive(row, seen, now)
            elif row.state is WatchState.ARRIVING and now - row.since >= quiet:
                ready.append(seen)
        for row in known.values():
            session.delete(row)
    return ready


def _arrive(row: WatchedFile, seen: _Seen, now: datetime) -> None:
    row.size, row.modified, row.since = seen.size, seen.modified, now
    row.state, row.reason = WatchState.ARRIVING, ""


def _import(
    site: Site, seen: _Seen, options: ImportOptions | None, reporter: Reporter | None
) -> Imported:
    options = replace(options or ImportOptions(), revive=False)
    (imported,) = import_updates(site, seen.path, options, reporter)
    failed = imported.state is ImportState.FAILED
    with site.writing() as session:
        row = session.get(WatchedFile, seen.key, with_for_update=True)
        if row is not None:
            row.state = WatchState.FAILED if failed else WatchState.IMPORTED
            row.reason = storable_text(str(imported.error or ""))
    return imported
