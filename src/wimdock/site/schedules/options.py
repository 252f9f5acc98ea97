"""How the runs of a schedule are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from wimdock.errors import NotOffered
from wimdock.site.schedules.words import flag_in, number_in, only

LONGEST_RUN = 7 * 24 * 60
"""So many minutes may a run take at most."""

MOST_RETRIES = 20
LONGEST_BACKOFF = 24 * 60 * 60

_NUMBERS = {
    "retries": (0, MOST_RETRIES),
    "backoff": (1, LONGEST_BACKOFF),
    "max_run_minutes": (0, LONGEST_RUN),
}


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """What applies to every run of a schedule.

    `retries` is how often a failed run is tried again, `backoff` the seconds before the first time,
    doubled before each further one. `max_run_minutes` 0 stands for no limit. `on_copy` works on a
    copy of the image file and puts it in its place at the end.
    """

    continue_on_error: bool = False
    remove_superseded: bool = False
    export_after: bool = False
    update_points: bool = False
    allow_unsigned: bool = False
    on_copy: bool = False
    retries: int = 0
    backoff: int = 60
    max_run_minutes: int = 0

    def check(self) -> Self:
        """Give itself; NotOffered for what wimdock does not do yet, ScheduleError for the rest."""
        if self.remove_superseded:
            message = "removing superseded updates is not offered yet"
            hint = "Leave --remove-superseded away; superseded components stay in the image."
            raise NotOffered(message, hint=hint)
        if self.export_after:
            message = "exporting the image file after a run is not offered yet"
            hint = "Leave --export-after away; what the file holds in vain stays in it."
            raise NotOffered(message, hint=hint)
        document = {name: getattr(self, name) for name in _NUMBERS}
        for name, bounds in _NUMBERS.items():
            number_in(document, name, 0, bounds)
        return self

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it: what differs from the default."""
        given = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in given if value != field.default}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        only(document, "a schedule", [field.name for field in fields(cls)])
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name in _NUMBERS:
                default = int(getattr(cls(), field.name))
                values[field.name] = number_in(document, field.name, default, _NUMBERS[field.name])
            else:
                values[field.name] = flag_in(document, field.name)
        return cls(**values).check()
