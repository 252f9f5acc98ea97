"""Preflight's verdict and the rehearsal's outcome agree: every lab image, every host build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.image import RECIPES
from tests.lab.lab import Lab
from tests.rehearsal.conftest import Rehearse
from wimdock.errors import CommitFailed
from wimdock.image.reparse_points import reparse_points
from wimdock.rehearsal.report import Ending
from wimdock.reparse.hosts import NAMES, SERVER_2012, SERVER_2012_R2, SERVER_2016, Build
from wimdock.servicing.mounts import unmount
from wimdock.servicing.preflight.host import Ability, judge_host
from wimdock.wim import Archive

_WORST = (Ability.CANNOT, Ability.UNKNOWN, Ability.CAN_COMMIT)
_ENDINGS = {
    Ability.CANNOT: Ending.FAILED,
    Ability.UNKNOWN: Ending.PERHAPS,
    Ability.CAN_COMMIT: Ending.COMMITTED,
}


def verdicts(image: Path, build: Build | None, *, is_wimdock: bool) -> list[Ability]:
    """Give what preflight says of each image in a file, without a rehearsal."""
    with Archive.open(image) as archive:
        return [
            judge_host(reparse_points(archive.image(index)), build, is_wimdock=is_wimdock).ability
            for index in range(1, archive.image_count + 1)
        ]


@pytest.mark.parametrize("recipe", RECIPES)
def test_preflight_and_rehearsal_agree(lab: Lab, play: Rehearse, recipe: str) -> None:
    image = lab.image(recipe)
    endings = set()
    for build in (*NAMES, None):
        said = verdicts(image, build, is_wimdock=build is None)
        worst = min(said, key=_WORST.index)
        report = play(image, "wimdock" if build is None else f"CM01={build}")
        assert report.ending is _ENDINGS[worst], (build, report)
        reached = [verdict.ability for _, verdict in report.verdicts]
        assert reached == said[: len(reached)]
        endings.add(report.ending)
        if report.ending is Ending.FAILED:
            assert isinstance(report.error, CommitFailed)
            assert report.error.hresult == 0x800700A1
            assert report.mount_directory is not None
            unmount(report.mount_directory, commit=False)
    assert {Ending.COMMITTED, Ending.FAILED} <= endings


def test_the_articles_servers(lab: Lab) -> None:
    image = lab.image("xpress")
    for build, ability in (
        (SERVER_2012, Ability.CANNOT),
        (SERVER_2012_R2, Ability.CANNOT),
        (SERVER_2016, Ability.CAN_COMMIT),
    ):
        assert verdicts(image, build, is_wimdock=False) == [ability]
