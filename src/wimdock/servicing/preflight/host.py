"""Whether a host can commit an image: the one rule that preflight, mounts and rehearsal share.

A host commits by capturing the mounted directory again, so it must be able to carry every reparse
point. The rule, and what is known and what is assumed of it: docs/decisions/0006-who-can-commit.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wimdock.reparse.hosts import SERVER_2012, SERVER_2016, Build
from wimdock.reparse.judgement import Judgement, Strength, judge
from wimdock.reparse.owner import Owner

if TYPE_CHECKING:
    from wimdock.image.reparse_points import ReparsePoint
    from wimdock.paths import ImagePath
    from wimdock.reparse.data import ReparseValue
    from wimdock.reparse.tags import Tag

CARRIES_WINDOWS_10 = SERVER_2016
"""From this build on a host carries the reparse points of Windows 10 through a commit."""

OLDEST_ASKED = SERVER_2012
"""A host whose build nobody knows is judged as this one: the oldest that the article names."""

EXAMPLES = 5
"""So many paths of a kind are kept."""


class Ability(Enum):
    """Whether a host can commit an image; the value is for people and for JSON."""

    CAN_COMMIT = "can commit"
    CANNOT = "cannot commit"
    UNKNOWN = "unknown"


_WORST_FIRST = (Ability.CANNOT, Ability.UNKNOWN, Ability.CAN_COMMIT)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Reparse points of one owner that trouble a host for one reason, and the first few of them."""

    owner: Owner
    tag: Tag
    strength: Strength
    reason: str
    count: int
    examples: tuple[ImagePath, ...]


@dataclass(frozen=True, slots=True)
class HostVerdict:
    """Whether a host can commit one image, and why, in a sentence.

    `strong` counts the reparse points that it does not know, `weak` those it knows with data of an
    unusual kind; `troubles` groups both, strong ones first. Of a host that can commit they are
    worth knowing and no obstacle.
    """

    host: Build | None
    ability: Ability
    reason: str
    strong: int = 0
    weak: int = 0
    troubles: tuple[Trouble, ...] = ()

    @property
    def can_commit(self) -> bool:
        """Tell whether it surely can."""
        return self.ability is Ability.CAN_COMMIT


def worst_of(verdicts: Iterable[HostVerdict]) -> HostVerdict | None:
    """Give the worst of several verdicts, None for none."""
    return min(verdicts, key=lambda verdict: _WORST_FIRST.index(verdict.ability), default=None)


class Alike(NamedTuple):
    """A number of reparse points that hosts judge alike: one's value, and the first few paths."""

    tag: Tag
    owner: Owner
    value: ReparseValue
    number: int
    examples: tuple[ImagePath, ...]


def judge_host(
    points: Iterable[ReparsePoint], host: Build | None, *, is_wimdock: bool = False
) -> HostVerdict:
    """Judge a host by the reparse points of an image; `host` is None where its build is not known.

    wimdock itself captures nothing again, and can commit whatever the image holds.
    """
    each = (Alike(point.tag, point.owner, point.value, 1, (point.path,)) for point in points)
    return judge_alike(each, host, is_wimdock=is_wimdock)


def judge_alike(
    groups: Iterable[Alike], host: Build | None, *, is_wimdock: bool = False
) -> HostVerdict:
    """Judge a host as `judge_host` does, by reparse points that were summed up before."""
    if is_wimdock:
        reason = "wimdock edits the image in place and never captures it again."
        return HostVerdict(host, Ability.CAN_COMMIT, reason)
    found = _Found()
    # A compressed image has a hundred thousand reparse points of a handful of values.
    known: dict[tuple[int, ReparseValue, Owner], Judgement | None] = {}
    for group in groups:
        key = group.tag.value, group.value, group.owner
        if key not in known:
            known[key] = judge(*key, host or OLDEST_ASKED)
        found.add(group, known[key])
    ability, reason = _unknown_build(found) if host is None else _known_build(found, host)
    return HostVerdict(host, ability, reason, found.strong, found.weak, found.troubles())


@dataclass(slots=True)
class _Group:
    count: int = 0
    examples: list[ImagePath] = field(default_factory=list)


class _Found:
    """The reparse points of an image, counted by how they trouble a host."""

    def __init__(self) -> None:
        self.strong = 0
        self.weak = 0
        self.foreign = 0  # those that are not Windows' own, or not as it makes them
        self.groups: dict[tuple[Strength, Owner, Tag, str], _Group] = {}

    def add(self, alike: Alike, judgement: Judgement | None) -> None:
        if alike.owner is not Owner.WINDOWS or judgement is not None:
            self.foreign += alike.number
        if judgement is None:
            return
        if judgement.strength is Strength.STRONG:
            self.strong += alike.number
        else:
            self.weak += alike.number
        key = (judgement.strength, alike.owner, alike.tag, judgement.reason)
        group = self.groups.setdefault(key, _Group())
        group.count += alike.number
        if len(group.examples) < EXAMPLES:
            group.examples += alike.examples[: EXAMPLES - len(group.examples)]

    def newer_kinds(self) -> str:
        """Name the kinds that the host does not know, the commonest first."""
        kinds: Counter[str] = Counter()
        for (strength, _, tag, _), group in self.groups.items():
            if strength is Strength.STRONG:
                kinds[tag.name] += group.count
        return ", ".join(f"{count:,} {name}" for name, count in kinds.most_common())

    def troubles(self) -> tuple[Trouble, ...]:
        found = [
            Trouble(owner, tag, strength, reason, group.count, tuple(group.examples))
            for (strength, owner, tag, reason), group in self.groups.items()
        ]

        def rank(trouble: Trouble) -> tuple[bool, int, str, int]:
            weak = trouble.strength is Strength.WEAK
            return weak, -trouble.count, trouble.owner.value, trouble.tag.value

        return tuple(sorted(found, key=rank))


def _known_build(found: _Found, host: Build) -> tuple[Ability, str]:
    if host >= CARRIES_WINDOWS_10:
        reason = "Microsoft says that Server 2016 and later carry the reparse points of Windows 10"
        if found.strong:
            verb = "is" if found.strong == 1 else "are"
            reason += f"; {_points(found.strong)} {verb} of a kind newer than {host.name} ("
            reason += f"{found.newer_kinds()})"
        return Ability.CAN_COMMIT, f"{reason}."
    if found.strong:
        ends = "a commit ends with 0x800700A1"
        return Ability.CANNOT, f"{host.name} does not know {_points(found.strong)}: {ends}."
    if found.weak:
        kind = "it knows their kind, but their data or target is unusual"
        one = "it knows its kind, but its data or target is unusual"
        why = one if found.weak == 1 else kind
        return Ability.UNKNOWN, f"{_points(found.weak)} may stop a commit on {host.name}: {why}."
    return Ability.CAN_COMMIT, f"{host.name} knows every reparse point of the image."


def _unknown_build(found: _Found) -> tuple[Ability, str]:
    if not found.foreign:
        reason = "no Windows is troubled: the image has no reparse points but Windows' own links."
        return Ability.CAN_COMMIT, reason
    reason = f"the image has {_points(found.foreign)} and the build of the host is not known."
    return Ability.UNKNOWN, reason


def _points(count: int) -> str:
    return f"{count:,} reparse point{'' if count == 1 else 's'}"
