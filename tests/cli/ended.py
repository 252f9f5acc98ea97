"""How a command line ended, for tests that run several."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Give the JSON document, which must be all of the output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Command = Callable[..., Ended]
