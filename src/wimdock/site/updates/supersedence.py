"""Which updates of the library replace which: newer ones of the same family, for the same Windows.

A family spans Windows versions: the cumulative updates of all have one name. So a newer update
replaces an older one only where it is for everything that the older one is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from wimdock.site.models import UpdateRow


@dataclass(frozen=True, slots=True)
class Member:
    """An update as a member of its family; `version` is its four numbers."""

    id: int
    family: str
    version: tuple[int, ...]
    targets: frozenset[str]

    def replaces(self, other: Member) -> bool:
        """Tell whether it replaces another."""
        return (
            self.family == other.family
            and self.version > other.version
            and self.targets >= other.targets
        )


def superseded(members: Iterable[Member]) -> dict[int, int]:
    """Give by ID of an update that of the newest one which replaces it."""
    families: dict[str, list[Member]] = {}
    for member in members:
        families.setdefault(member.family, []).append(member)
    found: dict[int, int] = {}
    for family in families.values():
        newest_first = sorted(family, key=lambda each: (each.version, each.id), reverse=True)
        for member in newest_first if len(family) > 1 else ():
            newer = next((each for each in newest_first if each.replaces(member)), None)
            if newer is not None:
                found[member.id] = newer.id
    return found


def members_of(session: Session, family: str | None = None) -> list[Member]:
    """Give the members of a family that are not retired, or of all families."""
    query = select(UpdateRow.id, UpdateRow.family, UpdateRow.version, UpdateRow.targets)
    query = query.where(UpdateRow.retired_at.is_(None))
    if family is not None:
        query = query.where(UpdateRow.family == family)
    return [_member(row) for row in session.execute(query)]


def _member(row: Row[int, str, str, list[str]]) -> Member:
    return Member(row[0], row[1], tuple(map(int, row[2].split("."))), frozenset(row[3]))
