"""Strict reading of TOML: every key is asked for by its type, and none may be left over.

Errors name the file and the place in it: `07-x.toml: evidence[2].codes: ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NoReturn

from wimdock.doctor.expression import Expression
from wimdock.errors import RuleError

_CODE = re.compile(r"0x[0-9A-Fa-f]{8}")
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){2,3}")
_LONGEST_PATTERN = 1000


class Table:
    """One table of a rule file; `end` refuses what nobody asked for."""

    def __init__(self, file: str, place: str, content: Mapping[str, object]) -> None:
        """Take the table's content and where it stands."""
        self.file = file
        self.place = place
        self._left = dict(content)

    def refuse(self, key: str, problem: str, cause: Exception | None = None) -> NoReturn:
        """Raise the error for a key; the empty key is the table itself."""
        where = f"{self.place}.{key}" if self.place and key else self.place or key
        message = f"{self.file}: {where}: {problem}" if where else f"{self.file}: {problem}"
        raise RuleError(message) from cause

    def end(self) -> None:
        """Refuse the keys that were not asked for."""
        for key in self._left:
            self.refuse(key, "there is no such key")

    def has(self, key: str) -> bool:
        """Tell whether a key is there and was not asked for yet."""
        return key in self._left

    def text(self, key: str, *, required: bool = True) -> str:
        """Give a text, which is not empty; empty where it is not there and need not be."""
        value = self._take(key, required=required)
        if value is None:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.refuse(key, "must be a text, and not an empty one")
        return " ".join(value.split())

    def word(self, key: str, allowed: tuple[str, ...], *, required: bool = True) -> str:
        """Give one of the words allowed; empty where it is not there and need not be."""
        found = self.text(key, required=required)
        if found and found not in allowed:
            self.refuse(key, f"{found!r} is none of {', '.join(allowed)}")
        return found

    def number(self, key: str, *, required: bool = True) -> int | None:
        """Give a number from 1 on."""
        value = self._take(key, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.refuse(key, "must be a number from 1 on")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; none where it is not there."""
        value = self._take(key, required=False)
        if value is None:
            return ()
        if not isinstance(value, list) or not value:
            self.refuse(key, "must be a list of texts, and not an empty one")
        for each in value:
            if not isinstance(each, str) or not each.strip():
                self.refuse(key, f"{each!r} is no text")
        if len(set(value)) < len(value):
            self.refuse(key, "names something twice")
        return tuple(value)

    def words(self, key: str, allowed: tuple[str, ...]) -> frozenset[str]:
        """Give a list of words that are allowed."""
        found = self.texts(key)
        for each in found:
            if each not in allowed:
                self.refuse(key, f"{each!r} is none of {', '.join(allowed)}")
        return frozenset(found)

    def codes(self, key: str) -> tuple[int, ...]:
        """Give a list of HRESULTs, each written 0x and eight digits; it may be empty."""
        if self._left.get(key) == []:
            del self._left[key]
            return ()
        found = self.texts(key)
        for each in found:
            if not _CODE.fullmatch(each):
                self.refuse(key, f"{each!r} is no code: write 0x and eight digits")
        return tuple(int(each, 16) for each in found)

    def version(self, key: str) -> tuple[int, ...] | None:
        """Give a version such as 10.0.14393 or 10.0.19041.985."""
        found = self.text(key, required=False)
        if not found:
            return None
        if not _VERSION.fullmatch(found):
            self.refuse(key, f"{found!r} is no version such as 10.0.14393")
        return tuple(int(each) for each in found.split("."))

    def pattern(self, key: str) -> Expression | None:
        """Give a regular expression, compiled; None where it is not there."""
        value = self._take(key, required=False)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            self.refuse(key, "must be a regular expression")
        if len(value) > _LONGEST_PATTERN:
            self.refuse(key, f"is longer than {_LONGEST_PATTERN} characters")
        try:
            return Expression(re.compile(value), f"{self.file}: {self.place}.{key}")
        except (re.error, OverflowError, RecursionError) as error:
            self.refuse(key, f"is no regular expression: {error}", error)

    def table(self, key: str) -> Table | None:
        """Give a table inside this one; None where it is not there."""
        value = self._take(key, required=False)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(key, "must be a table")
        return Table(self.file, f"{self.place}.{key}" if self.place else key, value)

    def tables(self, key: str) -> Iterator[Table]:
        """Give the tables of a list of tables; none where it is not there."""
        value = self._take(key, required=False)
        if value is None:
            return
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.refuse(key, f"must be tables: [[{key}]]")
        for number, each in enumerate(value, 1):
            yield Table(self.file, f"{key}[{number}]", each)

    def items(self) -> Iterator[tuple[str, str]]:
        """Give all keys that are left with their texts."""
        for key in list(self._left):
            value = self._left.pop(key)
            if not isinstance(value, str):
                self.refuse(key, "must be a text")
            yield key, value

    def _take(self, key: str, *, required: bool) -> object:
        if key not in self._left:
            if required:
                self.refuse(key, "is missing")
            return None
        return self._left.pop(key)
