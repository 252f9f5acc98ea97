"""What choosing remembers changes no choice, and spares most of the work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.site.updates.made_updates import WINDOWS, document, image, package_id, update_row
from wimdock.errors import NoSuchRecord
from wimdock.site.models import Image, UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates import memory as memory_module
from wimdock.site.updates.choice import Chooser, StoredImage
from wimdock.site.updates.memory import ChoiceMemory
from wimdock.site.updates.ordering import needed
from wimdock.site.updates.selection import Selection

_NAMES = st.sampled_from(["A", "B", "C", "D"])
_VERSIONS = st.integers(1, 3).map("19041.{}.1.1".format)
_PACKAGES = st.builds(package_id, _NAMES, _VERSIONS)
_PARENTS = _PACKAGES | st.just(WINDOWS)


class Shelf:
    """What asks for the packages of an update, in the place of a session."""

    def __init__(self, rows: list[UpdateRow]) -> None:
        """Take the rows that it has."""
        self.rows = {row.id: row for row in rows}
        self.asked = 0

    def scalars(self, query: Any) -> Any:
        self.asked += 1
        (self._id,) = query.compile().params.values()
        return self

    def one(self) -> Any:
        return self.rows[self._id].packages


def row(number: int, root: str, parent: str, child: str, parent_of_child: str) -> UpdateRow:
    """Give an update that brings something only where its child is for the image."""
    return update_row(
        number,
        document(root, parents=(parent,), children=(child,), components=0, deep=True),
        document(child, parents=(parent_of_child,), root=False),
    )


def order(
    memory: ChoiceMemory, shelf: Shelf, target: Image, *, newest_only: bool
) -> list[tuple[int, int]]:
    session = cast("Session", shelf)
    candidates = {number: memory.candidate(session, each) for number, each in shelf.rows.items()}
    read = partial(StoredImage.of, target)
    found = memory.needed(candidates, target, read, newest_only=newest_only)
    return [(each.candidate.id, each.turn) for each in found]


def fresh(shelf: Shelf, target: Image, *, newest_only: bool) -> list[tuple[int, int]]:
    """Choose without remembering anything."""
    session = cast("Session", shelf)
    candidates = [ChoiceMemory().candidate(session, each) for each in shelf.rows.values()]
    found = needed(candidates, StoredImage.of(target), newest_only=newest_only)
    return [(each.candidate.id, each.turn) for each in found]


@given(
    st.lists(st.tuples(_PACKAGES, _PARENTS, _PACKAGES, _PARENTS), max_size=6),
    st.lists(
        st.tuples(st.sets(_PACKAGES, max_size=4), st.sampled_from(["amd64", "arm64"])), max_size=6
    ),
    st.booleans(),
)
def test_what_is_remembered_changes_nothing(
    updates: list[tuple[str, str, str, str]],
    images: list[tuple[set[str], str]],
    newest_only: bool,  # noqa: FBT001 - hypothesis gives it by position
) -> None:
    shelf = Shelf([row(number, *each) for number, each in enumerate(updates)])
    memory = ChoiceMemory()
    for installed, architecture in images:
        target = image(*sorted(installed), architecture=architecture)
        assert order(memory, shelf, target, newest_only=newest_only) == fresh(
            shelf, target, newest_only=newest_only
        )


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Give a list that gets what is judged and not remembered."""
    found: list[object] = []
    whole: Callable[..., Any] = needed

    def counted(candidates: Any, target: Any, **options: Any) -> Any:
        found.append(target)
        return whole(candidates, target, **options)

    monkeypatch.setattr(memory_module, "needed", counted)
    return found


def test_images_that_are_alike_are_judged_once(judged: list[object]) -> None:
    root, child = package_id("A", "19041.1.1.1"), package_id("B", "19041.1.1.1")
    shelf = Shelf([row(1, root, WINDOWS, child, WINDOWS)])
    memory = ChoiceMemory()
    for number in range(5):
        other = package_id(f"Language-{number}", "19041.1.1.1")
        assert order(memory, shelf, image(other), newest_only=False) == [(1, 0)]
    assert (len(judged), shelf.asked) == (1, 1)
    assert order(memory, shelf, image(root), newest_only=False) == []
    assert order(memory, shelf, image(child), newest_only=False) == []
    assert order(memory, shelf, image(architecture="arm64"), newest_only=False) == []
    assert len(judged) == 4


def test_what_is_remembered_outlives_a_transaction_that_is_undone(site: Site) -> None:
    with site.writing() as session:
        for number in (1, 2):
            root = package_id(f"Feature-{number}", "19041.1.1.1")
            session.add(update_row(number, document(root)))
    memory, every = ChoiceMemory(), Selection(all_applicable=True)
    undone = NoSuchRecord("undone")

    def chosen(*, undo: bool) -> list[int]:
        with suppress(NoSuchRecord), site.writing() as session:
            found = Chooser(session, every, site.now(), memory).choose([image()])
            if undo:
                raise undone
        return [each.id for each in found]

    assert chosen(undo=True) == chosen(undo=False) == [1, 2]
