"""What the database says, as samples: one transaction that reads, a dozen small questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from wimdock.site.metrics.catalogue import MOST_QUEUES
from wimdock.site.models import (
    ContentState,
    DistributedContent,
    DistributionPoint,
    FileState,
    GenerationRow,
    ImagePackage,
    Notification,
    NotificationState,
    Occurrence,
    OccurrenceOutcome,
    Run,
    RunState,
    Schedule,
    SiteRow,
    StepName,
    UpdateResultRow,
    UpdateRow,
    WorkerRow,
    WorkerState,
)
from wimdock.site.site import Site

_OPEN = (RunState.QUEUED, RunState.RUNNING)
_ALIVE = (WorkerState.RUNNING, WorkerState.STOPPING)
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with the values of its labels in their order."""

    metric: str
    value: float
    labels: tuple[str, ...] = ()


def observe(session: Session, site: Site) -> Iterator[Sample]:
    """Give every sample but the durations of runs."""
    now = site.now()
    questions: tuple[Callable[[Session, datetime], Iterable[Sample]], ...] = (
        _runs,
        _queues,
        _updates,
        _packages,
        _schedules,
        _workers,
        _distribution,
        _notifications,
    )
    for ask in questions:
        yield from ask(session, now)


def _by_word(
    session: Session, column: InstrumentedAttribute[Any], words: Iterable[StrEnum], *conditions: Any
) -> Iterator[tuple[str, int]]:
    """Count rows by the words of a column; a word that no row has is counted, too: as none."""
    asked = select(column, func.count()).where(*conditions).group_by(column)
    found = {word: number for word, number in session.execute(asked)}  # noqa: C416 - rows, no pairs
    for word in words:
        yield word.value, found.get(word, 0)


def _one(session: Session, asked: Select[Any]) -> float:
    return float(session.scalar(asked) or 0)


def _age(now: datetime, at: datetime | None) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)


def _runs(session: Session, _now: datetime) -> Iterator[Sample]:
    for word, number in _by_word(session, Run.state, RunState):
        if RunState(word).ended:
            yield Sample("wimdock_runs_ended_total", number, (word,))
        else:
            yield Sample("wimdock_runs", number, (word,))
    is_running = Run.state == RunState.RUNNING
    for word, number in _by_word(session, Run.step, StepName, is_running):
        yield Sample("wimdock_runs_at_step", number, (word,))
    orphaned = select(func.count()).where(Run.state.in_(_OPEN), Run.orphaned_at.is_not(None))
    yield Sample("wimdock_runs_orphaned", _one(session, orphaned))
    yield Sample("wimdock_added_bytes_total", _one(session, select(func.sum(Run.added))))


def _queues(session: Session, now: datetime) -> Iterator[Sample]:
    waits = Run.state == RunState.QUEUED
    counts = dict.fromkeys(("default",), 0)
    asked = select(Run.queue, func.count()).where(waits).group_by(Run.queue).order_by(Run.queue)
    for queue, number in session.execute(asked):
        counts[queue] = number
    oldest = dict.fromkeys(counts, 0.0)
    could_begin = func.coalesce(Run.not_before, Run.created_at, type_=Run.created_at.type)
    since = select(Run.queue, func.min(could_begin)).where(waits, could_begin <= now)
    for queue, at in session.execute(since.group_by(Run.queue)):
        oldest[queue] = _age(now, at)
    named = sorted(counts.keys() - {_OTHER})[:MOST_QUEUES]
    for queue in named:
        yield Sample("wimdock_queue_runs", counts[queue], (queue,))
        yield Sample("wimdock_queue_oldest_seconds", oldest[queue], (queue,))
    others = set(counts).difference(named)
    if others:
        yield Sample("wimdock_queue_runs", sum(counts[each] for each in others), (_OTHER,))
        longest = max(oldest[each] for each in others)
        yield Sample("wimdock_queue_oldest_seconds", longest, (_OTHER,))


