"""The update library."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.site.models.types import Base


class UpdateRow(Base):
    """An update file in the library, stored under its SHA-256.

    `packages` lists {"identity", "name", "architecture", "version", "language", "release_type",
    "parents", "root"}; `unsupported` is why wimdock would refuse it. `released_at` is the newest
    date that the file itself tells.
    """

    __tablename__ = "updates"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    file_name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str]
    identity: Mapped[str] = mapped_column(index=True)
    family: Mapped[str] = mapped_column(index=True)
    kb: Mapped[str] = mapped_column(String(16), index=True)
    architecture: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(32))
    classification: Mapped[str] = mapped_column(String(64))
    packages: Mapped[list[Any]]
    catalogued: Mapped[bool]
    verified: Mapped[int]
    signer: Mapped[str]
    unsupported: Mapped[list[str]]
    released_at: Mapped[datetime | None]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]
    source: Mapped[str]
    retired_at: Mapped[datetime | None]
