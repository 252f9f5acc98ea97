"""Exporting an image package: a compact file, or parts of one, somewhere else.

What is made gets its name when it is whole; the registered file is only read.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from wimdock.errors import AlreadyRecorded, NoSuchImage
from wimdock.events import Reporter
from wimdock.files import real_path
from wimdock.site.images.reading import refresh
from wimdock.site.images.records import file_of, package_of
from wimdock.site.messages import SiteLog, remember, report
from wimdock.site.messages.table import PACKAGE_EXPORTED
from wimdock.site.models import ImagePackage
from wimdock.site.site import Site
from wimdock.site.storage import place_of
from wimdock.site.stored_text import storable_text


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to export, and how: all images, compressed as they are, in one file unless said.

    `part_size` is in bytes, the greatest size of a part.
    """

    index: int | None = None
    compression: str | None = None
    part_size: int | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What was exported: the files, the first part first, and their sizes in bytes."""

    package: ImagePackage
    files: tuple[Path, ...]
    sizes: tuple[int, ...]


def export_package(
    site: Site,
    package_id: str,
    out: Path,
    options: ExportOptions | None = None,
    *,
    reporter: Reporter | None = None,
) -> Exported:
    """Write the images of a package to a new and compact file.

    AlreadyRecorded where `out` is the place of a registered file, StorageError where something
    stands there already.
    """
    from wimdock.servicing import wimlib
    from wimdock.servicing.options import surroundings
    from wimdock.servicing.workspace import open_workspace

    options = options or ExportOptions()
    target = real_path(out)
    _refuse_registered(site, target)
    package = refresh(site, package_id, reporter).package
    source = file_of(site, package)
    _refuse_index(site, package, options.index)
    world = surroundings(reporter, site.clock)
    began = world.clock.now()
    with ExitStack() as stack:
        if options.part_size is None:
            files: tuple[Path, ...] = (
                wimlib.export(
                    source, target, world, index=options.index, compression=options.compression
                ),
            )
        else:
            if options.index is not None or options.compression is not None:
                workspace = stack.enter_context(open_workspace(target.parent))
                source = wimlib.export(
                    source,
                    workspace / "whole.wim",
                    world,
                    index=options.index,
                    compression=options.compression,
                )
            files = wimlib.split(source, target, options.part_size, world)
    sizes = tuple(file.stat().st_size for file in files)
    with site.writing() as session:
        row = package_of(session, package.id)
        remember(
            session,
            site,
            row.id,
            action="export",
            result="succeeded",
            generation=row.generation,
            seconds=(world.clock.now() - began).total_seconds(),
            detail=storable_text(str(target)),
        )
        site.note(session, "image.export", row.id, file=storable_text(str(target)))
        message = report(
            site, session, PACKAGE_EXPORTED, row.id, storable_text(str(target)), package_id=row.id
        )
    with SiteLog(site) as log:
        log.status(message)
    return Exported(row, files, sizes)


def _refuse_registered(site: Site, target: Path) -> None:
    """Refuse the place of a registered file, also where that file is missing just now."""
    place = place_of(site.settings, target)
    wanted = select(ImagePackage.id).where(
        ImagePackage.storage == place.storage, ImagePackage.path == place.path
    )
    with site.reading() as session:
        found = session.scalar(wanted)
    if found is not None:
        message = f"{target} is the file of the image package {found}"
        raise AlreadyRecorded(message, hint="Name another file to export to.")


def _refuse_index(site: Site, package: ImagePackage, index: int | None) -> None:
    if index is None:
        return
    with site.reading() as session:
        indexes = [image.index for image in package_of(session, package.id).images]
    if index not in indexes:
        message = f"{package.id} has no image {index}: it holds {len(indexes)}"
        raise NoSuchImage(message)
