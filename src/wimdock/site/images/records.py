"""The rows of an image package: found, and filled from what was read of its file."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import NoSuchRecord
from wimdock.site.images.commit_token import run_of_token
from wimdock.site.images.facts import FileFacts, ImageFacts
from wimdock.site.models import FileState, GenerationRow, Image, ImagePackage
from wimdock.site.site import Site
from wimdock.site.storage import StoredPlace, path_of
from wimdock.site.stored_text import storable_text

_HINT = "`wimdock image list` names them all."


def package_of(
    session: Session, package_id: str, *, lock: bool = False, removed: bool = False
) -> ImagePackage:
    """Give an image package, as it is now; locked for a change of it with `lock`.

    NoSuchRecord where there is none of this ID, or it was removed and `removed` does not ask for
    that.
    """
    found = session.get(
        ImagePackage, package_id.upper(), with_for_update=lock, populate_existing=True
    )
    if found is None:
        message = f"there is no image package {package_id[:80]}"
        raise NoSuchRecord(message, hint=_HINT)
    if found.removed_at is not None and not removed:
        message = f"the image package {found.id} was removed on {found.removed_at:%Y-%m-%d}"
        raise NoSuchRecord(message, hint=_HINT)
    return found


def file_of(site: Site, package: ImagePackage) -> Path:
    """Give the path of an image package's file on this machine.

    SettingsError where this machine lacks its storage location, NoSuchRecord for a package that was
    removed.
    """
    if package.path is None:
        message = f"the image package {package.id} was removed and has no file"
        raise NoSuchRecord(message, hint=_HINT)
    return path_of(site.settings, StoredPlace(package.storage, package.path))


def store_facts(session: Session, site: Site, package: ImagePackage, facts: FileFacts) -> None:
    """Fill the rows of an image package with what was read of its file."""
    package.header = facts.mark.header.hex()
    package.length = facts.mark.length
    package.generation = None if facts.current is None else facts.current.number
    package.state = FileState.AS_RECORDED
    package.reason = ""
    package.preflight = facts.preflight
    package.read_at = site.now()
    session.add(package)
    session.flush()
    _store_images(session, package, facts.images)
    _store_generations(session, site, package, facts)
    session.flush()


def _store_images(session: Session, package: ImagePackage, images: tuple[ImageFacts, ...]) -> None:
    known = {row.index: row for row in package.images}
    rows = []
    for facts in images:
        row = known.get(facts.index) or Image(index=facts.index)
        row.name, row.description = facts.name, facts.description
        row.edition, row.version = facts.edition, facts.version
        row.architecture, row.languages = facts.architecture, list(facts.languages)
        row.size = facts.size
        row.packages, row.reparse = list(facts.packages), list(facts.reparse)
        row.unreadable = facts.unreadable
        rows.append(row)
    package.images = rows
    session.flush()


def _store_generations(
    session: Session, site: Site, package: ImagePackage, facts: FileFacts
) -> None:
    """Let the table say what the sidecar says, and which run made what.

    A run that is known stays: that the sidecar names it as one of another site only means that this
    one was restored from a backup.
    """
    wanted = select(GenerationRow).where(GenerationRow.package_id == package.id)
    known = {row.number: row for row in session.scalars(wanted)}
    for generation in facts.generations:
        row = known.pop(generation.number, None)
        if row is None:
            row = GenerationRow(package_id=package.id, number=generation.number)
            session.add(row)
        run_id = run_of_token(site, generation.token)
        row.run_id = row.run_id if run_id is None and row.name == generation.name else run_id
        row.name, row.length = generation.name, generation.length
        row.added, row.at = generation.added, generation.time
        row.note = storable_text(generation.note)
    for row in known.values():
        session.delete(row)


def generations_of(session: Session, package_id: str) -> list[GenerationRow]:
    """Give the generations of an image package, oldest first."""
    wanted = select(GenerationRow).where(GenerationRow.package_id == package_id)
    return list(session.scalars(wanted.order_by(GenerationRow.number)))
