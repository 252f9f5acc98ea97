"""Distribution points and what they hold."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.site.models.types import Base, BigKey, words


class PointKind(StrEnum):
    """What a distribution point is."""

    FOLDER = "folder"
    S3 = "s3"


class ContentState(StrEnum):
    """Where an image package is at a point."""

    WAITING = "waiting"
    SENDING = "sending"
    CURRENT = "current"
    FAILED = "failed"
    REMOVING = "removing"


class DistributionPoint(Base):
    """A place that serves image files to machines: a folder's path, or s3://bucket/prefix.

    `options` holds what the kind needs beside (S3: endpoint, region); never a secret.
    """

    __tablename__ = "distribution_points"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    kind: Mapped[PointKind] = mapped_column(words(PointKind))
    location: Mapped[str] = mapped_column(unique=True)
    options: Mapped[dict[str, Any]]
    enabled: Mapped[bool]
    added_at: Mapped[datetime]
    down_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


class DistributedContent(Base):
    """An image package at a distribution point.

    `header` (hexadecimal), `length` (bytes) and `content_version` are what the point holds; they
    change when it was verified. `wanted_version` is what it shall hold. `transfer` is what an
    interrupted transfer needs to go on. `sent` counts the bytes of the last transfer.
    """

    __tablename__ = "distributed_contents"

    point_id: Mapped[int] = mapped_column(
        ForeignKey("distribution_points.id", ondelete="CASCADE"), primary_key=True
    )
    package_id: Mapped[str] = mapped_column(
        ForeignKey("image_packages.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[ContentState] = mapped_column(words(ContentState))
    content_version: Mapped[int | None]
    wanted_version: Mapped[int]
    header: Mapped[str] = mapped_column(String(416), default="")
    length: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    transfer: Mapped[dict[str, Any]]
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
