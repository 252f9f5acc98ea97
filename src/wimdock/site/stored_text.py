r"""Text that any database can keep.

Names from images, packages and logs may hold what is no character: lone surrogates, and NUL, which
PostgreSQL keeps nowhere. They are written out as people see them elsewhere (`\ud800`).
"""

from __future__ import annotations

import re
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable_text(text: str) -> str:
    r"""Give a text with each NUL and lone surrogate written out (`\x00`, `\ud800`)."""
    return _UNSTORABLE.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )


def storable(value: Any) -> Any:
    """Give a JSON value with every text in it, names of members too, as `storable_text` does."""
    match value:
        case str():
            return storable_text(value)
        case dict():
            return {storable_text(str(key)): storable(each) for key, each in value.items()}
        case list() | tuple():
            return [storable(each) for each in value]
        case _:
            return value
