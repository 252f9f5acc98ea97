"""Distribution points: added, changed, removed."""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from wimdock.errors import (
    AlreadyRecorded,
    DistributionError,
    NoSuchRecord,
    PointDown,
    UsageError,
)
from wimdock.files import Disk
from wimdock.site.distribution.claim import LEASE
from wimdock.site.distribution.folder_point import MARK_NAME, FolderPoint, Mark
from wimdock.site.distribution.folder_transfer import SEGMENT
from wimdock.site.distribution.location import Location, parse_location
from wimdock.site.distribution.object_parts import PART
from wimdock.site.distribution.object_point import ObjectPoint
from wimdock.site.distribution.store import PointStore
from wimdock.site.models import DistributedContent, DistributionPoint, PointKind
from wimdock.site.site import Site

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Means:
    """By what transfers are made: sizes in bytes; tests give others."""

    disk: Disk = field(default_factory=Disk)
    segment: int = SEGMENT
    part: int = PART
    lease: timedelta = LEASE


def open_store(site: Site, point: DistributionPoint, means: Means | None = None) -> PointStore:
    """Give what works with a point; the caller closes it."""
    location = parse_location(point.location, point.endpoint, str(point.options.get("region", "")))
    if location.kind is PointKind.S3:
        return ObjectPoint(point.name, location, (means or Means()).part)
    return _folder(site, point.name, location, str(point.options.get("mark", "")), means)


def _folder(
    site: Site, name: str, location: Location, mark: str, means: Means | None = None
) -> FolderPoint:
    means = means or Means()
    identity = Mark(site.uuid, site.code, name, mark)
    return FolderPoint(name, location.folder, identity, means.disk, means.segment)


def all_points(session: Session) -> list[DistributionPoint]:
    """Give every distribution point, by name."""
    return list(session.scalars(select(DistributionPoint).order_by(DistributionPoint.name)))


def point_of(session: Session, name: str) -> DistributionPoint:
    """Give a distribution point by its name; NoSuchRecord where there is none."""
    wanted = select(DistributionPoint).where(DistributionPoint.name == name).with_for_update()
    found = session.scalar(wanted)
    if found is None:
        message = f"there is no distribution point {name!r}"
        raise NoSuchRecord(message, hint="`wimdock distribution list` names them all.")
    return found


def _refuse_own(site: Site, location: Location) -> None:
    """Refuse the site's own folder and what is in it: what is sent would lie among its own."""
    own, place = site.folder.resolve(), Path(location.text).resolve()
    if own in (place, *place.parents):
        message = f"{location.text} lies in the site's own folder"
        raise UsageError(message, hint="Name a folder that serves images and nothing else.")


def add_point(
    site: Site,
    name: str,
    text: str,
    *,
    endpoint: str = "",
    region: str = "",
    follow: bool = False,
) -> DistributionPoint:
    """Add a distribution point, which must be there and, if a folder, belong to no other site.

    PointDown where it cannot be reached, AlreadyRecorded where the name or the place is taken.
    """
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no name for a distribution point"
        raise UsageError(message, hint="Use up to 64 letters, digits and - _ . in it.")
    location = parse_location(text, endpoint, region)
    with site.reading() as session:
        _refuse_taken(session, name, location)
    mark = str(uuid.uuid4())
    try:
        if location.kind is PointKind.FOLDER:
            _refuse_own(site, location)
            _mark(site, name, location, mark)
            options = {"mark": mark}
        else:
            _check_store(name, location)
            options = {"region": region} if region else {}
    except PointDown as error:
        error.hint = "Nothing was added: make, mount or start it, then add it again."
        raise
    try:
        with site.writing() as session:
            _refuse_taken(session, name, location)
            point = DistributionPoint(
                name=name,
                kind=location.kind,
                location=location.text,
                endpoint=location.endpoint,
                options=options,
                follow=follow,
                enabled=True,
                added_at=site.now(),
            )
            session.add(point)
            site.note(session, "distribution.add", name, location=location.text)
    except IntegrityError as error:
        message = f"there is a distribution point {name}, or one at {location.text}, already"
        raise AlreadyRecorded(message, hint="`wimdock distribution list` shows it.") from error
    return point


