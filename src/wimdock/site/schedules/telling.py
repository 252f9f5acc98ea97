"""A schedule in words, also one that cannot be read any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wimdock.errors import WimdockError
from wimdock.site.models import Schedule
from wimdock.site.schedules.recurrence import read_recurrence
from wimdock.site.schedules.window import Window
from wimdock.site.updates.selection import Selection


@dataclass(frozen=True, slots=True)
class Told:
    """When it is due, when its runs may begin, and which updates they put in."""

    recurrence: str
    window: str
    selection: str


def tell(schedule: Schedule) -> Told:
    """Say what a schedule is; of what cannot be read, why."""
    return Told(
        recurrence=_said(lambda: read_recurrence(schedule.recurrence).describe()),
        window=_said(lambda: Window.from_document(schedule.window).describe()),
        selection=_said(lambda: Selection.from_document(schedule.selection).describe()),
    )


def _said(say: Callable[[], str]) -> str:
    try:
        return say()
    except WimdockError as error:
        return f"cannot be read: {error.message}"
