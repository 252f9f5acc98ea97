"""A whole preflight: hosts, images, readiness; and that nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.servicing.preflight.made import check, looked
from tests.servicing.surroundings import cabinet_of, everything_in, quick
from wimdock.configmgr.provider import Provider
from wimdock.servicing.preflight import Ability
from wimdock.servicing.preflight.check import Result
from wimdock.servicing.preflight.example_hosts import EXAMPLE_HOSTS
from wimdock.servicing.preflight.report import Readiness
from wimdock.servicing.preflight.run import PreflightOptions, preflight

Copies = Callable[[str], Path]


@pytest.mark.parametrize(
    "provider, ability, readiness",
    [
        ("CM01=6.3.9600", Ability.CANNOT, Readiness.BLOCKED),
        ("CM01=Server 2012", Ability.CANNOT, Readiness.BLOCKED),
        ("CM01=10.0.14393", Ability.CAN_COMMIT, Readiness.READY),
        ("CM01=Server 2025", Ability.CAN_COMMIT, Readiness.READY),
        ("CM01", Ability.UNKNOWN, Readiness.UNCERTAIN),
        ("wimdock", Ability.CAN_COMMIT, Readiness.READY),
    ],
)
@pytest.mark.parametrize("recipe", ["xpress", "special"])
def test_hosts(
    lab: Lab, recipe: str, provider: str, ability: Ability, readiness: Readiness
) -> None:
    report = looked(lab.image(recipe), provider)
    assert report.ability is ability
    assert report.readiness is readiness
    assert bool(report.remedies()) is (ability is not Ability.CAN_COMMIT)


def test_the_worst_of_several_hosts_counts(lab: Lab) -> None:
    report = looked(lab.image("xpress"), "CM02=Server 2022", "CM01=6.3.9600", "CM03")
    assert [verdict.ability for verdict in report.verdicts] == [
        Ability.CAN_COMMIT,
        Ability.CANNOT,
        Ability.UNKNOWN,
    ]
    assert report.ability is Ability.CANNOT
    assert "Upgrade CM01, CM03 to" in report.remedies()[0]


def test_remedies_name_the_owners_and_what_does_not_fit(lab: Lab) -> None:
    remedies = " ".join(looked(lab.image("xpress"), "CM01=6.3.9600").remedies())
    assert "Store alias" in remedies
    assert "1709 ADK does not fit" in remedies
    assert "wimdock" in remedies


def test_without_a_host_examples_are_judged(lab: Lab) -> None:
    """Where the examples differ it depends on a host that nobody named: that blocks nothing."""
    report = looked(lab.image("xpress"))
    assert report.hosts == EXAMPLE_HOSTS
    assert not report.named
    abilities = [verdict.ability for verdict in report.verdicts]
    assert abilities == [Ability.CANNOT] * 2 + [Ability.CAN_COMMIT] * 5
    assert report.readiness is Readiness.UNCERTAIN


def test_an_image_without_windows(lab: Lab) -> None:
    report = looked(lab.image("multi"), "CM01=6.3.9600", indexes=(3,))
    assert check(report, "image-contents").result is Result.FAILED
    assert report.ability is Ability.CAN_COMMIT
    assert report.readiness is Readiness.BLOCKED


def test_every_image_counts(lab: Lab) -> None:
    report = looked(lab.image("multi"), "CM01=6.3.9600")
    assert [image.verdicts[0].ability for image in report.images] == [
        Ability.CANNOT,
        Ability.CANNOT,
        Ability.CAN_COMMIT,
    ]
    assert report.images[0].build is not None
    assert report.images[0].build.number == 19041


def test_nothing_is_written(lab: Lab, tmp_path: Path) -> None:
    folder, workspace = tmp_path / "images", tmp_path / "workspace"
    staging = folder / "staging"
    staging.mkdir(parents=True)
    workspace.mkdir()
    image = lab.copy("multi", folder)
    update = cabinet_of("plain", folder)
    before = everything_in(folder), folder.stat().st_mtime_ns
    hosts = (Provider("CM01", None), Provider("wimdock", None))
    options = PreflightOptions((), (update,), hosts, staging)
    preflight(image, options, quick(workspace))
    assert (everything_in(folder), folder.stat().st_mtime_ns) == before
    assert list(workspace.iterdir()) == []
