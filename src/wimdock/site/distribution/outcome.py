"""What came of a transfer, in the database: rows, status messages, and when it is tried again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.orm import Session

from wimdock.errors import ContentMismatch, PointDown, WimdockError
from wimdock.site.distribution.claim import Claim, Overtaken, let_go
from wimdock.site.distribution.source import SourceState
from wimdock.site.distribution.trouble import delay, point_delay
from wimdock.site.messages import SiteLog, report
from wimdock.site.messages.table import CONTENT_FAILED, CONTENT_SENT, POINT_BACK, POINT_DOWN
from wimdock.site.models import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    ImagePackage,
    StatusMessageRow,
)
from wimdock.site.site import Site

if TYPE_CHECKING:
    from wimdock.site.distribution.contents import Placed


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a point holds now, under which name; `verified`: what came was read there just now."""

    name: str
    state: SourceState
    tag: str
    verified: bool


def arrived(claim: Claim, arrival: Arrival) -> None:
    """Record what the point holds now; the claim is kept, for the source has moved on since."""
    with claim.held() as (_, content):
        _hold(content, arrival)
        claim.content = content


def finished(site: Site, placed: Placed, claim: Claim, arrival: Arrival, sent: int) -> int | None:
    """Record that the point holds what the source has; give the content version.

    The version stays what it was where the site has not read the file's new state yet: it is set
    when it has, and nothing travels for that.
    """
    rows: list[StatusMessageRow] = []
    with claim.held() as (session, content):
        package = session.get_one(ImagePackage, content.package_id)
        header = arrival.state.header.hex()
        is_news = content.header != header or content.state is not ContentState.CURRENT
        _hold(content, arrival)
        if package.header == header:
            content.content_version = package.content_version
            content.wanted_version = max(content.wanted_version, package.content_version)
        if content.state is not ContentState.REMOVING:
            content.state = ContentState.CURRENT
        content.sent = sent
        content.attempts = 0
        content.retry_at = None
        if arrival.verified:
            content.verified_at = site.now()
        content.error = ""
        let_go(content)
        rows += _is_up(site, session, placed.point.id)
        if is_news and sent:
            told = (placed.package.id, placed.point.name, package.content_version, sent)
            rows.append(report(site, session, CONTENT_SENT, *told, package_id=placed.package.id))
        version = content.content_version
    _log(site, rows)
    return version


def failed(site: Site, placed: Placed, claim: Claim, error: WimdockError) -> None:
    """Record why it failed, and when it is tried again; what arrived stays, to go on with.

    Where another process has taken over by now, what comes of it is that one's to record.
    """
    rows: list[StatusMessageRow] = []
    with suppress(Overtaken), claim.held() as (session, content):
        content.attempts += 1
        content.retry_at = site.now() + delay(content.attempts)
        if content.state is not ContentState.REMOVING:
            content.state = ContentState.FAILED
        if isinstance(error, ContentMismatch):
            content.transfer = {"whole": True}
        if content.error != error.message:
            told = (placed.package.id, placed.point.name, error.message)
            rows.append(report(site, session, CONTENT_FAILED, *told, package_id=placed.package.id))
        content.error = error.message
        let_go(content)
        rows += _is_up(site, session, placed.point.id)
    _log(site, rows)


def point_down(site: Site, point_id: int, error: PointDown) -> None:
    """Record that a point cannot be reached, and when it is tried again."""
    rows: list[StatusMessageRow] = []
    with site.writing() as session:
        point = session.get(DistributionPoint, point_id, with_for_update=True)
        if point is None:
            return
        if point.down_since is None:
            point.down_since = site.now()
            rows.append(report(site, session, POINT_DOWN, point.name, error.message))
        point.retry_at = site.now() + point_delay(site.now() - point.down_since)
        point.error = error.message
    _log(site, rows)


def point_up(site: Site, point_id: int) -> None:
    """Record that a point can be reached."""
    with site.writing() as session:
        rows = _is_up(site, session, point_id)
    _log(site, rows)


def count_sent(site: Site, point_id: int, sent: int) -> None:
    """Add to the bytes that a point was sent, whatever came of them."""
    with site.writing() as session:
        session.execute(
            update(DistributionPoint)
            .where(DistributionPoint.id == point_id)
            .values(sent=DistributionPoint.sent + sent)
            .execution_options(synchronize_session=False)
        )


def _hold(content: DistributedContent, arrival: Arrival) -> None:
    header = arrival.state.header.hex()
    target = content.transfer.get("target", {})
    if target.get("header") == header:
        content.sha256 = str(target.get("sha256", ""))
    elif content.header != header:
        content.sha256 = ""
    content.header = header
    content.length = arrival.state.length
    content.name = arrival.name
    content.tag = arrival.tag
    content.transfer = {}


def _is_up(site: Site, session: Session, point_id: int) -> list[StatusMessageRow]:
    point = session.get(DistributionPoint, point_id, with_for_update=True)
    if point is None or point.down_since is None:
        return []
    point.down_since = point.retry_at = None
    point.error = ""
    return [report(site, session, POINT_BACK, point.name)]


def _log(site: Site, rows: list[StatusMessageRow]) -> None:
    if rows:
        with SiteLog(site) as log:
            for row in rows:
                log.status(row)
