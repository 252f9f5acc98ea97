"""The updates of the library that a selection takes for given images.

Stored facts are judged, not files; the plan of the run judges once more, on the image itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, defer

from wimdock.errors import NoSuchRecord, ScheduleError
from wimdock.image.packages import state_number
from wimdock.site.models import Image, UpdateRow
from wimdock.site.updates.memory import ChoiceMemory
from wimdock.site.updates.ordering import Candidate, Installed, in_order
from wimdock.site.updates.selection import Selection


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as the site knows it: what is judged in the place of the file."""

    architecture: str
    installed: tuple[Installed, ...]

    @classmethod
    def of(cls, image: Image) -> StoredImage:
        """Take what is stored of an image."""
        installed = tuple(
            Installed(each["id"], state_number(each["state"])) for each in image.packages
        )
        return cls(image.architecture, installed)


class Chooser:
    """Chooses by one selection for any number of image packages, reading the library once."""

    def __init__(
        self,
        session: Session,
        selection: Selection,
        now: datetime,
        memory: ChoiceMemory | None = None,
        *,
        allow_unsigned: bool = True,
    ) -> None:
        """Take the session, which must stay open, the selection, and what ages are counted to.

        `memory` is what other choosers have found out that chose shortly before. Without
        `allow_unsigned`, the rule leaves out what no catalog covers.
        """
        self._allow_unsigned = allow_unsigned
        self._session = session
        self._selection = selection
        self._now = now
        self._memory = ChoiceMemory() if memory is None else memory

    def choose(self, images: Iterable[Image]) -> list[UpdateRow]:
        """Give the updates of the selection for the images of a package, in the order they go in.

        The rows come without `packages`, which can be large. NoSuchRecord where a named update is
        not in the library, ScheduleError where it is retired.

        Order: servicing stacks first, then lower versions before higher ones (of equal ones that
        released earlier); but what only another update makes applicable comes after that one. Named
        updates are put in the same order, and stay where they seem not to be applicable: the run
        says so of them.
        """
        candidates = self._candidates
        newest_only = self._selection.newest_per_family
        orders = [
            self._memory.needed(
                candidates, image, partial(StoredImage.of, image), newest_only=newest_only
            )
            for image in (images if candidates else ())
        ]
        return [self._rows[each.id] for each in in_order(orders, self._named.values())]

    @cached_property
    def _rows(self) -> dict[int, UpdateRow]:
        """All rows that may be chosen, by ID: named ones, and those that fit the conditions."""
        named = _named_rows(self._session, self._selection.ids)
        if not self._selection.is_rule:
            return named
        query = _fitting(self._selection, self._now)
        fitting = [
            row
            for row in self._memory.fitting(self._session, self._selection, query)
            if row.catalogued or self._allow_unsigned
        ]
        # One of those that came with the same identity is enough: a named one, else the latest.
        by_identity = {row.identity.lower(): row for row in fitting}
        for row in named.values():
            by_identity.pop(row.identity.lower(), None)
        return named | {row.id: row for row in by_identity.values()}

    @cached_property
    def _candidates(self) -> dict[int, Candidate]:
        return self._named | self._ruled

    @cached_property
    def _named(self) -> dict[int, Candidate]:
        return {
            each: candidate_of(self._session, self._rows[each], self._memory)
            for each in self._selection.ids
        }

    @cached_property
    def _ruled(self) -> dict[int, Candidate]:
        return {
            row.id: candidate_of(self._session, row, self._memory)
            for row in self._rows.values()
            if row.id not in self._selection.ids
        }


def candidate_of(session: Session, row: UpdateRow, memory: ChoiceMemory | None = None) -> Candidate:
    """Give an update as it is judged; its packages are read late, from the same session."""
    return (memory or ChoiceMemory()).candidate(session, row)


def light_updates() -> Select[UpdateRow]:
    """Select updates without the documents of all their packages."""
    return select(UpdateRow).options(defer(UpdateRow.packages))


def _named_rows(session: Session, ids: Sequence[int]) -> dict[int, UpdateRow]:
    if not ids:
        return {}
    found = {row.id: row for row in session.scalars(light_updates().where(UpdateRow.id.in_(ids)))}
    for update_id in ids:
        row = found.get(update_id)
        if row is None:
            message = f"there is no update {update_id} in the library"
            raise NoSuchRecord(message, hint="`wimdock update list` shows all.")
        if row.retired_at is not None:
            message = f"update {update_id} ({row.title}) is retired"
            raise ScheduleError(message, hint="Name another update, or import its file again.")
    return {update_id: found[update_id] for update_id in ids}


def _fitting(selection: Selection, now: datetime) -> Select[UpdateRow]:
    """Select what fits the conditions of a rule, the earliest import first."""
    query = light_updates().where(UpdateRow.retired_at.is_(None)).order_by(UpdateRow.id)
    if selection.kbs:
        query = query.where(UpdateRow.kb.in_(selection.kbs))
    if selection.classifications:
        words = [word.lower() for word in selection.classifications]
        query = query.where(func.lower(UpdateRow.classification).in_(words))
    at = func.coalesce(UpdateRow.released_at, UpdateRow.imported_at)
    if selection.min_age_days is not None:
        query = query.where(at <= now - timedelta(days=selection.min_age_days))
    if selection.max_age_days is not None:
        query = query.where(at >= now - timedelta(days=selection.max_age_days))
    return query
