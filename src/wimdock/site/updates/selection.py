"""Which updates a schedule puts in: named ones, or a rule. Pure; `choice.py` looks them up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from wimdock.errors import ScheduleError

LONGEST_AGE = 36_500
"""No age in days is larger."""

LARGEST_ID = (1 << 31) - 1
"""No update has a larger number: it is one of 32 bits in Configuration Manager."""

_KB = re.compile(r"(?:KB)?([0-9]{1,8})", re.IGNORECASE | re.ASCII)
_LONGEST_WORD = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """The updates of a schedule.

    `ids` are named by their numbers in the library and are taken whatever is known of them, but for
    retired ones. All else is a rule: it takes of the library what is neither retired nor
    unsupported, is applicable to one of the images, and fits every condition given.
    `all_applicable` adds no condition; `newest_per_family` keeps the highest version of each
    family; `kbs` are such as "KB5000802"; ages are in days, counted from the newest date that the
    update's file tells, or from its import where it tells none; `classifications` are such as
    "Security Update".
    """

    ids: tuple[int, ...] = ()
    all_applicable: bool = False
    newest_per_family: bool = False
    kbs: tuple[str, ...] = ()
    min_age_days: int | None = None
    max_age_days: int | None = None
    classifications: tuple[str, ...] = ()

    @property
    def is_rule(self) -> bool:
        """Tell whether updates are found by a rule, besides those that are named."""
        ages = (self.min_age_days, self.max_age_days)
        return (
            self.all_applicable
            or self.newest_per_family
            or bool(self.kbs or self.classifications)
            or any(age is not None for age in ages)
        )

    def check(self) -> Self:
        """Give itself, or raise ScheduleError where it takes nothing or contradicts itself."""
        if not self.ids and not self.is_rule:
            message = "the schedule names no update and no rule that finds one"
            raise ScheduleError(message, hint="Name updates by their IDs, or choose all.")
        if (
            self.min_age_days is not None
            and self.max_age_days is not None
            and self.min_age_days > self.max_age_days
        ):
            message = (
                f"no update is at least {self.min_age_days} and at most {self.max_age_days} days "
                "old"
            )
            raise ScheduleError(message, hint="Turn the two ages round.")
        return self

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it: what differs from the default."""
        document: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                document[field.name] = list(value) if isinstance(value, tuple) else value
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what `to_document` gives, or a person wrote; ScheduleError where it is wrong."""
        unknown = sorted(set(document) - {field.name for field in fields(cls)})
        if unknown:
            message = f"a selection of updates has no {unknown[0]!r}"
            raise ScheduleError(message)
        return cls(
            ids=tuple(dict.fromkeys(_id(value) for value in _list(document, "ids"))),
            all_applicable=_flag(document, "all_applicable"),
            newest_per_family=_flag(document, "newest_per_family"),
            kbs=tuple(dict.fromkeys(kb_of(value) for value in _list(document, "kbs"))),
            min_age_days=_age(document, "min_age_days"),
            max_age_days=_age(document, "max_age_days"),
            classifications=tuple(
                dict.fromkeys(_word(value) for value in _list(document, "classifications"))
            ),
        ).check()

    def describe(self) -> str:
        """Say in words what it takes, for people."""
        named = [", ".join(str(update_id) for update_id in self.ids)] if self.ids else []
        if not self.is_rule:
            return named[0] if named else "none"
        conditions = [" or ".join(words) for words in (self.kbs, self.classifications) if words]
        if self.min_age_days is not None:
            conditions.append(f"at least {_days(self.min_age_days)} old")
        if self.max_age_days is not None:
            conditions.append(f"at most {_days(self.max_age_days)} old")
        rule = "the newest of each family" if self.newest_per_family else "all applicable"
        if conditions:
            rule += f" ({', '.join(conditions)})"
        return ", and ".join([*named, rule])


def kb_of(value: object) -> str:
    """Give a KB number as it is stored, `KB5000802`; ScheduleError for what is none."""
    found = _KB.fullmatch(str(value).strip())
    if found is None:
        message = f"{str(value)[:40]!r} is no KB number"
        raise ScheduleError(message, hint="Write it as KB5000802.")
    return f"KB{int(found[1])}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list | tuple):
        message = f"{name} of a selection of updates is no list"
        raise ScheduleError(message)
    return list(value)


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        message = f"{name} of a selection of updates is neither true nor false"
        raise ScheduleError(message)
    return value


def _id(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_ID:
        message = f"{str(value)[:40]!r} is no number of an update"
        raise ScheduleError(message, hint="`wimdock update list` shows the numbers.")
    return value


def _age(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_AGE:
        message = f"{str(value)[:40]!r} is no age in days from 0 to {LONGEST_AGE}"
        raise ScheduleError(message)
    return value


def _word(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST_WORD:
        message = f"{str(value)[:40]!r} is no classification"
        raise ScheduleError(message, hint="`wimdock update list` shows the classifications.")
    return value.strip()
