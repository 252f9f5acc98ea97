"""Schedules and the instants at which they were due."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from wimdock.site.models.types import Base, words


class OccurrenceOutcome(StrEnum):
    """What became of an instant at which a schedule was due."""

    STARTED = "started"
    STARTED_LATE = "started late"
    MISSED = "missed"
    EXCLUDED = "excluded"
    BY_HAND = "by hand"


class Schedule(Base):
    """Which updates go into which image packages, when and how.

    `recurrence`, `window`, `selection` and `options` are the documents of
    `wimdock.site.schedules`, kept as given. `next_due` is the next instant, None when there is none
    or the schedule is disabled. `sms_action` and `sms_state` are Configuration Manager's numbers.
    """

    __tablename__ = "schedules"
    __table_args__ = (Index("ix_schedules_due", "next_due"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str]
    enabled: Mapped[bool]
    recurrence: Mapped[dict[str, Any]]
    zone: Mapped[str] = mapped_column(String(64))
    window: Mapped[dict[str, Any]]
    selection: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    queue: Mapped[str] = mapped_column(String(64))
    priority: Mapped[int]
    next_due: Mapped[datetime | None]
    last_due: Mapped[datetime | None]
    sms_action: Mapped[int]
    sms_state: Mapped[int]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    removed_at: Mapped[datetime | None]

    targets: Mapped[list["ScheduleTarget"]] = relationship(
        order_by="ScheduleTarget.position", cascade="all, delete-orphan"
    )


class ScheduleTarget(Base):
    """An image package of a schedule; `indexes` empty stands for all images."""

    __tablename__ = "schedule_targets"

    schedule_id: Mapped[int] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    package_id: Mapped[str] = mapped_column(ForeignKey("image_packages.id"), primary_key=True)
    position: Mapped[int]
    indexes: Mapped[list[int]]


class ScheduleUpdate(Base):
    """An update that a schedule names."""

    __tablename__ = "schedule_updates"

    schedule_id: Mapped[int] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    update_id: Mapped[int] = mapped_column(ForeignKey("updates.id"), primary_key=True)
    position: Mapped[int]


class Occurrence(Base):
    """An instant at which a schedule was due: its key makes each happen once."""

    __tablename__ = "occurrences"

    schedule_id: Mapped[int] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True
    )
    instant: Mapped[datetime] = mapped_column(primary_key=True)
    outcome: Mapped[OccurrenceOutcome] = mapped_column(words(OccurrenceOutcome))
    at: Mapped[datetime]
    reason: Mapped[str]
