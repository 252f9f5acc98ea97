"""What became of every update in every image: rows, in Configuration Manager's numbers too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from wimdock.configmgr.image_servicing import UpdateStatus, win32_code
from wimdock.errors import UnsupportedPackage
from wimdock.servicing.outcome import Outcome
from wimdock.site.models import UpdateResultRow
from wimdock.site.site import Site
from wimdock.site.stored_text import storable_text

_STATUSES = {
    Outcome.INSTALLED: UpdateStatus.INSTALLED,
    Outcome.ALREADY_INSTALLED: UpdateStatus.INSTALLED,
    Outcome.PLANNED: UpdateStatus.APPLICABLE,
    Outcome.SUPERSEDED: UpdateStatus.NOT_REQUIRED,
    Outcome.NOT_APPLICABLE: UpdateStatus.NOT_REQUIRED,
    Outcome.FAILED: UpdateStatus.UNKNOWN,
}


def status_of(outcome: str, hresult: int | None) -> UpdateStatus:
    """Give the number for an outcome."""
    if outcome == Outcome.FAILED.value and hresult == UnsupportedPackage.hresult:
        return UpdateStatus.CHECK_NOT_SUPPORTED
    return _STATUSES[Outcome(outcome)]


def store_results(
    session: Session, site: Site, run_id: int, results: Iterable[Mapping[str, Any]]
) -> None:
    """Put the results of a run in the place of those that it had."""
    session.execute(delete(UpdateResultRow).where(UpdateResultRow.run_id == run_id))
    session.add_all(_rows(site, run_id, results))


def _rows(
    site: Site, run_id: int, results: Iterable[Mapping[str, Any]]
) -> Iterator[UpdateResultRow]:
    for each in results:
        hresult = each["hresult"]
        yield UpdateResultRow(
            run_id=run_id,
            index=each["index"],
            update_id=each["update"],
            package=storable_text(each["package"]),
            status=status_of(each["outcome"], hresult).value,
            outcome=each["outcome"],
            reason=storable_text(each["reason"]),
            win32=win32_code(hresult),
            hresult=hresult,
            added=each["added"],
            at=site.now(),
        )
