"""Runs followed while they go on: what is new in them since one looked last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from wimdock.events import Event, Kind, Severity
from wimdock.site.models import Run, RunEvent
from wimdock.site.runs.record import run_of
from wimdock.site.site import Site


class Follower:
    """Follows runs; `look` asks the database once."""

    def __init__(self, site: Site, run_ids: Sequence[int]) -> None:
        """Take the runs, or raise NoSuchRecord for one that there is not."""
        self._site = site
        self._last = dict.fromkeys(run_ids, 0)
        with site.reading() as session:
            self.runs: list[Run] = [run_of(session, run_id) for run_id in self._last]

    @property
    def ended(self) -> bool:
        """Tell whether all had ended when one looked last."""
        return all(run.state.ended for run in self.runs)

    def look(self) -> list[Event]:
        """Give the new events in order; after it `runs` are as they are now.

        Where several runs are followed, each event says of which it is.
        """
        found: list[Event] = []
        with self._site.reading() as session:
            # The states first: what happens between the two questions is found at the next look.
            self.runs = [run_of(session, run_id) for run_id in self._last]
            for run_id, last in self._last.items():
                query = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.id > last)
                for row in session.scalars(query.order_by(RunEvent.id)):
                    event = event_in(row)
                    found.append(event if len(self._last) == 1 else _labelled(event, run_id))
                    self._last[run_id] = row.id
        return found


def _labelled(event: Event, run_id: int) -> Event:
    """Put the run's number before all that is shown of an event."""
    steps = tuple(f"run {run_id}: {title}" for title in event.step)
    text = f"run {run_id}: {event.text}" if event.kind is Kind.MESSAGE else event.text
    return replace(event, step=steps, text=text)


def event_in(row: RunEvent) -> Event:
    """Give the event that a row keeps."""
    return Event(
        Kind(row.kind),
        tuple(row.step),
        row.text,
        Severity(row.severity),
        row.done,
        row.total,
        row.unit,
        row.seconds,
    )
