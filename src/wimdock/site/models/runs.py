"""Runs, their steps, events and results, and the workers that execute them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.events import Kind, Severity
from wimdock.site.models.types import Base, BigKey, words


class RunState(StrEnum):
    """Where a run is, or how it ended."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    LOCKED = "image locked"
    REFUSED = "refused"
    MISSED = "missed"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more happens to the run."""
        return self not in {RunState.QUEUED, RunState.RUNNING}


class StepName(StrEnum):
    """The steps of a run, in order."""

    PREFLIGHT = "preflight"
    FETCH = "fetch"
    PLAN = "plan"
    APPLY = "apply"
    VERIFY = "verify"
    EXPORT = "export"
    DISTRIBUTE = "distribute"
    RECORD = "record"


class StepState(StrEnum):
    """Where a step is."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class WorkerState(StrEnum):
    """Where a worker is."""

    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    DEAD = "dead"


class Run(Base):
    """One execution of a schedule for one image package.

    `indexes` empty stands for all images; `update_ids` are those chosen when the run was made;
    `options` are those of the schedule then. `architecture` and `memory` (bytes) are what a worker
    must offer. `attempt` counts from 1, `failures` how many of the attempts failed. `not_before`
    holds a run back, and from `begin_before` on it is not begun any more; `orphaned_at` is when its
    worker was found dead, until another has it. `error` is
    {"class", "message", "hint", "exit_code", "hresult", "win32", "reasons"}.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("schedule_id", "instant", "package_id"),
        Index("ix_runs_waiting", "state", text("priority DESC"), "id"),
        Index("ix_runs_package", "package_id", "id"),
        Index("ix_runs_worker", "worker_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    schedule_id: Mapped[int | None] = mapped_column(Integer)
    package_id: Mapped[str] = mapped_column(ForeignKey("image_packages.id"))
    instant: Mapped[datetime | None]
    state: Mapped[RunState] = mapped_column(words(RunState))
    queue: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int]
    indexes: Mapped[list[int]]
    update_ids: Mapped[list[int]]
    options: Mapped[dict[str, Any]]
    storage: Mapped[str] = mapped_column(String(64))
    architecture: Mapped[str] = mapped_column(String(16))
    memory: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(default=1)
    failures: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    begin_before: Mapped[datetime | None]
    orphaned_at: Mapped[datetime | None]
    worker_id: Mapped[str | None] = mapped_column(String(64))
    step: Mapped[StepName | None] = mapped_column(words(StepName))
    cancel_requested_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error: Mapped[dict[str, Any]] = mapped_column(default=dict)
    generation: Mapped[int | None]
    added: Mapped[int] = mapped_column(BigInteger, default=0)
    retry_of: Mapped[int | None] = mapped_column(BigInteger)


class Step(Base):
    """One step of a run. `token` says by what it is idempotent; `result` and `error` are facts."""

    __tablename__ = "steps"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[StepName] = mapped_column(words(StepName), primary_key=True)
    state: Mapped[StepState] = mapped_column(words(StepState))
    attempt: Mapped[int]
    token: Mapped[str] = mapped_column(String(255))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any]]


class RunEvent(Base):
    """Something that happened in a run: an event of `wimdock.events`, with its time."""

    __tablename__ = "run_events"
    __table_args__ = (Index("ix_run_events_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(32), default=Kind.MESSAGE.value)
    step: Mapped[list[str]]
    text: Mapped[str]
    severity: Mapped[str] = mapped_column(String(16), default=Severity.INFO.value)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(String(16), default="")
    seconds: Mapped[float] = mapped_column(default=0.0)


class UpdateResultRow(Base):
    """What became of one update in one image. `status` is Configuration Manager's UpdateStatus."""

    __tablename__ = "update_results"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    update_id: Mapped[int] = mapped_column(primary_key=True)
    package: Mapped[str]
    status: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str]
    win32: Mapped[int | None] = mapped_column(BigInteger)
    hresult: Mapped[int | None] = mapped_column(BigInteger)
    added: Mapped[int] = mapped_column(BigInteger, default=0)
    at: Mapped[datetime]


class WorkerRow(Base):
    """A process that executes runs. It lives while `heartbeat_at` is younger than its lease.

    `boot` and `pid` tell on the same host whether the process still exists. `queues`,
    `architectures` and `storages` empty stand for all; `memory` is in bytes.
    """

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    boot: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))
    queues: Mapped[list[str]]
    architectures: Mapped[list[str]]
    storages: Mapped[list[str]]
    memory: Mapped[int] = mapped_column(BigInteger)
    concurrency: Mapped[int]
    state: Mapped[WorkerState] = mapped_column(words(WorkerState))
    started_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    lease_seconds: Mapped[float]
    ended_at: Mapped[datetime | None]


class Lease(Base):
    """Who may write an image package's file. `token` grows by one with every holder.

    A holder writes only while the row still has its token: that is the fence. A run holds it until
    it ends or its worker is dead; what a person does holds it until `expires_at` at the latest.
    """

    __tablename__ = "leases"

    package_id: Mapped[str] = mapped_column(
        ForeignKey("image_packages.id", ondelete="CASCADE"), primary_key=True
    )
    token: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    worker_id: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(default="")
    acquired_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
