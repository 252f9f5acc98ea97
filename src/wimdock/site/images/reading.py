"""Reading image packages anew: when the file is another than was recorded, after a run, on request.

The file is read outside of transactions. What was read is stored in one short transaction, and only
if the row still says what it said before: of two who read, one stores and the other starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import ImageBusy, ImageError, RegistryError, StorageError, WimdockError
from wimdock.events import Reporter
from wimdock.site.images.commit_token import run_of_token
from wimdock.site.images.facts import FileFacts, read_facts
from wimdock.site.images.mark import read_mark, state_after
from wimdock.site.images.records import file_of, package_of, store_facts
from wimdock.site.messages import MessageKind, SiteLog, remember, report
from wimdock.site.messages.table import PACKAGE_CHANGED, PACKAGE_LOST, PACKAGE_RELOADED
from wimdock.site.models import FileState, GenerationRow, ImagePackage, StatusMessageRow
from wimdock.site.providers import hosts_of
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text

_ATTEMPTS = 5

Stored = Callable[[Session, ImagePackage, FileFacts], StatusMessageRow | None]
"""What is told of facts that are about to be stored, in the same transaction."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An image package as the site knows it now, and whether that is news."""

    package: ImagePackage
    changed: bool


def refresh(site: Site, package_id: str, reporter: Reporter | None = None) -> Refreshed:
    """Make sure that the site knows the file as it is: by header, length and sidecar.

    A file that is another is read anew, which the history and a status message tell. What a run has
    committed and could not record any more is taken for what it is. Raises what the file cannot be
    read with, and keeps that as the package's state.
    """
    with site.reading() as session:
        package = package_of(session, package_id)
    file = file_of(site, package)
    with _keeping_trouble(site, package, file):
        if read_mark(file).is_of(package):
            return Refreshed(package, changed=False)
    return Refreshed(read_anew(site, package.id, reporter, _told(site)), changed=True)


def reload_package(site: Site, package_id: str, reporter: Reporter | None = None) -> Refreshed:
    """Read the file anew, whether it is another or not; `changed` tells that."""
    changed = False
    outside = _told(site)

    def told(session: Session, package: ImagePackage, facts: FileFacts) -> StatusMessageRow | None:
        nonlocal changed
        changed = not facts.mark.is_of(package)
        site.note(session, "image.reload", package.id, changed=changed)
        if changed:
            return outside(session, package, facts)
        return _tell(site, session, package, facts, "reload", "as recorded", PACKAGE_RELOADED)

    return Refreshed(read_anew(site, package_id, reporter, told), changed)


def record_commit(site: Site, package_id: str) -> ImagePackage:
    """Record what a run has made of the file: header, images, generations; a new content version.

    Idempotent: a file that is as recorded is left as it is. Which run it was is told by the token
    of the generation; its history and messages are told by whoever ends it.
    """
    with site.reading() as session:
        package = package_of(session, package_id)
    file = file_of(site, package)
    with _keeping_trouble(site, package, file):
        if read_mark(file).is_of(package):
            return package
    return read_anew(site, package_id, None, lambda _session, _package, _facts: None)


def read_anew(
    site: Site, package_id: str, reporter: Reporter | None, stored: Stored
) -> ImagePackage:
    """Read the file and store what is found; another header makes a new content version.

    `stored` is called in the transaction, before the rows change. What keeps the file from being
    read is stored as the package's state, and raised.
    """
    from wimdock.servicing.options import surroundings

    world = surroundings(reporter, site.clock)
    for _ in range(_ATTEMPTS):
        with site.reading() as session:
            before = package_of(session, package_id)
            hosts = hosts_of(session)
        file = file_of(site, before)
        with _keeping_trouble(site, before, file):
            facts = read_facts(file, hosts, world)
        with site.writing() as session:
            package = package_of(session, package_id, lock=True)
            if (package.header, package.length) != (before.header, before.length):
                continue  # somebody else has stored what is newer than what was known here
            message = stored(session, package, facts)
            if package.header != facts.mark.header.hex():
                package.content_version += 1
            store_facts(session, site, package, facts)
        if message is not None:
            with SiteLog(site) as log:
                log.status(message)
        return package
    busy = f"{package_id} is being changed by others all the while"
    raise ImageBusy(busy, hint="Run the command again.")


def _told(site: Site) -> Stored:
    """Tell that a file was found to be another than recorded, and how far it is."""

    def told(session: Session, package: ImagePackage, facts: FileFacts) -> StatusMessageRow | None:
        if facts.mark.is_of(package):  # somebody else has noticed and told it
            return None
        if facts.mark.header.hex() != package.header:
            if _is_commit_of_run(site, session, package, facts):
                return None
            what, kind = "the file is another", PACKAGE_CHANGED
        elif package.state is not FileState.AS_RECORDED:
            what, kind = "the file can be read again", PACKAGE_RELOADED
        elif facts.mark.length != package.length:
            left = facts.mark.length - facts.end
            what = f"{left:,} bytes behind the file's end belong to nothing"
            kind = PACKAGE_RELOADED
        else:
            what, kind = "the record of generations is gone", PACKAGE_CHANGED
        action = "changed outside" if kind is PACKAGE_CHANGED else "reload"
        return _tell(site, session, package, facts, action, what, kind)

    return told


def _is_commit_of_run(
    site: Site, session: Session, package: ImagePackage, facts: FileFacts
) -> bool:
    """Tell whether a run of this site made the state that the file is in, and just now."""
    if facts.current is None or run_of_token(site, facts.current.token) is None:
        return False
    wanted = select(GenerationRow.name).where(
        GenerationRow.package_id == package.id, GenerationRow.number == facts.current.number
    )
    return session.scalar(wanted) != facts.current.name


def _tell(
    site: Site,
    session: Session,
    package: ImagePackage,
    facts: FileFacts,
    action: str,
    what: str,
    kind: MessageKind,
) -> StatusMessageRow:
    generation = None if facts.current is None else facts.current.number
    remember(
        session,
        site,
        package.id,
        action=action,
        result="succeeded",
        generation=generation,
        detail=what,
    )
    file = file_of(site, package)
    return report(site, session, kind, package.id, file, package_id=package.id)


_NO_SPACE = 0x80070070


@contextmanager
def _keeping_trouble(site: Site, package: ImagePackage, file: Path) -> Iterator[None]:
    """Keep why a file cannot be read as the package's state, and raise it.

    A lock of somebody else, and a full disk of this machine, say nothing about the file.
    """
    try:
        yield
    except ImageBusy:
        raise
    except (StorageError, ImageError, RegistryError) as error:
        if error.hresult != _NO_SPACE:
            _keep(site, package, file, error)
        raise


def _keep(site: Site, package: ImagePackage, file: Path, error: WimdockError) -> None:
    state, reason = state_after(error), storable_text(error.message)
    if (package.state, package.reason) == (state, reason):
        return
    with site.writing() as session:
        row = package_of(session, package.id, lock=True)
        if (row.header, row.length, row.state) != (package.header, package.length, package.state):
            return  # somebody else has looked at it meanwhile
        row.state, row.reason, row.read_at = state, reason, site.now()
        remember(session, site, row.id, action="not readable", result="failed", detail=reason)
        message = report(site, session, PACKAGE_LOST, row.id, file, reason, package_id=row.id)
    with SiteLog(site) as log:
        log.status(message)