def _updates(session: Session, _now: datetime) -> Iterator[Sample]:
    asked = select(UpdateResultRow.outcome, func.count()).group_by(UpdateResultRow.outcome)
    for outcome, number in session.execute(asked):
        yield Sample("wimdock_update_results_total", number, (outcome,))
    retired = UpdateRow.retired_at.is_not(None)
    counts = dict.fromkeys(("offered", "unsupported", "retired"), 0)
    for is_retired, unsupported in session.execute(select(retired, UpdateRow.unsupported)):
        counts["retired" if is_retired else "unsupported" if unsupported else "offered"] += 1
    for word, number in counts.items():
        yield Sample("wimdock_updates", number, (word,))


def _packages(session: Session, _now: datetime) -> Iterator[Sample]:
    there = ImagePackage.removed_at.is_(None)
    for word, number in _by_word(session, ImagePackage.state, FileState, there):
        yield Sample("wimdock_image_packages", number, (word,))
    size = select(func.sum(ImagePackage.length)).where(there)
    yield Sample("wimdock_image_bytes", _one(session, size))
    yield Sample("wimdock_generations", _one(session, select(func.count(GenerationRow.number))))


def _schedules(session: Session, now: datetime) -> Iterator[Sample]:
    there = Schedule.removed_at.is_(None)
    for word, enabled in (("enabled", True), ("disabled", False)):
        asked = select(func.count()).where(there, Schedule.enabled.is_(enabled))
        yield Sample("wimdock_schedules", _one(session, asked), (word,))
    due = select(func.count()).where(there, Schedule.enabled.is_(True), Schedule.next_due <= now)
    yield Sample("wimdock_schedules_due", _one(session, due))
    for word, number in _by_word(session, Occurrence.outcome, OccurrenceOutcome):
        yield Sample("wimdock_schedule_instants_total", number, (word,))
    last = session.scalar(select(SiteRow.last_tick))
    if last is not None:
        yield Sample("wimdock_tick_age_seconds", _age(now, last))


def _workers(session: Session, now: datetime) -> Iterator[Sample]:
    for word, number in _by_word(session, WorkerRow.state, WorkerState):
        yield Sample("wimdock_workers", number, (word,))
    alive = session.execute(
        select(
            WorkerRow.state, WorkerRow.heartbeat_at, WorkerRow.lease_seconds, WorkerRow.concurrency
        ).where(WorkerRow.state.in_(_ALIVE))
    ).all()
    silent = sum(_age(now, beat) > lease for _, beat, lease, _ in alive)
    slots = sum(number for state, _, _, number in alive if state is WorkerState.RUNNING)
    yield Sample("wimdock_workers_silent", silent)
    yield Sample("wimdock_worker_slots", slots)


def _distribution(session: Session, _now: datetime) -> Iterator[Sample]:
    counts = dict.fromkeys(("up", "down", "disabled"), 0)
    points = session.execute(
        select(DistributionPoint.enabled, DistributionPoint.down_since, DistributionPoint.sent)
    ).all()
    for enabled, down_since, _ in points:
        counts["disabled" if not enabled else "up" if down_since is None else "down"] += 1
    for word, number in counts.items():
        yield Sample("wimdock_distribution_points", number, (word,))
    for word, number in _by_word(session, DistributedContent.state, ContentState):
        yield Sample("wimdock_distribution_contents", number, (word,))
    yield Sample("wimdock_sent_bytes_total", sum(sent for _, _, sent in points))


def _notifications(session: Session, now: datetime) -> Iterator[Sample]:
    for word, number in _by_word(session, Notification.state, NotificationState):
        yield Sample("wimdock_notifications", number, (word,))
    waits = Notification.state == NotificationState.WAITING
    oldest = session.scalar(select(func.min(Notification.created_at)).where(waits))
    yield Sample("wimdock_notifications_oldest_seconds", _age(now, oldest))
