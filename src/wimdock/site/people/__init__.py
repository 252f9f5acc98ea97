"""Who may work with a site: users, and the tokens by which programs speak for them."""

from wimdock.site.people.tokens import (
    NewToken,
    authenticate,
    make_token,
    revoke_tokens,
    tokens_of,
)
from wimdock.site.people.users import ListedUser, add_user, list_users, set_enabled, user_of

__all__ = [
    "ListedUser",
    "NewToken",
    "add_user",
    "authenticate",
    "list_users",
    "make_token",
    "revoke_tokens",
    "set_enabled",
    "tokens_of",
    "user_of",
]
