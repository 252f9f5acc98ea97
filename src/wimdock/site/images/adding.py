"""Adding image packages.

The file is read first; then one transaction gives the ID and makes all rows. A crash before its end
leaves nothing, and the ID to the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, SettingsError, SiteError, StorageError
from wimdock.events import Reporter
from wimdock.files import real_path, storage_error
from wimdock.site.images.facts import read_facts
from wimdock.site.images.records import store_facts
from wimdock.site.messages import SiteLog, remember, report
from wimdock.site.messages.table import PACKAGE_ADDED
from wimdock.site.models import ImagePackage, PackageType, SiteRow
from wimdock.site.providers import hosts_of
from wimdock.site.site import Site
from wimdock.site.storage import StoredPlace, path_of, place_of
from wimdock.site.stored_text import storable_text

_SOURCES = "sources"
_INSTALL = ("install.wim", "install.esd", "install.swm")
_MOST_PACKAGES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be an image package: the image file, its type, and a name for people."""

    file: Path
    type: PackageType
    name: str


def source_at(path: Path) -> Source:
    """Find the image file: a file itself, or `sources/install.wim` in a folder of Windows' media.

    StorageError where there is none. An install.esd is named too, so that its own refusal is told.
    """
    real = real_path(path)
    if not real.is_dir():
        return Source(real, PackageType.OS_IMAGE, real.stem)
    for folder in _named(real, _SOURCES):
        for name in _INSTALL:
            for file in _named(folder, name):
                return Source(real_path(file), PackageType.OS_UPGRADE, real.name)
    message = f"{path} is a folder without sources/install.wim"
    hint = "Name an image file, or the folder of an operating system's installation media."
    raise StorageError(message, hint=hint, hresult=0x80070002)


def _named(folder: Path, name: str) -> list[Path]:
    """Find a name in a folder without regard to case: media are copied by many programs."""
    try:
        return sorted(each for each in folder.iterdir() if each.name.lower() == name)
    except OSError as error:
        raise storage_error(error, folder) from error


def add_package(
    site: Site,
    file: Path,
    *,
    name: str = "",
    description: str = "",
    reporter: Reporter | None = None,
) -> ImagePackage:
    """Register an image file, or the folder of an upgrade package, and give its image package.

    Raises what servicing would refuse the file with, and AlreadyRecorded where it is registered, by
    whatever name.
    """
    from wimdock.servicing.options import surroundings

    source = source_at(file)
    place = place_of(site.settings, source.file)
    with site.reading() as session:
        registered = _registered(session)
        hosts = hosts_of(session)
    _refuse_same_file(site, source.file, registered)
    facts = read_facts(source.file, hosts, surroundings(reporter, site.clock))
    try:
        with site.writing() as session:
            counters = session.get_one(SiteRow, 1, with_for_update=True)
            _refuse_same_file(site, source.file, _registered(session) - registered)
            package = ImagePackage(
                id=_next_id(counters),
                type=source.type,
                name=storable_text(name or source.name),
                description=storable_text(description),
                storage=place.storage,
                path=place.path,
                content_version=1,
                added_at=site.now(),
            )
            store_facts(session, site, package, facts)
            remember(
                session,
                site,
                package.id,
                action="add",
                result="succeeded",
                generation=package.generation,
                detail=storable_text(str(source.file)),
            )
            site.note(session, "image.add", package.id, file=storable_text(str(source.file)))
            message = report(
                site, session, PACKAGE_ADDED, package.id, source.file, package_id=package.id
            )
    except IntegrityError as error:
        raise _already(str(source.file), "an image package") from error
    with SiteLog(site) as log:
        log.status(message)
    return package


def _next_id(counters: SiteRow) -> str:
    number = counters.next_package
    if number >= _MOST_PACKAGES:
        message = "the site has given all of its 1,048,575 package IDs"
        raise SiteError(message, hint="Make another site.")
    counters.next_package = number + 1
    return f"{counters.code}{number:05X}"


_Registered = set[tuple[str, str, str]]


def _registered(session: Session) -> _Registered:
    """Give ID and place of every image package that has a file."""
    wanted = select(ImagePackage.id, ImagePackage.storage, ImagePackage.path)
    rows = session.execute(wanted.where(ImagePackage.path.is_not(None)))
    return {(row.id, row.storage, row.path) for row in rows if row.path is not None}


def _refuse_same_file(site: Site, file: Path, registered: Iterable[tuple[str, str, str]]) -> None:
    """Raise AlreadyRecorded where one of the places is this very file, by whatever name."""
    try:
        mine = file.stat()
    except OSError as error:
        raise storage_error(error, file) from error
    for package_id, storage, path in registered:
        try:
            known = path_of(site.settings, StoredPlace(storage, path))
            same = os.path.samestat(known.stat(), mine)
        except (OSError, SettingsError):  # gone, or on a storage that this machine lacks
            continue
        if same:
            raise _already(str(file), package_id)


def _already(file: str, package_id: str) -> AlreadyRecorded:
    message = f"{file} is registered as {package_id} already"
    return AlreadyRecorded(message, hint="`wimdock image list` shows it; one file is one package.")
