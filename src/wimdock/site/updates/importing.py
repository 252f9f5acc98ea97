"""Importing: update files into the library.

Order for each file: it is copied below `incoming` and flushed; the copy is read, with every hash
verified; it is renamed to its place; then one transaction makes its row, which is what counts.
Idempotent by the SHA-256 of the file. A crash leaves the library as it was, and perhaps a copy that
the next import takes away.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import select

from wimdock.cbs.container import check_container
from wimdock.errors import (
    MissingDictionary,
    SiteError,
    StorageError,
    UsageError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.files import Disk, copy_file, refuse_special, storage_error
from wimdock.servicing.workspace import open_workspace
from wimdock.site.messages import say
from wimdock.site.messages.table import UPDATE_NOT_IMPORTED
from wimdock.site.models import UpdateRow
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text
from wimdock.site.updates import library
from wimdock.site.updates.choice import light_updates
from wimdock.site.updates.dictionary import site_dictionary
from wimdock.site.updates.facts import UpdateFacts, digest_of, read_facts
from wimdock.site.updates.recording import record

ENDINGS = (".cab", ".msu")
"""How the names of update files end."""


class ImportState(StrEnum):
    """What an import came to."""

    IMPORTED = "imported"
    KNOWN = "known already"
    READ_ANEW = "read anew"
    RESTORED = "file restored"
    BROUGHT_BACK = "brought back"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Imported:
    """One file: its row, or the error. `notes` are sentences about its place in the library."""

    path: Path
    state: ImportState
    update: UpdateRow | None = None
    error: WimdockError | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import.

    `dictionary` is the content of a file. `revive` brings retired updates back; without it they
    stay retired. `workspace` is where packages are unpacked, None for where TMPDIR says.
    """

    dictionary: bytes | None = None
    revive: bool = True
    disk: Disk = Disk()  # noqa: RUF009 - it has no state
    workspace: Path | None = None


def import_updates(
    site: Site,
    path: Path,
    options: ImportOptions = ImportOptions(),
    reporter: Reporter | None = None,
) -> list[Imported]:
    """Import a file, or every .cab and .msu file in a folder and those below it.

    A file that cannot be imported is among the results with its error, and the others go on; only
    what concerns the site itself is raised. UsageError for a folder without update files.
    """
    reporter = reporter or Reporter()
    is_folder = path.is_dir()
    found = list(_files_in(path)) if is_folder else [path]
    if not found:
        message = f"there is no .cab or .msu file in {path}"
        raise UsageError(message, hint="Name a folder with update files, or a file.")
    library.prepare(site)
    _clean(site, options.disk)
    dictionary = site_dictionary(site, options.dictionary)
    return [_import(site, each, options, dictionary, reporter) for each in found]


def _files_in(folder: Path) -> Iterator[Path]:
    """Give the update files below a folder; links to folders are not followed.

    A folder that cannot be listed comes itself, so that its error is told as one of a file.
    """
    unlisted: list[Path] = []

    def note(error: OSError) -> None:
        unlisted.append(Path(error.filename))

    for where, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        yield from (Path(where, name) for name in sorted(names) if _is_update_name(name))
    yield from unlisted


def _is_update_name(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _clean(site: Site, disk: Disk) -> None:
    """Take away files that crashed imports brought to their place without a row."""
    with library.library_lock(site):
        with site.reading() as session:
            known = set(session.scalars(select(UpdateRow.sha256)))
        for sha256 in library.strays(site, known):
            library.remove_file(site, sha256, disk)


def _import(
    site: Site,
    path: Path,
    options: ImportOptions,
    dictionary: Callable[[], bytes | None],
    reporter: Reporter,
) -> Imported:
    try:
        with reporter.step(f"Import {path.name}") as step:
            try:
                imported = _import_file(site, path, options, dictionary)
            except OSError as error:
                raise storage_error(error, path) from error
            step.result = imported.state.value
            return imported
    except SiteError:
        raise
    except WimdockError as error:
        _name(error, path)
        say(site, UPDATE_NOT_IMPORTED, storable_text(str(path)), storable_text(str(error)))
        return Imported(path, ImportState.FAILED, error=error)


def _name(error: WimdockError, path: Path) -> None:
    """Let an error about a package begin with the file, and say where a dictionary can be had."""
    if path.name not in error.message:
        error.message = f"{path.name}: {error.message}"
    if isinstance(error, MissingDictionary):
        error.hint = (
            "Give --manifest-dictionary FILE (or WIMDOCK_MANIFEST_DICTIONARY), or register an "
            "image that has a servicing stack first: wimdock image add FILE."
        )


def _import_file(
    site: Site, path: Path, options: ImportOptions, dictionary: Callable[[], bytes | None]
) -> Imported:
    refuse_special(path)
    check_container(path)
    sha256 = digest_of(path)
    row = _known(site, sha256)
    if row is not None and row.retired_at is not None and not options.revive:
        return Imported(path, ImportState.KNOWN, row, notes=("it is retired",))
    settled = row is not None and row.retired_at is None and not row.unsupported
    if row is not None and settled and library.is_whole(site, row):
        return Imported(path, ImportState.KNOWN, row)
    with open_workspace(library.prepare(site)) as incoming:
        copy = incoming / library.stored_name(path.name)
        copy_file(path, copy, options.disk)
        with open_workspace(options.workspace) as workspace:
            facts = read_facts(copy, workspace, dictionary, site.now())
        if facts.sha256 != sha256:
            message = f"{path} was changed while it was read"
            raise StorageError(message, hint="Import it again when it is complete.")
        return _keep(site, path, copy, facts, options.disk)


def _known(site: Site, sha256: str) -> UpdateRow | None:
    with site.reading() as session:
        return session.scalar(light_updates().where(UpdateRow.sha256 == sha256))


def _keep(site: Site, path: Path, copy: Path, facts: UpdateFacts, disk: Disk) -> Imported:
    with library.library_lock(site):
        row = _known(site, facts.sha256)  # another import may have been faster
        whole = row is not None and library.is_whole(site, row)
        name = copy.name if row is None else row.file_name
        if not whole:
            library.put(site, copy, facts.sha256, name, disk)
        recorded = record(site, facts, name, storable_text(str(path.absolute())))
    if recorded.is_new:
        state = ImportState.IMPORTED
    elif recorded.was_retired:
        state = ImportState.BROUGHT_BACK
    elif not whole:
        state = ImportState.RESTORED
    else:
        state = ImportState.READ_ANEW if recorded.changed else ImportState.KNOWN
    return Imported(path, state, recorded.update, notes=recorded.notes)
