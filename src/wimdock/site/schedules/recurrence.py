"""When a schedule is due: the recurrence that its document describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from wimdock.errors import ScheduleError
from wimdock.site.schedules.cron import Cron
from wimdock.site.schedules.patch_tuesday import PatchTuesday
from wimdock.site.schedules.rule import Rule
from wimdock.site.schedules.token import Tokens
from wimdock.site.schedules.words import text_in
from wimdock.site.schedules.zone import FIRST_YEAR, LAST_YEAR, Instant, instant_of


class Recurrence(Protocol):
    """What all recurrences give."""

    kind: str

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""

    def describe(self) -> str:
        """Say in words when it is due, for people."""

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the instants later than `after`, in order; it may never end."""


@dataclass(frozen=True, slots=True)
class Now:
    """Due when it is asked for, and at no other time."""

    kind = "now"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Now:
        """Read what `to_document` gives."""
        del document
        return cls()

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind}

    def describe(self) -> str:
        """Say in words when it is due."""
        return "when it is run by hand"

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give none."""
        del after, zone
        yield from ()


@dataclass(frozen=True, slots=True)
class Once:
    """Due once: `at` is a time on the clock of the schedule's zone, or an instant (aware)."""

    at: datetime

    kind = "once"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Once:
        """Read what `to_document` gives; ScheduleError where it is wrong."""
        return cls.parse(text_in(document, "at"))

    @classmethod
    def parse(cls, text: str) -> Once:
        """Read a time in ISO 8601; ScheduleError where it is none."""
        hint = "Write it as 2026-11-10T22:00, or with Z or an offset from UTC at the end."
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError as error:
            message = f"{text[:40]!r} is no time"
            raise ScheduleError(message, hint=hint) from error
        if not FIRST_YEAR <= at.year <= LAST_YEAR:
            message = f"the year of {text[:40]!r} is not from {FIRST_YEAR} to {LAST_YEAR}"
            raise ScheduleError(message, hint=hint)
        at = at.replace(microsecond=0)
        return cls(at if at.tzinfo is None else at.astimezone(UTC))

    def to_document(self) -> dict[str, Any]:
        """Give what is stored of it."""
        return {"kind": self.kind, "at": self.at.isoformat()}

    def describe(self) -> str:
        """Say in words when it is due."""
        return f"once, at {self.at:%Y-%m-%d %H:%M}{'' if self.at.tzinfo is None else ' UTC'}"

    def instants(self, after: datetime, zone: ZoneInfo) -> Iterator[Instant]:
        """Give the one instant, if it is later than `after`."""
        found = instant_of(self.at, zone) if self.at.tzinfo is None else Instant(self.at)
        if found.at > after:
            yield found


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Recurrence]] = {
    Now.kind: Now.from_document,
    Once.kind: Once.from_document,
    Cron.kind: Cron.from_document,
    Rule.kind: Rule.from_document,
    PatchTuesday.kind: PatchTuesday.from_document,
    Tokens.kind: Tokens.from_document,
}


def read_recurrence(document: Mapping[str, Any]) -> Recurrence:
    """Read the document of a recurrence; ScheduleError where it is wrong."""
    read = _KINDS.get(str(document.get("kind", "")))
    if read is None:
        message = f"{str(document.get('kind', ''))[:40]!r} is no kind of recurrence"
        raise ScheduleError(message, hint=f"It is one of {', '.join(_KINDS)}.")
    return read(document)
