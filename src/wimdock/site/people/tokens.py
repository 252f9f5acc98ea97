"""Tokens: secrets by which programs speak for a user.

A secret is 256 random bits. It is given once, when it is made; the site keeps its SHA-256 only, so
that nobody who reads the database has it. A secret of that size needs no slow hash: it cannot be
guessed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from wimdock.errors import AlreadyRecorded, NoSuchRecord, UsageError
from wimdock.site.models import Token, User
from wimdock.site.people.users import user_of
from wimdock.site.site import Site

PREFIX = "wimdock_"
"""How every secret begins, so that programs that look for leaked ones find it."""

_BYTES = 32
_SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_LONGEST_NAME = 128
_LARGEST_ID = (1 << 63) - 1
# The time of use is a hint for people: it is not worth a write for every request.
_USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token with its secret, which nobody can tell again."""

    token: Token
    secret: str

    def __repr__(self) -> str:
        """Give it without the secret, which has no place in logs and tracebacks."""
        return f"NewToken(id={self.token.id})"


def make_token(
    site: Site, user: str, *, name: str = "", expires_at: datetime | None = None
) -> NewToken:
    """Make a token for a user; `name` is for people, `expires_at` None stands for never.

    NoSuchRecord for an unknown user, AlreadyRecorded for a disabled one, UsageError for a time that
    has been.
    """
    if len(name) > _LONGEST_NAME or not name.isprintable():
        message = f"the name of a token is printable and has up to {_LONGEST_NAME} characters"
        raise UsageError(message, hint="Choose another name.")
    now = site.now()
    if expires_at is not None and expires_at <= now:
        message = f"the token would expire at {expires_at:%Y-%m-%d %H:%M}Z, which has been"
        raise UsageError(message, hint="Give a time to come, such as 90d.")
    secret = PREFIX + secrets.token_urlsafe(_BYTES)
    with site.writing() as session:
        owner = user_of(session, user, lock=True)
        if owner.disabled_at is not None:
            message = f"the user {owner.name} is disabled"
            raise AlreadyRecorded(
                message, hint=f"Enable it first: wimdock user enable {owner.name}"
            )
        token = Token(
            user_id=owner.id,
            name=name,
            sha256=_digest(secret),
            created_at=now,
            expires_at=expires_at,
        )
        session.add(token)
        session.flush()
        site.note(session, "user.token", owner.name, token=token.id, name=name)
    return NewToken(token, secret)


def tokens_of(session: Session, user: User) -> list[Token]:
    """Give the tokens of a user, the oldest first, whatever their state."""
    return list(session.scalars(select(Token).where(Token.user_id == user.id).order_by(Token.id)))


def revoke_tokens(site: Site, token_ids: Sequence[int]) -> list[Token]:
    """Revoke tokens, all or none: they do not work from now on, for good. Idempotent.

    NoSuchRecord where one is not known.
    """
    with site.writing() as session:
        tokens = [_token_of(session, token_id) for token_id in sorted(dict.fromkeys(token_ids))]
        for token in tokens:
            if token.revoked_at is None:
                token.revoked_at = site.now()
                owner = session.get_one(User, token.user_id)
                site.note(session, "user.revoke", owner.name, token=token.id)
    return tokens


def _token_of(session: Session, token_id: int) -> Token:
    token = None
    if 0 < token_id <= _LARGEST_ID:
        token = session.get(Token, token_id, with_for_update=True)
    if token is None:
        message = f"there is no token {token_id}"
        raise NoSuchRecord(message, hint="`wimdock user show NAME` lists those of a user.")
    return token


def authenticate(session: Session, secret: str, now: datetime) -> User | None:
    """Give the user for whom a secret speaks, None where it is unknown, revoked or expired.

    A disabled user is None too. The session is one that writes: it notes the time of use, to the
    minute.
    """
    if not _SECRET.fullmatch(secret):
        return None
    token = session.scalar(select(Token).where(Token.sha256 == _digest(secret)))
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    user = session.get_one(User, token.user_id)
    if user.disabled_at is not None:
        return None
    if token.last_used_at is None or now - token.last_used_at >= _USE_STEP:
        token.last_used_at = now
    return user


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii")).hexdigest()