def _check_store(name: str, location: Location) -> None:
    store = ObjectPoint(name, location)
    try:
        store.check()
    finally:
        store.close()


def _refuse_taken(session: Session, name: str, location: Location) -> None:
    for point in all_points(session):
        if point.name == name:
            message = f"there is a distribution point {name} already"
            raise AlreadyRecorded(message, hint="Choose another name.")
        if (point.location, point.endpoint) == (location.text, location.endpoint):
            message = f"{location.text} is the distribution point {point.name} already"
            raise AlreadyRecorded(message, hint=f"Send to it, or remove it first: {point.name}.")


def _mark(site: Site, name: str, location: Location, mark: str) -> None:
    folder = _folder(site, name, location, mark)
    found = folder.read_mark()
    if found is not None:
        with site.reading() as session:
            marks = {str(point.options.get("mark")) for point in all_points(session)}
        ours = found.get("site") == site.uuid and found.get("point") not in marks
        if not ours:
            whose = f"site {found.get('code')}" if found.get("code") else "another site"
            message = f"{location.text} is a distribution point of {whose} already"
            hint = (
                f"Choose another folder; or delete {MARK_NAME} in it, if it is nobody's, such as "
                "a site's that was restored from a backup since."
            )
            raise AlreadyRecorded(message, hint=hint)
    folder.write_mark()


def change_point(
    site: Site, name: str, *, enabled: bool | None = None, follow: bool | None = None
) -> DistributionPoint:
    """Enable or disable a point, or let it follow; one that was enabled is tried at once.

    A folder of the site that this one was restored from is taken over when it is enabled, if it is
    there: that site, should it still run, is refused from then on.
    """
    taken_over = bool(enabled) and _take_over(site, name)
    with site.writing() as session:
        point = point_of(session, name)
        if taken_over:
            site.note(session, "distribution.take_over", name, location=point.location)
        if follow is not None:
            point.follow = follow
            site.note(session, "distribution.follow", name, follow=follow)
        if enabled is not None:
            point.enabled = enabled
            point.retry_at = None
            _retry_all(session, point)
            site.note(session, f"distribution.{'enable' if enabled else 'disable'}", name)
    return point


def _take_over(site: Site, name: str) -> bool:
    with site.reading() as session:
        point = point_of(session, name)
    store = open_store(site, point)
    try:
        return isinstance(store, FolderPoint) and store.take_over()
    except PointDown:  # it can be enabled nevertheless
        return False
    finally:
        store.close()


def _retry_all(session: Session, point: DistributionPoint) -> None:
    session.execute(
        update(DistributedContent)
        .where(DistributedContent.point_id == point.id)
        .values(retry_at=None)
        .execution_options(synchronize_session=False)
    )


def remove_point(site: Site, name: str, *, forget: bool = False) -> DistributionPoint:
    """Remove a point. AlreadyRecorded where it holds image packages, unless they are forgotten.

    What is forgotten stays where it is; nobody keeps it current any more.
    """
    with site.reading() as session:
        point = point_of(session, name)
        held = session.scalar(_count(point))
    if held and not forget:
        what = "1 image package" if held == 1 else f"{held} image packages"
        message = f"distribution point {name} holds {what}"
        hint = "Withdraw them; or remove it with --forget, which leaves the files there."
        raise AlreadyRecorded(message, hint=hint)
    store = open_store(site, point)
    try:
        if isinstance(store, FolderPoint) and not forget:
            store.check()
        with site.writing() as session:
            point = point_of(session, name)
            if session.scalar(_count(point)) and not forget:
                message = f"an image package was sent to {name} just now"
                raise AlreadyRecorded(message, hint="Withdraw it, then run the command again.")
            session.delete(point)
            site.note(session, "distribution.remove", name, location=point.location, forget=forget)
        if isinstance(store, FolderPoint) and not forget:
            with suppress(DistributionError):  # a mark that stays is no hindrance to this site
                store.remove_mark()
    finally:
        store.close()
    return point


def _count(point: DistributionPoint) -> Select[int]:
    return (
        select(func.count())
        .select_from(DistributedContent)
        .where(DistributedContent.point_id == point.id)
    )
