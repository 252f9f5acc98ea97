"""Checking what points hold: every byte read there and compared with the source by its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from wimdock.errors import (
    ContentMismatch,
    DistributionError,
    NoSuchRecord,
    PointDown,
    SiteError,
    WimdockError,
)
from wimdock.events import Reporter
from wimdock.site.distribution import outcome
from wimdock.site.distribution.claim import Claim, let_go, take
from wimdock.site.distribution.contents import Placed, placed
from wimdock.site.distribution.points import Means, open_store, point_of
from wimdock.site.distribution.route import Held, Known, Way, decide
from wimdock.site.distribution.source import Source, SourceState
from wimdock.site.distribution.store import PointStore
from wimdock.site.images.records import file_of
from wimdock.site.models import DistributedContent
from wimdock.site.site import Site

_STATES = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of checking one image package at one point; `sha256` is that of the file there."""

    point: str
    package_id: str
    length: int = 0
    sha256: str = ""
    error: WimdockError | None = None


def verify_point(
    site: Site,
    point_name: str,
    package_ids: Iterable[str] = (),
    reporter: Reporter | None = None,
    *,
    means: Means | None = None,
) -> list[Verified]:
    """Check all that a point holds, or what is named; NoSuchRecord for what it does not hold.

    What is not as it was sent is sent again as a whole, by the next `retry_due` at the latest.
    """
    wanted = list(dict.fromkeys(package_ids))
    with site.reading() as session:
        point = point_of(session, point_name)
        found = placed(session, package_ids=wanted, points=[point_name])
    found = [each for each in found if each.content.header]
    missing = set(wanted) - {each.package.id for each in found}
    if missing:
        message = f"{', '.join(sorted(missing))} is not at the distribution point {point_name}"
        raise NoSuchRecord(message, hint="`wimdock distribution status` shows what is where.")
    means = means or Means()
    store = open_store(site, point, means)
    done: list[Verified] = []
    try:
        for each in found:
            if done and isinstance(done[-1].error, PointDown):  # it is not asked again and again
                done.append(Verified(point_name, each.package.id, error=done[-1].error))
            else:
                done.append(_verify(site, each, store, reporter or Reporter(), means))
    finally:
        store.close()
    return done


def _verify(
    site: Site, each: Placed, store: PointStore, reporter: Reporter, means: Means
) -> Verified:
    point, package = each.point.name, each.package.id
    claim = take(site, each.point.id, package, means.lease)
    if claim is None:
        message = f"{package} is sent to {point} right now"
        error = DistributionError(message, hint="Verify it again when it has arrived.")
        return Verified(point, package, error=error)
    try:
        with reporter.step(f"Verify {package} at {point}"):
            sha256 = _compared(site, each, claim, store, reporter)
        with claim.held() as (_, content):
            content.sha256 = sha256
            content.verified_at = site.now()
            let_go(content)
        return Verified(point, package, claim.content.length, sha256)
    except ContentMismatch as error:
        outcome.failed(site, each, claim, error)
        return Verified(point, package, error=error)
    except PointDown as error:
        claim.release()
        outcome.point_down(site, each.point.id, error)
        return Verified(point, package, error=error)
    except SiteError:
        claim.release()
        raise
    except WimdockError as error:
        claim.release()
        return Verified(point, package, error=error)
    except BaseException:
        claim.release()
        raise


def _compared(site: Site, each: Placed, claim: Claim, store: PointStore, reporter: Reporter) -> str:
    """Give the SHA-256 of the file at the point, which is that of the same state of the source."""
    content = claim.content
    store.check()
    held = store.look(content.name)
    known = Known(bytes.fromhex(content.header), content.length, content.tag)
    if held is None or not known.is_in(held):
        what = "is gone from" if held is None else "was changed by another program at"
        message = f"{each.package.id} {what} the distribution point {each.point.name}"
        raise ContentMismatch(message)
    expected = _expected(site, each, content, claim)
    found = hashlib.sha256()
    done = 0
    for piece in store.pieces(content.name, content.length):
        claim.alive()
        found.update(piece)
        done += len(piece)
        reporter.progress(done, content.length)
    if found.hexdigest() != expected:
        message = f"{each.package.id} is damaged at the distribution point {each.point.name}"
        raise ContentMismatch(message)
    return expected


def _expected(site: Site, each: Placed, content: DistributedContent, claim: Claim) -> str:
    """Give the SHA-256 that the file must have: that of the source, else the recorded one."""
    path = file_of(site, each.package)
    header = bytes.fromhex(content.header)
    with Source(path) as source:
        for _ in range(_STATES):
            state = source.state()
            if not _has_state(state, header, content.length):
                break
            found = source.sha256(header, content.length, claim.alive)
            if source.is_still(state):
                return found
    if content.sha256:
        return content.sha256
    message = f"nothing is left that {each.package.id} at {each.point.name} could be compared with"
    raise DistributionError(message, hint="Its file has changed since: send it, then verify again.")


def _has_state(state: SourceState, header: bytes, length: int) -> bool:
    """Tell whether the source still has all bytes of a state: its own, or one that it came from."""
    known = Known(header, length)
    way = decide(state, Held(header, length), [known]).way
    return way in (Way.NOTHING, Way.TAIL)
