"""Bounds of host and image: they hold, do not hold, or it is not known."""

from __future__ import annotations

import pytest

from wimdock.doctor.bounds import Surroundings, holds
from wimdock.doctor.image_facts import ImageFacts
from wimdock.doctor.rule import Bounds
from wimdock.reparse.hosts import SERVER_2012_R2, SERVER_2019, Build

OLD_HOST = Bounds(host_before=(10, 0, 14393))
SERVICED = Bounds(image_from=(10, 0, 19041, 985), image_before=(10, 0, 19042))


@pytest.mark.parametrize(
    "hosts, answer",
    [
        ((), None),
        ((None,), None),
        ((SERVER_2012_R2,), True),
        ((SERVER_2019,), False),
        ((SERVER_2012_R2, Build(6, 2, 9200)), True),
        ((SERVER_2012_R2, SERVER_2019), None),
        ((SERVER_2012_R2, None), None),
    ],
)
def test_hosts(hosts: tuple[Build | None, ...], answer: bool | None) -> None:  # noqa: FBT001
    assert holds(OLD_HOST, Surroundings(hosts)) is answer


@pytest.mark.parametrize(
    "version, answer",
    [
        ((10, 0, 19041, 985), True),
        ((10, 0, 19041, 984), False),
        ((10, 0, 19042, 1), False),
        ((10, 0, 19041), None),
        ((10, 0, 18362), False),
        (None, None),
    ],
)
def test_images(version: tuple[int, ...] | None, answer: bool | None) -> None:  # noqa: FBT001
    assert holds(SERVICED, Surroundings((), ImageFacts(version))) is answer


def test_what_is_false_decides_and_what_is_not_known_does_not() -> None:
    both = Bounds(host_before=(10, 0, 14393), image_before=(10, 0, 17134))
    assert holds(both, Surroundings((SERVER_2019,))) is False
    assert holds(both, Surroundings((SERVER_2012_R2,))) is None


@pytest.mark.parametrize("trouble, answer", [("strong", True), ("none", False), (None, None)])
def test_reparse_points(trouble: str | None, answer: bool | None) -> None:  # noqa: FBT001
    image = ImageFacts((10, 0, 19045, 1), trouble)
    assert holds(Bounds(image_reparse="strong"), Surroundings((), image)) is answer
    assert holds(Bounds(image_reparse="strong"), Surroundings()) is None
