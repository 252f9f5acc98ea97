"""Distributing: image packages brought to the points where they are wanted.

Points are worked on one after the other; one that fails or is down stops no other. Idempotent by
what each point holds: what is there already is not sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from sqlalchemy.orm import Session

from wimdock.errors import PointDown, UsageError, WimdockError
from wimdock.events import Reporter
from wimdock.servicing.options import always
from wimdock.site.distribution.contents import Placed, due, place, placed, want
from wimdock.site.distribution.points import Means, all_points, open_store, point_of
from wimdock.site.distribution.sending import Sender, Sent, send
from wimdock.site.distribution.withdrawal import finish_withdrawals
from wimdock.site.images.records import package_of
from wimdock.site.models import ContentState, ImagePackage
from wimdock.site.site import Site


def distribute(
    site: Site,
    package_id: str,
    reporter: Reporter | None = None,
    permit: Callable[[], None] = always,
    *,
    means: Means | None = None,
) -> list[Sent]:
    """Bring the file of an image package, as it is now, to every enabled point that has it.

    A point that is down is left alone until it is to be tried again. `permit` is asked before
    anything is committed at a point; what it raises, and what is wrong with the site's database,
    is raised. All else is in what is given: one for each point.
    """
    with site.writing() as session:
        package = package_of(session, package_id)
        want(session, package.id)
    with site.reading() as session:
        found = [each for each in placed(session, package_ids=[package.id]) if _is_sent_to(each)]
    sender = Sender(site, reporter or Reporter(), permit, means or Means())
    return _send_all(sender, found, by_hand=False)


def update(
    site: Site,
    package_ids: Iterable[str] = (),
    reporter: Reporter | None = None,
    *,
    means: Means | None = None,
) -> list[Sent]:
    """Bring everything, or what is named, up to date wherever it is; points that are down too."""
    chosen = list(package_ids)
    with site.writing() as session:
        chosen = [package.id for package in _known(session, chosen)]
        for package_id in {each.package.id for each in placed(session, package_ids=chosen)}:
            want(session, package_id)
    with site.reading() as session:
        found = [each for each in placed(session, package_ids=chosen) if _is_sent_to(each)]
    sender = Sender(site, reporter or Reporter(), always, means or Means())
    return _send_all(sender, found, by_hand=True)


def send_to(
    site: Site,
    package_ids: Sequence[str],
    points: Sequence[str] = (),
    reporter: Reporter | None = None,
    *,
    means: Means | None = None,
) -> list[Sent]:
    """Bring image packages to points, to all enabled ones where none is named."""
    with site.writing() as session:
        packages = _known(session, package_ids)
        chosen = [point_of(session, name) for name in dict.fromkeys(points)]
        chosen = chosen or [point for point in all_points(session) if point.enabled]
        if not chosen:
            message = "there is no distribution point that is enabled"
            raise UsageError(message, hint="Add one: wimdock distribution add NAME LOCATION.")
        for point in chosen:
            if not point.enabled:
                message = f"distribution point {point.name} is disabled"
                raise UsageError(message, hint=f"wimdock distribution enable {point.name}")
            for package in packages:
                place(session, package, point)
                site.note(session, "distribution.send", package.id, point=point.name)
    with site.reading() as session:
        names = [point.name for point in chosen]
        ids = [package.id for package in packages]
        found = placed(session, package_ids=ids, points=names)
    sender = Sender(site, reporter or Reporter(), always, means or Means())
    return _send_all(sender, found, by_hand=True)


def retry_due(
    site: Site,
    reporter: Reporter | None = None,
    permit: Callable[[], None] = always,
    *,
    means: Means | None = None,
) -> int:
    """Do what is due by itself: give how many image packages came to, or went from, a point.

    Transfers take their time; whoever must not wait for them calls this from a thread of its own.
    """
    with site.reading() as session:
        found = due(session, site.now())
    going = [each for each in found if each.content.state is ContentState.REMOVING]
    removed = finish_withdrawals(site, going, means)
    found = [each for each in found if each.content.state is not ContentState.REMOVING]
    sender = Sender(site, reporter or Reporter(), permit, means or Means())
    done = _send_all(sender, found, by_hand=False)
    return removed + sum(1 for each in done if each.way is not None)


def _is_sent_to(each: Placed) -> bool:
    removed = each.package.removed_at is not None or each.content.state is ContentState.REMOVING
    return each.point.enabled and not removed


def _known(session: Session, package_ids: Sequence[str]) -> list[ImagePackage]:
    return [package_of(session, each) for each in dict.fromkeys(package_ids)]


def _send_all(sender: Sender, found: Sequence[Placed], *, by_hand: bool) -> list[Sent]:
    """Send point by point; a point that is found down is not asked again for the next file."""
    done: list[Sent] = []
    for _, group in groupby(found, key=lambda each: each.point.id):
        contents = list(group)
        point = contents[0].point
        down: WimdockError | None = None
        if not by_hand and point.retry_at is not None and point.retry_at > sender.site.now():
            down = PointDown(point.error or f"distribution point {point.name} is down")
        store = open_store(sender.site, point, sender.means)
        try:
            for each in contents:
                if down is not None:
                    done.append(Sent(point.name, each.package.id, None, error=down))
                    continue
                sent = send(sender, each, store)
                done.append(sent)
                down = sent.error if isinstance(sent.error, PointDown) else None
        finally:
            store.close()
    return done
