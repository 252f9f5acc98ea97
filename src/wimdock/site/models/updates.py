"""The update library."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.site.models.types import Base, words


class UpdateRow(Base):
    """An update file in the library, stored under its SHA-256.

    `identity`, `family`, `architecture`, `version`, `language` and `classification` are those of
    its root package. `packages` are documents of all its packages, as `wimdock.site.updates.stored`
    writes them, `roots` those of root packages alone, of which a .msu may hold several. `targets`
    are the packages that the root is for. `unsupported` is why wimdock would refuse it, `signer`
    what its catalog says, `verified` how many hashes were compared. `released_at` is the newest
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
    stack: Mapped[bool]
    targets: Mapped[list[str]]
    roots: Mapped[list[Any]]
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


class WatchState(StrEnum):
    """What became of a file in the watched folder."""

    ARRIVING = "arriving"
    IMPORTED = "imported"
    FAILED = "failed"


class WatchedFile(Base):
    """A file in the watched folder, as it was when it was looked at last.

    `key` is the SHA-256 of its path, which may be longer than what a database indexes. `since` is
    when it was first seen with this size and `modified`, its time in nanoseconds since 1970. An
    imported or failed one is not looked at again until either changes.
    """

    __tablename__ = "watched_files"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime]
    state: Mapped[WatchState] = mapped_column(words(WatchState))
    reason: Mapped[str]
