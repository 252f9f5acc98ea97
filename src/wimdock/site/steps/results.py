"""What became of every update in every image: rows, in Configuration Manager's numbers too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from wimdock.configmgr.image_servicing import UpdateStatus, win32_code
from wimdock.errors import UnsupportedPackage
from wimdock.servicing.outcome import Outcome
from wimdock.site.messages.report import report
from wimdock.site.messages.table import UPDATE_FAILED, UPDATE_UNSUPPORTED
from wimdock.site.models import Run, StatusMessageRow, UpdateResultRow
from wimdock.site.runs.failure import code_in_words
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


def report_failures(
    session: Session, site: Site, run: Run, results: Iterable[Mapping[str, Any]]
) -> list[StatusMessageRow]:
    """Report each update that could not be put into an image; their lines are the caller's."""
    found = []
    for each in results:
        if each["outcome"] != Outcome.FAILED.value:
            continue
        hresult = each["hresult"]
        strings = [run.package_id, each["index"], each["update"], each["reason"]]
        kind = UPDATE_UNSUPPORTED
        if status_of(each["outcome"], hresult) is not UpdateStatus.CHECK_NOT_SUPPORTED:
            kind = UPDATE_FAILED
            strings.append(code_in_words(hresult))
        found.append(
            report(
                site,
                session,
                kind,
                *strings,
                run_id=run.id,
                schedule_id=run.schedule_id,
                package_id=run.package_id,
            )
        )
    return found
