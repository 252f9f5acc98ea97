"""Taking an image package from a point: recorded first, then done, and done later where it fails.

Idempotent: what is gone at the point is fine. The row goes last, so that nothing is forgotten.
"""

from __future__ import annotations

from wimdock.errors import DistributionError, NoSuchRecord, PointDown, WimdockError
from wimdock.site.distribution import outcome
from wimdock.site.distribution.claim import take
from wimdock.site.distribution.contents import Placed, placed
from wimdock.site.distribution.points import Means, open_store, point_of
from wimdock.site.messages import say
from wimdock.site.messages.table import CONTENT_REMOVED
from wimdock.site.models import ContentState
from wimdock.site.site import Site


def withdraw(site: Site, package_id: str, point_name: str, *, means: Means | None = None) -> None:
    """Take an image package from a point.

    NoSuchRecord where it is not there. Where the point fails, the error is raised and the removal
    stays to be done: `retry_due` does it.
    """
    with site.writing() as session:
        point_of(session, point_name)
        found = placed(session, package_ids=[package_id], points=[point_name])
        if not found:
            message = f"image package {package_id} is not at the distribution point {point_name}"
            raise NoSuchRecord(message, hint="`wimdock distribution status` shows what is where.")
        found[0].content.state = ContentState.REMOVING
        found[0].content.retry_at = None
        site.note(session, "distribution.withdraw", package_id, point=point_name)
    error = _remove(site, found[0], means)
    if error is not None:
        raise error


def finish_withdrawal(site: Site, each: Placed, means: Means | None = None) -> bool:
    """Try again what `withdraw` left to be done; tell whether it is done."""
    return _remove(site, each, means) is None


def _remove(site: Site, each: Placed, means: Means | None) -> WimdockError | None:
    means = means or Means()
    claim = take(site, each.point.id, each.package.id, means.lease)
    if claim is None:
        message = f"{each.package.id} is sent to {each.point.name} right now"
        return DistributionError(message, hint="It is taken away when that has ended.")
    store = open_store(each.point, means)
    try:
        store.check()
        if claim.content.name:
            store.remove(claim.content.name)
        with claim.held() as (session, content):
            session.delete(content)
    except PointDown as error:
        claim.release()
        outcome.point_down(site, each.point.id, error)
        return error
    except WimdockError as error:
        outcome.failed(site, each, claim, error)
        return error
    except BaseException:
        claim.release()
        raise
    finally:
        store.close()
    outcome.point_up(site, each.point.id)
    told = (each.package.id, each.point.name)
    say(site, CONTENT_REMOVED, *told, package_id=each.package.id)
    return None
