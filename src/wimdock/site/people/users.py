"""The users of a site. A user is never deleted: what was done names them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.site.mail_address import address_of
from wimdock.site.models import Role, SiteRow, Token, User
from wimdock.site.site import Site

_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_LONGEST_MAIL = 255


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user in a list; `tokens` counts those that can be used now."""

    user: User
    tokens: int


def add_user(site: Site, name: str, role: Role, mail: str | None = None) -> User:
    """Add a user. Names are kept in lower case.

    UsageError for what is no name or no address, AlreadyRecorded where there is one of this name.
    """
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        message = f"{name[:80]!r} is no name of a user"
        hint = "It is up to 64 letters, digits and . _ @ -, and begins with a letter or digit."
        raise UsageError(message, hint=hint)
    if mail is not None and (len(mail) > _LONGEST_MAIL or not _is_address(mail)):
        message = f"{mail[:80]!r} is no mail address"
        raise UsageError(message, hint="Write it as NAME@DOMAIN.")
    with site.writing() as session:
        session.get_one(SiteRow, 1, with_for_update=True)  # two of one name wait for each other
        known = session.scalar(select(User).where(User.name == name))
        if known is not None:
            message = f"there is a user {name} already"
            hint = f"Choose another name; `wimdock user show {name}` tells of this one."
            if known.disabled_at is not None:
                hint = f"The user is disabled; to enable again: wimdock user enable {name}"
            raise AlreadyRecorded(message, hint=hint)
        user = User(name=name, role=role, mail=mail, created_at=site.now())
        session.add(user)
        session.flush()
        site.note(session, "user.add", name, role=role.value)
    return user


def _is_address(text: str) -> bool:
    found = address_of(text)
    return found is not None and found.addr_spec == text


def user_of(session: Session, name: str, *, lock: bool = False) -> User:
    """Give a user by name, in any letter case; NoSuchRecord for none."""
    query = select(User).where(User.name == name.strip().lower())
    if lock:
        query = query.with_for_update()
    user = session.scalar(query) if name.isprintable() else None
    if user is None:
        message = f"there is no user {name[:80]!r}"
        raise NoSuchRecord(message, hint="`wimdock user list` names them all.")
    return user


def list_users(site: Site) -> list[ListedUser]:
    """Give all users by name, with how many of their tokens can be used."""
    usable = (
        select(Token.user_id, func.count().label("tokens"))
        .where(Token.revoked_at.is_(None))
        .where(or_(Token.expires_at.is_(None), Token.expires_at > site.now()))
        .group_by(Token.user_id)
        .subquery()
    )
    query = (
        select(User, func.coalesce(usable.c.tokens, 0))
        .outerjoin(usable, usable.c.user_id == User.id)
        .order_by(User.name)
    )
    with site.reading() as session:
        return [ListedUser(user, tokens) for user, tokens in session.execute(query)]


def set_enabled(site: Site, names: Sequence[str], *, enabled: bool) -> list[User]:
    """Disable or enable users, all or none; the tokens of a disabled one do not work. Idempotent.

    NoSuchRecord where one is not known.
    """
    with site.writing() as session:
        users = [user_of(session, name, lock=True) for name in sorted(dict.fromkeys(names))]
        for user in users:
            if (user.disabled_at is None) is enabled:
                continue
            user.disabled_at = None if enabled else site.now()
            site.note(session, "user.enable" if enabled else "user.disable", user.name)
    return users
