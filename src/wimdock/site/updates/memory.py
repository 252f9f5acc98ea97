"""What choosing has found out, kept for the next image: the packages of updates, and choices.

Which updates an image needs depends on its architecture and on those of its packages that an
update asks about: of the family of one of its packages or of one of their parents. Images that are
alike in these need the same. A site has thousands of images, and few kinds of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC
from functools import partial

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from wimdock.cbs.applicability import family_of
from wimdock.cbs.identity import Version
from wimdock.cbs.update import Update
from wimdock.site.models import Image, UpdateRow
from wimdock.site.updates.ordering import Candidate, ImageLike, InTurn, needed
from wimdock.site.updates.selection import Selection
from wimdock.site.updates.stored import stored_updates

_Key = tuple[tuple[int, ...], bool, str, tuple[tuple[str, str], ...]]


class ChoiceMemory:
    """Keeps what does not change while it lives, such as for one tick, over any sessions.

    Rules are as old as it is: an update that is imported or retired meanwhile counts the next time.
    """

    def __init__(self) -> None:
        """Start with nothing."""
        self._fitting: dict[Selection, list[UpdateRow]] = {}
        self._candidates: dict[int, Candidate] = {}
        self._wholes: dict[int, tuple[Update, ...]] = {}
        self._families: set[str] = set()
        self._choices: dict[_Key, tuple[tuple[int, int], ...]] = {}

    def fitting(
        self, session: Session, selection: Selection, query: Select[UpdateRow]
    ) -> list[UpdateRow]:
        """Give the rows that fit the conditions of a rule, which `query` asks for, and can be used.

        They belong to no session, so that they outlive any.
        """
        rule = replace(selection, ids=())
        if rule not in self._fitting:
            rows = [row for row in session.scalars(query) if not row.unsupported]
            for row in rows:
                session.expunge(row)
            self._fitting[rule] = rows
        return self._fitting[rule]

    def candidate(self, session: Session, row: UpdateRow) -> Candidate:
        """Give an update as it is judged; its packages are read late, from this session."""
        known = self._candidates.get(row.id)
        if known is None:
            known = self._candidates[row.id] = Candidate(
                id=row.id,
                family=row.family,
                version=Version.parse(row.version),
                stack=row.stack,
                at=(row.released_at or row.imported_at).astimezone(UTC),
                roots=self._noted(stored_updates(row.file_name, row.roots)),
                whole=tuple,
            )
        return replace(known, whole=partial(self._whole, session, row))

    def _whole(self, session: Session, row: UpdateRow) -> tuple[Update, ...]:
        """Give the roots of an update with all their children, read when first asked for."""
        if row.id not in self._wholes:
            query = select(UpdateRow.packages).where(UpdateRow.id == row.id)
            documents = session.scalars(query).one()
            self._wholes[row.id] = self._noted(stored_updates(row.file_name, documents))
        return self._wholes[row.id]

    def needed(
        self,
        candidates: Mapping[int, Candidate],
        row: Image,
        image: Callable[[], ImageLike],
        *,
        newest_only: bool,
    ) -> list[InTurn]:
        """Give what `wimdock.site.updates.ordering.needed` gives for the image of a row.

        The candidates, by their IDs, must have their packages from here.
        """
        ids = tuple(candidates)
        known = self._choices.get(self._key(ids, row, newest_only=newest_only))
        if known is not None:
            return [InTurn(candidates[each], turn) for each, turn in known]
        found = needed(candidates.values(), image(), newest_only=newest_only)
        # By now the families are known of all that was asked about: this is what made the choice.
        key = self._key(ids, row, newest_only=newest_only)
        self._choices[key] = tuple((each.candidate.id, each.turn) for each in found)
        return found

    def _key(self, ids: tuple[int, ...], row: Image, *, newest_only: bool) -> _Key:
        families = self._families
        asked = (
            (each["id"], each["state"])
            for each in row.packages
            if (known := family_of(each["id"])) is not None and known[0] in families
        )
        return ids, newest_only, row.architecture, tuple(asked)

    def _noted(self, updates: Iterable[Update]) -> tuple[Update, ...]:
        """Note the families that judging these can ask about."""
        made = tuple(updates)
        for package in (each for update in made for each in update.packages):
            self._families.add(package.identity.package_family.lower())
            self._families.update(
                identity.package_family.lower()
                for parent in package.manifest.parents
                for identity in parent.identities
            )
        return made
