"""Status messages, and notifications that wait to be sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.site.models.types import Base, BigKey, words


class MessageSeverity(StrEnum):
    """How grave a status message is; the letter is that of STATMSG lines."""

    INFORMATION = "I"
    WARNING = "W"
    ERROR = "E"


class NotificationState(StrEnum):
    """Where a notification is."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given up"


class StatusMessageRow(Base):
    """One status message; `strings` are its insertion strings, ten at most."""

    __tablename__ = "status_messages"
    __table_args__ = (
        Index("ix_status_messages_at", "at"),
        Index("ix_status_messages_run", "run_id"),
        Index("ix_status_messages_package", "package_id"),
        Index("ix_status_messages_schedule", "schedule_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    message_id: Mapped[int]
    severity: Mapped[MessageSeverity] = mapped_column(words(MessageSeverity))
    component: Mapped[str] = mapped_column(String(64))
    machine: Mapped[str] = mapped_column(String(255))
    site_code: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime]
    pid: Mapped[int]
    tid: Mapped[int] = mapped_column(BigInteger)
    strings: Mapped[list[str]]
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    schedule_id: Mapped[int | None] = mapped_column(Integer)
    package_id: Mapped[str | None] = mapped_column(String(8))


class Notification(Base):
    """A message to a target of the settings; what failed is tried again at `next_try_at`.

    `attempt_of_run` is the run's attempt that it tells of; `attempts` counts tries to send it.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_due", "state", "next_try_at"),
        Index("ix_notifications_run", "run_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    target: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]]
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    attempt_of_run: Mapped[int | None]
    created_at: Mapped[datetime]
    state: Mapped[NotificationState] = mapped_column(words(NotificationState))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
