"""A whole preflight: hosts, images, readiness; and that nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.tool import run
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
    assert "Find out the Windows of CM03" in report.remedies()[0]
    assert "Upgrade CM01 to" in report.remedies()[1]


def test_what_is_not_known_is_asked_for_before_anything_is_upgraded(lab: Lab) -> None:
    first, second, *_ = looked(lab.image("xpress"), "CM03").remedies()
    assert "--provider 'CM03=Server 2016'" in first
    assert second == "Upgrade it if it is older."


def test_nobody_upgrades_for_a_file_that_cannot_be_read(lab: Lab, tmp_path: Path) -> None:
    solid = tmp_path / "install.esd"
    run("wimlib-imagex", "export", lab.image("xpress"), "1", solid, "--solid")
    report = looked(solid, "CM01=6.3.9600", "CM02=Server 2019", "wimdock")
    assert report.ability is Ability.UNKNOWN
    assert report.readiness is Readiness.BLOCKED
    assert report.remedies() == ()


def test_an_image_that_nobody_looked_at_may_fail(lab: Lab) -> None:
    """A run services every image, so none may be left out before it is called ready."""
    image = lab.image("multi")
    report = looked(image, "CM01=Server 2019", indexes=(1,))
    found = check(report, "image-count")
    assert (found.result, report.readiness) == (Result.NOT_CHECKED, Readiness.UNCERTAIN)
    assert "images 2, 3 not looked at" in found.reason
    assert looked(image, "wimdock", indexes=(1,)).readiness is Readiness.READY
    whole = looked(lab.image("multi-check"), "CM01=Server 2019", indexes=(1, 2))
    assert check(whole, "image-count").result is Result.WARNING


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
