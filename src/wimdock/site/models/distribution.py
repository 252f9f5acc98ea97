"""Distribution points and what they hold."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
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

    `endpoint` is the address of an object store, "" for that of its region. `follow` says that
    every new state of what lies there is sent by itself. `options` holds what the kind needs beside
    (folder: `mark`, S3: `region`); never a secret. `sent` counts the bytes of all transfers.
    """

    __tablename__ = "distribution_points"
    __table_args__ = (UniqueConstraint("location", "endpoint"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    kind: Mapped[PointKind] = mapped_column(words(PointKind))
    location: Mapped[str]
    endpoint: Mapped[str] = mapped_column(default="")
    options: Mapped[dict[str, Any]]
    follow: Mapped[bool] = mapped_column(default=False)
    enabled: Mapped[bool]
    added_at: Mapped[datetime]
    down_since: Mapped[datetime | None]
    retry_at: Mapped[datetime | None]
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    error: Mapped[str] = mapped_column(default="")


class DistributedContent(Base):
    """An image package at a distribution point.

    `header` (hexadecimal), `length` (bytes) and `content_version` are what the point holds; they
    change when it was verified. `wanted_version` is what it shall hold. `name` is the file's name
    at the point, `tag` the store's mark of the object, `sha256` that of the whole file, "" where
    only a part was sent since. `transfer` is what an interrupted transfer needs to go on. `holder`
    alone may send, until `held_until`. `sent` counts the bytes of the last transfer.
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
    name: Mapped[str] = mapped_column(default="")
    tag: Mapped[str] = mapped_column(default="")
    transfer: Mapped[dict[str, Any]]
    holder: Mapped[str] = mapped_column(String(255), default="")
    held_until: Mapped[datetime | None]
    sent: Mapped[int] = mapped_column(BigInteger, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")
