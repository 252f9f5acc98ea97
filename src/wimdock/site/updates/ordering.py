"""The order in which updates are put in, and which of a family an image needs. Pure.

Servicing stacks come first, then lower versions before higher ones (of equal versions the one
released earlier); and no update comes before another that makes it applicable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from wimdock.cbs.applicability import InstalledPackageLike, Judge, PackageState
from wimdock.cbs.identity import Version
from wimdock.cbs.update import Update


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An update that may be put in.

    `roots` are its packages, one for each root of the file, without their children; `whole` gives
    them with all children, which is asked only where a root is applicable.
    """

    id: int
    family: str
    version: Version
    stack: bool
    at: datetime
    roots: tuple[Update, ...]
    whole: Callable[[], tuple[Update, ...]]

    @property
    def rank(self) -> tuple[bool, Version, datetime, int]:
        """What it is ordered by."""
        return (not self.stack, self.version, self.at, self.id)


@dataclass(frozen=True, slots=True)
class Installed:
    """A package of an image: its ID and its CurrentState."""

    id: str
    state: int


class ImageLike(Protocol):
    """What an image is judged by."""

    @property
    def architecture(self) -> str:
        """Its architecture, such as "amd64"."""

    @property
    def installed(self) -> Sequence[InstalledPackageLike]:
        """Its packages."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """A candidate that an image needs. `turn` is 0, or more where it waits for another one."""

    candidate: Candidate
    turn: int


def needed(
    candidates: Iterable[Candidate], image: ImageLike, *, newest_only: bool = False
) -> list[InTurn]:
    """Give those that are applicable to an image, in the order in which they go in.

    Each is judged as the image is with those before it. With `newest_only`, of each family the
    highest version that is applicable, and older ones only where it is not without them.
    """
    chosen = _in_turn(candidates, image)
    if not newest_only:
        return chosen
    families: dict[str, list[Candidate]] = {}
    for each in sorted((each.candidate for each in chosen), key=_rank, reverse=True):
        families.setdefault(each.family, []).append(each)
    count = dict.fromkeys(families, 1)
    while True:
        kept = [each for name, family in families.items() for each in family[: count[name]]]
        found = _in_turn(kept, image)
        ids = {each.candidate.id for each in found}
        short = [name for name, family in families.items() if family[0].id not in ids]
        growing = [name for name in short if count[name] < len(families[name])]
        # What it asks for may be an older one of another family.
        growing = growing or [name for name in families if count[name] < len(families[name])]
        if not short or not growing:
            return found
        for name in growing:
            count[name] += 1


def in_order(images: Iterable[Sequence[InTurn]], others: Iterable[Candidate]) -> list[Candidate]:
    """Give one order for several images, each candidate once, the `others` among them.

    What waits for another in one image is late in all; what no image needs comes in its rank.
    """
    latest: dict[int, InTurn] = {}
    for each in (each for image in images for each in image):
        known = latest.get(each.candidate.id)
        if known is None or each.turn > known.turn:
            latest[each.candidate.id] = each
    for candidate in others:
        latest.setdefault(candidate.id, InTurn(candidate, 0))
    ordered = sorted(latest.values(), key=lambda each: (each.turn, each.candidate.rank))
    return [each.candidate for each in ordered]


def _rank(candidate: Candidate) -> tuple[bool, Version, datetime, int]:
    return candidate.rank


def _in_turn(candidates: Iterable[Candidate], image: ImageLike) -> list[InTurn]:
    judge = Judge(image.installed, image.architecture)
    waiting = sorted(candidates, key=_rank)
    chosen: list[InTurn] = []
    turn = 0
    while waiting:
        left: list[Candidate] = []
        for each in waiting:
            if _put_in(judge, each):
                chosen.append(InTurn(each, turn))
            else:
                left.append(each)
        if len(left) == len(waiting):
            break
        waiting = left
        turn += 1
    return chosen


def _put_in(judge: Judge, candidate: Candidate) -> bool:
    """Tell whether a candidate is applicable; if so the judge has its packages from now on."""
    if not any(judge.package(update.root).is_applicable for update in candidate.roots):
        return False
    brought = False
    for update in candidate.whole():
        answer = judge.judge(update)
        if answer.is_applicable:
            brought = True
            for package in answer.packages:
                judge.add(package.id, PackageState.INSTALLED)
    return brought
