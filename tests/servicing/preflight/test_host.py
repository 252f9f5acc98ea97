"""The rule who can commit: by host build, by strength, for wimdock, for an unknown build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wimdock.image.reparse_points import ReparsePoint, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse import tags
from wimdock.reparse.data import Opaque, ReparseValue, SymbolicLink
from wimdock.reparse.hosts import NAMES, SERVER_2012, SERVER_2012_R2, SERVER_2016, Build
from wimdock.reparse.judgement import Strength
from wimdock.reparse.owner import Owner, owner_of
from wimdock.servicing.preflight import Ability, judge_host
from wimdock.wim import Archive


def point(path: str, tag: int, value: ReparseValue | None = None) -> ReparsePoint:
    where = ImagePath(path)
    data = value or Opaque(0, "")
    return ReparsePoint(
        where, tags.tag_of(tag), data, owner_of(where, tag, data), 12, is_directory=False
    )


OWN = point(
    r"\Users\All Users", tags.SYMLINK, SymbolicLink(r"\??\C:\ProgramData", "", relative=False)
)
BROKEN = point(r"\Users\All Users", tags.SYMLINK, Opaque(4, "4 bytes where at least 8 belong"))
PLAIN = point(r"\a\link", tags.SYMLINK, SymbolicLink("b", "b", relative=True))
ALIAS = point(r"\Users\Default\AppData\Local\winget.exe", tags.APPEXECLINK)
OFFICE = point(
    r"\Program Files\Microsoft Office\root\vfs\C2R32.dll",
    tags.SYMLINK,
    SymbolicLink("\\\\?\\C:\\x", "\\\\?\\C:\\x", relative=False),
)
PLACEHOLDER = point(r"\Users\Default\old", tags.FILE_PLACEHOLDER)


@pytest.mark.parametrize(
    "points, build, ability",
    [
        ([], SERVER_2012, Ability.CAN_COMMIT),
        ([OWN, PLAIN], SERVER_2012_R2, Ability.CAN_COMMIT),
        ([ALIAS], SERVER_2012, Ability.CANNOT),
        ([ALIAS, OFFICE], SERVER_2012_R2, Ability.CANNOT),
        ([OWN, OFFICE], SERVER_2012_R2, Ability.UNKNOWN),
        ([PLACEHOLDER], SERVER_2012, Ability.CANNOT),
        ([PLACEHOLDER], SERVER_2012_R2, Ability.CAN_COMMIT),
        ([ALIAS], Build(10, 0, 10586), Ability.CANNOT),
        ([ALIAS, OFFICE], SERVER_2016, Ability.CAN_COMMIT),
        ([ALIAS, OFFICE], Build(10, 0, 26100), Ability.CAN_COMMIT),
        ([OWN], None, Ability.CAN_COMMIT),
        ([], None, Ability.CAN_COMMIT),
        ([OWN, PLAIN], None, Ability.UNKNOWN),
        ([ALIAS], None, Ability.UNKNOWN),
        ([BROKEN], SERVER_2012_R2, Ability.UNKNOWN),
        ([BROKEN], None, Ability.UNKNOWN),
        ([BROKEN], SERVER_2016, Ability.CAN_COMMIT),
    ],
)
def test_rule(points: list[ReparsePoint], build: Build | None, ability: Ability) -> None:
    assert judge_host(points, build).ability is ability


@pytest.mark.parametrize(
    "build, newest_known",
    [
        (SERVER_2012, 0x14),
        (SERVER_2012_R2, 0x17),
        (Build(10, 0, 10240), 0x17),
        (SERVER_2016, 0xFFFF),
        (Build(10, 0, 17763), 0xFFFF),
        (Build(10, 0, 20348), 0xFFFF),
        (Build(10, 0, 26100), 0xFFFF),
    ],
)
def test_every_tag_by_its_number(build: Build, newest_known: int) -> None:
    """Tags are numbered in the order in which Windows got them, whatever their bits say."""
    for value in tags.TAGS:
        known = value & 0xFFFF <= newest_known
        expected = Ability.CAN_COMMIT if known else Ability.CANNOT
        assert judge_host([point(r"\a\b", value)], build).ability is expected, hex(value)


def test_wimdock_can_always_commit() -> None:
    verdict = judge_host([ALIAS, OFFICE], None, is_wimdock=True)
    assert verdict.can_commit
    assert verdict.troubles == ()


def test_troubles_are_grouped_strong_ones_first() -> None:
    verdict = judge_host([OFFICE, OFFICE, ALIAS, PLAIN, OWN], SERVER_2012_R2)
    assert [(t.owner, t.strength, t.count) for t in verdict.troubles] == [
        (Owner.STORE, Strength.STRONG, 1),
        (Owner.OFFICE, Strength.WEAK, 2),
    ]
    assert (verdict.strong, verdict.weak) == (1, 2)
    assert verdict.troubles[0].examples == (ALIAS.path,)


def test_few_examples_of_many() -> None:
    verdict = judge_host([ALIAS] * 100, SERVER_2012)
    assert verdict.troubles[0].count == 100
    assert len(verdict.troubles[0].examples) == 5


def test_newer_kinds_are_told_of_a_host_that_can_commit() -> None:
    verdict = judge_host([ALIAS], SERVER_2016)
    assert verdict.can_commit
    assert verdict.strong == 1
    assert verdict.reason.endswith(
        "; 1 reparse point is of a kind newer than Server 2016 (1 APPEXECLINK)."
    )


def test_ability_never_falls_as_hosts_get_newer(lab_image: Callable[[str], Path]) -> None:
    with Archive.open(lab_image("lzx")) as archive:
        points = tuple(reparse_points(archive.image(1)))
    rank = [Ability.CANNOT, Ability.UNKNOWN, Ability.CAN_COMMIT]
    ranks = [rank.index(judge_host(points, build).ability) for build in NAMES]
    assert ranks == sorted(ranks)
    assert judge_host(points, SERVER_2012_R2).ability is Ability.CANNOT
    assert judge_host(points, SERVER_2016).can_commit
