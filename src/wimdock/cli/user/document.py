"""What JSON documents say of users and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wimdock.site.models import Token, User


def user_content(user: User) -> dict[str, object]:
    """Give what is said of a user."""
    return {
        "name": user.name,
        "role": user.role.value,
        "mail": user.mail,
        "created": user.created_at,
        "disabled": user.disabled_at,
    }


def token_content(token: Token, now: datetime) -> dict[str, object]:
    """Give what is said of a token; never its secret, nor the hash of that."""
    return {
        "id": token.id,
        "name": token.name,
        "created": token.created_at,
        "expires": token.expires_at,
        "last_used": token.last_used_at,
        "revoked": token.revoked_at,
        "state": token_state(token, now),
    }


def token_state(token: Token, now: datetime) -> str:
    """Say whether a token works: "usable", "expired" or "revoked"."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is not None and token.expires_at <= now:
        return "expired"
    return "usable"
