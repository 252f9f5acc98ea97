"""What is where: the rows of image packages at distribution points, and which of them are due."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, defer

from wimdock.site.models import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    GenerationRow,
    ImagePackage,
)


@dataclass(frozen=True, slots=True)
class Placed:
    """An image package at a point."""

    point: DistributionPoint
    package: ImagePackage
    content: DistributedContent

    @property
    def is_current(self) -> bool:
        """Tell whether the point holds the newest version that the site knows."""
        return self.content.content_version == self.package.content_version


def placed(
    session: Session, *, package_ids: Iterable[str] = (), points: Iterable[str] = ()
) -> list[Placed]:
    """Give what is where, by point and package; of all, or of those that are named."""
    wanted = _everything()
    if chosen := list(package_ids):
        wanted = wanted.where(ImagePackage.id.in_(chosen))
    if named := list(points):
        wanted = wanted.where(DistributionPoint.name.in_(named))
    return [Placed(*row) for row in session.execute(wanted)]


def _everything() -> Select[DistributionPoint, ImagePackage, DistributedContent]:
    return (
        select(DistributionPoint, ImagePackage, DistributedContent)
        .join(DistributedContent, DistributedContent.point_id == DistributionPoint.id)
        .join(ImagePackage, ImagePackage.id == DistributedContent.package_id)
        .options(defer(ImagePackage.preflight))  # long, and of no matter here
        .order_by(DistributionPoint.name, ImagePackage.id)
    )


def want(session: Session, package_id: str) -> int:
    """Ask for the newest version of an image package wherever it is; give at how many points.

    It is sent by `distribute` or, at the latest, by the next `retry_due`. Idempotent.
    """
    rows = session.execute(
        select(DistributedContent, ImagePackage.content_version)
        .join(ImagePackage, ImagePackage.id == DistributedContent.package_id)
        .where(
            DistributedContent.package_id == package_id,
            DistributedContent.state != ContentState.REMOVING,
        )
        .with_for_update(of=DistributedContent)
    ).all()
    for content, version in rows:
        _ask(content, version)
    return len(rows)


def place(session: Session, package: ImagePackage, point: DistributionPoint) -> None:
    """Ask for an image package at a point, where it may never have been."""
    content = session.get(DistributedContent, (point.id, package.id), with_for_update=True)
    if content is None:
        content = DistributedContent(
            point_id=point.id,
            package_id=package.id,
            state=ContentState.WAITING,
            content_version=None,
            wanted_version=package.content_version,
            transfer={},
        )
        session.add(content)
    if content.state is ContentState.REMOVING:
        content.state = ContentState.WAITING
    _ask(content, package.content_version)


def _ask(content: DistributedContent, version: int) -> None:
    content.wanted_version = version
    content.retry_at = None
    if content.state is not ContentState.SENDING:
        content.state = ContentState.WAITING


def due(session: Session, now: datetime) -> list[Placed]:
    """Give what is to be done by itself now, by point: see `docs/guide/distribution.md`."""
    wanted = _everything().where(
        DistributionPoint.enabled,
        or_(DistributionPoint.retry_at.is_(None), DistributionPoint.retry_at <= now),
        or_(
            DistributedContent.state != ContentState.CURRENT,
            DistributedContent.content_version.is_distinct_from(ImagePackage.content_version),
        ),
    )
    found = [Placed(*row) for row in session.execute(wanted)]
    newer = [each for each in found if _lags(each)]
    taken_back = _taken_back(session, newer)
    return [
        each
        for each in found
        if _is_asked_for(each, now)
        or (
            _lags(each)
            and (
                each.point.follow
                or each.content.header == each.package.header
                or (each.point.id, each.package.id) in taken_back
            )
        )
    ]


def _is_asked_for(each: Placed, now: datetime) -> bool:
    content = each.content
    if content.held_until is not None and content.held_until > now:
        return False
    if content.state is ContentState.REMOVING:
        return content.retry_at is None or content.retry_at <= now
    if each.package.removed_at is not None or content.state is ContentState.CURRENT:
        return False
    return content.retry_at is None or content.retry_at <= now


def _lags(each: Placed) -> bool:
    return (
        each.content.state is ContentState.CURRENT
        and each.package.removed_at is None
        and each.content.content_version != each.package.content_version
    )


def _taken_back(session: Session, lagging: Sequence[Placed]) -> set[tuple[int, str]]:
    """Give where a point still serves a generation from which the image package was rolled back."""
    if not lagging:
        return set()
    ids = {each.package.id for each in lagging}
    newer = session.execute(
        select(GenerationRow.package_id, GenerationRow.name)
        .join(ImagePackage, ImagePackage.id == GenerationRow.package_id)
        .where(GenerationRow.package_id.in_(ids), GenerationRow.number > ImagePackage.generation)
    )
    names = {(package_id, name) for package_id, name in newer}
    return {
        (each.point.id, each.package.id)
        for each in lagging
        if (each.package.id, _fingerprint(each.content.header)) in names
    }


def _fingerprint(header: str) -> str:
    """Give the name of the generation with a header, as `Generation.name` does."""
    return hashlib.sha256(bytes.fromhex(header)).hexdigest()[:12]
