"""What a tick made of the schedules that were due, and the lines of the log that tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from wimdock.site.messages import phases
from wimdock.site.messages.log import SiteLog
from wimdock.site.models import OccurrenceOutcome, StatusMessageRow
from wimdock.site.schedules.due import Verdict
from wimdock.site.site import Site

STARTED = frozenset({OccurrenceOutcome.STARTED, OccurrenceOutcome.STARTED_LATE})
"""The outcomes of instants that have their runs."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a tick made of one schedule."""

    schedule_id: int
    name: str
    verdicts: tuple[Verdict, ...]
    runs: tuple[int, ...] = ()
    messages: tuple[StatusMessageRow, ...] = ()

    def instants(self, *outcomes: OccurrenceOutcome) -> list[datetime]:
        """Give the instants that ended so."""
        return [verdict.at for verdict in self.verdicts if verdict.outcome in outcomes]


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick did: `settled` are the schedules that were due, `went_back` a clock that did."""

    at: datetime
    settled: tuple[Settled, ...] = field(default=())
    went_back: bool = False

    @property
    def started(self) -> list[int]:
        """The IDs of the runs that it made."""
        return [run_id for each in self.settled for run_id in each.runs]

    @property
    def missed(self) -> list[tuple[int, datetime]]:
        """The schedules and instants that were missed."""
        return [
            (each.schedule_id, at)
            for each in self.settled
            for at in each.instants(OccurrenceOutcome.MISSED)
        ]


def write_log(site: Site, settled: Iterable[Settled]) -> None:
    """Write which schedules were due, and which instants were missed, into the log."""
    with SiteLog(site) as log:
        phases.checking_schedules(log)
        started = 0
        for each in settled:
            for instant in each.instants(*STARTED):
                started += 1
                phases.schedule_due(log, each.schedule_id, instant)
                phases.schedule_active(log, each.schedule_id, each.name)
            for message in each.messages:
                log.status(message)
        if started:
            phases.schedule_checked(log, started)
