"""The history of image packages: what was done to each, by whom, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import NoSuchRecord
from wimdock.site.models import History, ImagePackage
from wimdock.site.site import Site
from wimdock.site.stored_text import storable, storable_text


def remember(  # noqa: PLR0913 - the columns of the history, by name
    session: Session,
    site: Site,
    package_id: str,
    *,
    action: str,
    result: str,
    generation: int | None = None,
    run_id: int | None = None,
    seconds: float = 0.0,
    updates: Iterable[Mapping[str, Any]] = (),
    detail: str = "",
    operator: str | None = None,
) -> History:
    """Add to the history of an image package, in the transaction of what is remembered.

    `updates` are {"id", "title", "result"}. The operator is the site's where none is given: a run
    names whoever asked for it. A run whose end is remembered twice is remembered once.
    """
    if run_id is not None:
        known = session.scalar(
            select(History).where(
                History.package_id == package_id,
                History.run_id == run_id,
                History.action == action,
            )
        )
        if known is not None:
            return known
    entry = History(
        package_id=package_id,
        at=site.now(),
        action=action,
        result=result,
        generation=generation,
        run_id=run_id,
        operator=operator or site.operator,
        seconds=seconds,
        updates=storable([dict(each) for each in updates]),
        detail=storable_text(detail),
    )
    session.add(entry)
    session.flush()
    return entry


def history_of(site: Site, package_id: str, limit: int | None = None) -> list[History]:
    """Give the history of an image package, newest first; NoSuchRecord where there is none such.

    A removed image package keeps its history.
    """
    wanted = (
        select(History)
        .where(History.package_id == package_id)
        .order_by(History.at.desc(), History.id.desc())
        .limit(limit)
    )
    with site.reading() as session:
        found = list(session.scalars(wanted))
        if not found and session.get(ImagePackage, package_id) is None:
            message = f"there is no image package {package_id}"
            raise NoSuchRecord(message, hint="`wimdock image list` names them all.")
    return found
