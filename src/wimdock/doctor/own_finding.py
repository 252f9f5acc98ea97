"""What is found of wimdock's own runs: what its log says of itself, put as a finding."""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.doctor.finding import FITS, Advice, Finding
from wimdock.doctor.incident import Incident
from wimdock.doctor.ordering import codes_of
from wimdock.doctor.own_log import (
    IMAGE_LOCKED,
    RUN_CANCELLED,
    RUN_FAILED,
    RUN_MISSED,
    RUN_REFUSED,
    RUN_SUCCEEDED,
    RUN_TIMED_OUT,
)
from wimdock.doctor.session import OwnRun

_CAUSE = (
    "wimdock did the work itself, without Configuration Manager, DISM and a mount: none of the "
    "known failures is looked for here."
)


@dataclass(frozen=True, slots=True)
class _End:
    title: str
    remedy: str


_ENDS = {
    RUN_FAILED: _End(
        "A run of wimdock failed", "`wimdock run show {run}` says what happened, step by step."
    ),
    RUN_CANCELLED: _End("A run of wimdock was cancelled", "Run it again: wimdock run retry {run}"),
    RUN_TIMED_OUT: _End(
        "A run of wimdock took longer than its schedule allows",
        "Give the schedule more time, then run it again: wimdock run retry {run}",
    ),
    IMAGE_LOCKED: _End(
        "A run of wimdock found its image in use",
        "End whatever uses the image file, then run it again: wimdock run retry {run}",
    ),
    RUN_REFUSED: _End(
        "A run of wimdock was refused by its preflight",
        "`wimdock run show {run}` says which check failed.",
    ),
    RUN_MISSED: _End(
        "A run of wimdock waited for a worker until its window closed",
        "`wimdock worker list` shows the workers; run it again: wimdock run retry {run}",
    ),
    RUN_SUCCEEDED: _End(
        "A run of wimdock ended well, but something in it failed",
        "`wimdock run show {run}` says what was put in and what was not.",
    ),
}
_UNFINISHED = _End(
    "Something failed in a run of wimdock whose end the log does not show",
    "`wimdock run show {run}` says how it ended.",
)


def own_findings(incident: Incident, own: OwnRun) -> list[Finding]:
    """Give what is found in one run of wimdock, or in one fault outside of any."""
    traces = tuple(incident.traces())
    if not traces:
        return []
    said = [text for _, text in own.faults]
    if own.number:
        end = _UNFINISHED if own.end is None else _ENDS[own.end]
        title = end.title
        remedy = own.remedy or end.remedy.format(run=own.number)
        said = [*([own.said] if own.said else []), *said]
    else:
        title = "An error of wimdock's site"
        remedy = "`wimdock status list --severity error` lists what else went wrong."
    updates = tuple(dict.fromkeys(trace.update for trace in traces if trace.update))
    return [
        Finding(
            incident=incident,
            by_wimdock=True,
            title=title,
            what_happened=" ".join(said),
            cause=_CAUSE,
            codes=codes_of(traces),
            traces=traces,
            advice=(Advice("As wimdock says", remedy, FITS),),
            notes=_notes(own),
            updates=updates,
        )
    ]


def _notes(own: OwnRun) -> list[str]:
    notes = list(own.notes)
    if own.abandoned:
        times = "once" if own.abandoned == 1 else f"{own.abandoned} times"
        notes.append(f"The run was begun {times} without being ended: its worker had stopped.")
    if own.generation and own.end != RUN_SUCCEEDED:
        notes.append(f"Generation {own.generation} of the image file had been committed before.")
    return notes


def own_key(own: OwnRun) -> tuple[object, ...]:
    """Give what makes two findings of wimdock's own the same, besides image and code."""
    if own.number:
        return (own.end, tuple(dict.fromkeys(status.id for status, _ in own.faults)))
    return tuple((status.id, *status.insertions) for status, _ in own.faults)
