"""Image packages, the images in them, and the states their files went through."""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from wimdock.site.models.types import Base, BigKey, words


class PackageType(IntEnum):
    """Configuration Manager's package types."""

    OS_IMAGE = 257
    OS_UPGRADE = 259


class FileState(StrEnum):
    """How the file was found when it was last looked at."""

    AS_RECORDED = "as recorded"
    MISSING = "missing"
    UNREADABLE = "unreadable"


class ImagePackage(Base):
    """An image file registered with the site.

    `storage` names a storage location, "" for none; `path` is relative to it, else absolute. For an
    upgrade package `path` is that of its install.wim. `header` is the file's first 208 bytes in
    hexadecimal and `length` its size in bytes, as last read. `preflight` is the document of the
    preflight, as found then. A removed package keeps its row, for its history, and has no path.
    """

    __tablename__ = "image_packages"
    __table_args__ = (UniqueConstraint("storage", "path"),)

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    type: Mapped[int] = mapped_column(Integer)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    storage: Mapped[str] = mapped_column(String(64), default="")
    path: Mapped[str | None]
    header: Mapped[str] = mapped_column(String(416))
    length: Mapped[int] = mapped_column(BigInteger)
    generation: Mapped[int | None]
    content_version: Mapped[int] = mapped_column(default=1)
    state: Mapped[FileState] = mapped_column(words(FileState), default=FileState.AS_RECORDED)
    reason: Mapped[str] = mapped_column(default="")
    preflight: Mapped[dict[str, Any]]
    added_at: Mapped[datetime]
    read_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]

    images: Mapped[list["Image"]] = relationship(
        back_populates="package", order_by="Image.index", cascade="all, delete-orphan"
    )


class Image(Base):
    """One operating system in the file. `packages` lists {"id", "state"}; `size` is in bytes.

    `reparse` are the records of `wimdock.site.images.reparse_facts`. `unreadable` says why what is
    in the image could not be read: what else is known is from the file's XML then.
    """

    __tablename__ = "images"

    package_id: Mapped[str] = mapped_column(
        ForeignKey("image_packages.id", ondelete="CASCADE"), primary_key=True
    )
    index: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    edition: Mapped[str]
    version: Mapped[str]
    architecture: Mapped[str] = mapped_column(String(16))
    languages: Mapped[list[str]]
    size: Mapped[int] = mapped_column(BigInteger)
    packages: Mapped[list[Any]]
    reparse: Mapped[list[Any]]
    unreadable: Mapped[str] = mapped_column(default="")

    package: Mapped["ImagePackage"] = relationship(back_populates="images")


class GenerationRow(Base):
    """A committed state of an image package's file; `added` and `length` are in bytes."""

    __tablename__ = "generations"

    package_id: Mapped[str] = mapped_column(
        ForeignKey("image_packages.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(12))
    length: Mapped[int] = mapped_column(BigInteger)
    added: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    note: Mapped[str]
    run_id: Mapped[int | None] = mapped_column(BigInteger)


class History(Base):
    """What was done to an image package, kept for good. `updates` are {"id", "title", "result"}."""

    __tablename__ = "history"
    __table_args__ = (
        Index("ix_history_package_at", "package_id", "at"),
        Index("ix_history_run", "run_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    package_id: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(32))
    result: Mapped[str] = mapped_column(String(32))
    generation: Mapped[int | None]
    run_id: Mapped[int | None] = mapped_column(BigInteger)
    operator: Mapped[str]
    seconds: Mapped[float]
    updates: Mapped[list[Any]]
    detail: Mapped[str]
