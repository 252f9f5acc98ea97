"""OData as the AdminService speaks it: rows of a class, page after page.

An answer is an object with the rows in `value` and the address of the next page in
`@odata.nextLink` (OData JSON format 4.0, sections 4.5.5 and 13.1). The next page must lie at the
same server below the same address, and no page may come twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urljoin, urlsplit

from wimdock.configmgr.conversation import Conversation
from wimdock.configmgr.site import Row
from wimdock.errors import UnexpectedAnswer

MOST_PAGES = 1000
MOST_ROWS = 100_000
"""A site has fewer images and servers than that; more is no answer but an attack or a fault."""

_LONGEST_LINK = 8192
_CLASS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def literal(text: str) -> str:
    """Give a text as OData writes it in a filter: in quotes, with quotes in it doubled."""
    return "'" + text.replace("'", "''") + "'"


class ODataService:
    """The classes below one address, such as `https://cm01/AdminService/wmi`."""

    def __init__(self, conversation: Conversation, address: str) -> None:
        """Take the conversation and the address, without a slash at its end."""
        self._conversation = conversation
        self._address = address

    def rows(self, name: str, *, where: str = "") -> Iterator[Row]:
        """Give the rows of a class; `where` is a $filter.

        Pages are asked for as they are needed. Raises the errors of the AdminService.
        """
        if not _CLASS.fullmatch(name):
            message = f"{name!r} is no class"
            raise ValueError(message)
        query = f"?$filter={quote(where, safe='')}" if where else ""
        link = f"{self._address}/{name}{query}"
        asked: set[str] = set()
        count = 0
        while link:
            if link in asked or len(asked) >= MOST_PAGES:
                message = f"the pages of {name} have no end: page {len(asked) + 1} leads back"
                raise UnexpectedAnswer(message)
            asked.add(link)
            found, following = _page(self._conversation.ask(link, name), name)
            count += len(found)
            if count > MOST_ROWS:
                message = f"{name} has more than {MOST_ROWS:,} rows"
                raise UnexpectedAnswer(message)
            yield from found
            link = self._next(link, following, name)

    def _next(self, link: str, following: str, name: str) -> str:
        """Give the address of the next page, "" where there is none."""
        if not following:
            return ""
        message = f"the next page of {name} is said to be at another place than the first"
        refused = UnexpectedAnswer(message, hint="No credentials were sent there.")
        if len(following) > _LONGEST_LINK or not following.isascii() or not following.isprintable():
            raise refused
        try:
            goal, base = urlsplit(urljoin(link, following)), urlsplit(self._address)
            same = (goal.scheme, goal.hostname, goal.port or 443) == (
                base.scheme,
                base.hostname,
                base.port or 443,
            )
        except ValueError:
            raise refused from None
        below = f"{base.path}/".lower()
        inside = goal.path.lower().startswith(below) and "/.." not in unquote(goal.path)
        if not same or not inside or "@" in goal.netloc or "\\" in following:
            raise refused
        return goal._replace(fragment="").geturl()


def _page(content: object, name: str) -> tuple[list[Row], str]:
    """Give the rows of a page and the link to the next one."""
    rows = content.get("value") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(rows, list):
        message = f"the answer to {name} has no list of rows"
        raise UnexpectedAnswer(message)
    if not all(isinstance(row, dict) for row in rows):
        message = f"a row of {name} is no object"
        raise UnexpectedAnswer(message)
    following = content.get("@odata.nextLink")
    if following is not None and not isinstance(following, str):
        message = f"the link to the next page of {name} is no text"
        raise UnexpectedAnswer(message)
    return rows, following or ""
