"""The site itself, who works with it, and what they did."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from wimdock.site.models.types import Base, BigKey, words


class Role(StrEnum):
    """What a user may do."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    READER = "reader"


class SiteRow(Base):
    """The site: one row. The counters give the next numbers of what is named by number."""

    __tablename__ = "site"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(3))
    uuid: Mapped[str] = mapped_column(String(36))
    folder: Mapped[str]
    created_at: Mapped[datetime]
    next_package: Mapped[int]
    next_schedule: Mapped[int]
    next_update: Mapped[int]
    last_tick: Mapped[datetime | None]


class User(Base):
    """Somebody who may work with the site."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    role: Mapped[Role] = mapped_column(words(Role))
    mail: Mapped[str | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Token(Base):
    """A secret by which a program speaks for a user; only its SHA-256 is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Audit(Base):
    """One change that somebody asked for."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime]
    operator: Mapped[str]
    action: Mapped[str] = mapped_column(String(64))
    object: Mapped[str]
    detail: Mapped[dict[str, Any]]


class Provider(Base):
    """A host that services images the Microsoft way."""

    __tablename__ = "providers"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    build: Mapped[str] = mapped_column(String(64))
    source: Mapped[str]
    added_at: Mapped[datetime]
