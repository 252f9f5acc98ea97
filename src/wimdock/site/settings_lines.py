"""On which line of `wimdock.toml` a setting stands, so that an error can name it.

The file is read by `tomllib`, which tells no lines: they are looked for by themselves here. What is
written in a way that is not recognised simply has no line.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[(\[)?\s*([\w\s.\"'-]+?)\s*\]")
_KEY = re.compile(r"\s*([\w\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")


class Lines:
    """The lines of tables and settings, counted from 1."""

    def __init__(self, text: str) -> None:
        """Look through the text of a file."""
        self._found: dict[tuple[str, int, str], int] = {}
        table, place = "", 0
        seen: dict[str, int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                table = _plain(header[2])
                place = seen.get(table, 0) if header[1] else 0
                seen[table] = place + 1
                self._found.setdefault((table, place, ""), number)
            elif key := _KEY.match(line):
                name = _plain(key[1])
                if not table:
                    head, _, rest = name.partition(".")
                    self._found.setdefault((head, 0, ""), number)
                    self._found.setdefault((head, 0, rest), number)
                else:
                    self._found.setdefault((table, place, name), number)

    def of(self, table: str, name: str = "", place: int = 0) -> int | None:
        """Give the line of a setting, else of its table; `place` counts tables of one name."""
        found = self._found
        return found.get((table, place, name)) or found.get((table, place, ""))


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
