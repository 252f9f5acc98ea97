"""Taking an image package from a point: recorded first, then done, and done later where it fails.

Idempotent: what is gone at the point is fine. The row goes last, so that nothing is forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

from wimdock.errors import DistributionError, NoSuchRecord, PointDown, WimdockError
from wimdock.site.distribution import outcome
from wimdock.site.distribution.claim import take
from wimdock.site.distribution.contents import Placed, placed
from wimdock.site.distribution.points import Means, open_store, point_of
from wimdock.site.messages import say
from wimdock.site.messages.table import CONTENT_REMOVED
from wimdock.site.models import ContentState
from wimdock.site.site import Site


def withdraw(
    site: Site, package_ids: Sequence[str], point_name: str, *, means: Means | None = None
) -> None:
    """Take image packages from a point.

    NoSuchRecord, and nothing is done, where one of them is not there. Where the point fails, the
    first error is raised and all that is not removed stays to be done: `retry_due` does it.
    """
    wanted = dict.fromkeys(package_ids)
    with site.writing() as session:
        point_of(session, point_name)
        found = placed(session, package_ids=wanted, points=[point_name]) if wanted else []
        missing = wanted.keys() - {each.package.id for each in found}
        if missing:
            names = ", ".join(sorted(missing))
            message = f"image package {names} is not at the distribution point {point_name}"
            raise NoSuchRecord(message, hint="`wimdock distribution status` shows what is where.")
        for each in found:
            each.content.state = ContentState.REMOVING
            each.content.retry_at = None
            site.note(session, "distribution.withdraw", each.package.id, point=point_name)
    errors = _remove_all(site, found, means)
    if errors:
        raise errors[0]


def finish_withdrawals(site: Site, found: Sequence[Placed], means: Means | None = None) -> int:
    """Try again what `withdraw` left to be done; give how many are done."""
    return len(found) - len(_remove_all(site, found, means))


def _remove_all(site: Site, found: Sequence[Placed], means: Means | None) -> list[WimdockError]:
    """Remove what can be removed; a point that is found down is not asked again."""
    down: dict[int, WimdockError] = {}
    errors: list[WimdockError] = []
    for each in found:
        error = down.get(each.point.id) or _remove(site, each, means)
        if isinstance(error, PointDown):
            down[each.point.id] = error
        if error is not None:
            errors.append(error)
    return errors


def _remove(site: Site, each: Placed, means: Means | None) -> WimdockError | None:
    means = means or Means()
    claim = take(site, each.point.id, each.package.id, means.lease)
    if claim is None:
        message = f"{each.package.id} is sent to {each.point.name} right now"
        return DistributionError(message, hint="It is taken away when that has ended.")
    store = open_store(site, each.point, means)
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
