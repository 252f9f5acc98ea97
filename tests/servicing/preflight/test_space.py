"""The room that a run needs: its parts, per volume, compared with what is free."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servicing.preflight.made import check, checks, looked
from tests.servicing.surroundings import cabinet_of
from wimdock.servicing.preflight.check import Result
from wimdock.servicing.preflight.space import Place, check_space, estimate
from wimdock.servicing.preflight.volume import Volume

PARTS = estimate(1000 << 20, 100 << 20, 50 << 20, [(200 << 20, 600 << 20)])
STAGING = (1000 + 200 + 100 + 1200 + 650) << 20
SOURCE = (1000 + 650) << 20
VOLUME = Volume(Path("/x"), Path("/x"), "ext4", frozenset(), 1, 0, 0)


def test_the_parts_add_up() -> None:
    sums = {place: sum(p.size for p in PARTS if p.place is place) for place in Place}
    assert sums == {Place.STAGING: STAGING, Place.SOURCE: SOURCE}


@pytest.mark.parametrize(
    "source, staging, results",
    [
        (SOURCE, STAGING, [Result.PASSED, Result.PASSED]),
        (SOURCE - 1, STAGING, [Result.PASSED, Result.FAILED]),
        (SOURCE, STAGING - 1, [Result.FAILED, Result.PASSED]),
        (0, 0, [Result.FAILED, Result.FAILED]),
    ],
)
def test_two_volumes(source: int, staging: int, results: list[Result]) -> None:
    here = replace(VOLUME, free=source)
    there = replace(VOLUME, free=staging, device=2)
    found = list(check_space(PARTS, here, there))
    assert [each.result for each in found] == results
    assert all(each.failure == 16 for each in found if each.result is Result.FAILED)


@pytest.mark.parametrize("missing, result", [(0, Result.PASSED), (1, Result.FAILED)])
def test_one_volume_needs_both(missing: int, result: Result) -> None:
    volume = replace(VOLUME, free=STAGING + SOURCE - missing)
    (found,) = check_space(PARTS, volume, volume)
    assert found.result is result
    assert "copy of the image file: 1,000 MiB" in found.details


def test_without_staging_nothing_is_uncertain(lab_image: Callable[[str], Path]) -> None:
    report = looked(lab_image("xpress"), "CM01=Server 2019")
    source, staging = checks(report, "free-space")
    assert (source.result, staging.result) == (Result.PASSED, Result.NOT_CHECKED)
    assert not staging.wanted
    assert report.readiness.value == "ready"


def test_updates_count_unpacked(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    image, path = lab_image("xpress"), cabinet_of("plain", tmp_path)
    report = looked(image, "CM01=Server 2019", updates=(path,), staging=tmp_path)
    sizes = {part.what: part.size for part in report.parts}
    assert sizes["copy of the image file"] == image.stat().st_size
    assert sizes["update files"] == path.stat().st_size
    assert sizes["updates unpacked, and their files in the mounted image"] > 2 * path.stat().st_size
    assert check(report, "free-space").result is Result.PASSED


def test_wimdock_alone_needs_no_staging(lab_image: Callable[[str], Path]) -> None:
    report = looked(lab_image("xpress"), "wimdock")
    assert not report.parts
    assert not checks(report, "free-space")
