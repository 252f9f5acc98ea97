"""Mail addresses, as they stand in the settings and in headers: `x@contoso.com`, `X <x@…>`."""

from __future__ import annotations

from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry


def address_of(text: str) -> Address | None:
    """Give the one address that a text is; None where it is none, or several, or more than that."""
    if not text.isprintable():
        return None
    try:
        header = HeaderRegistry()("to", text)
        found: tuple[Address, ...] = tuple(getattr(header, "addresses", ()))
    except (ValueError, IndexError, AttributeError, MessageError):
        return None  # the library's parser raises any of these
    if len(found) != 1 or header.defects or not (found[0].username and found[0].domain):
        return None
    return found[0]
