"""Lists of image packages: a few queries and little time, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from tests.site.timing import quickest
from wimdock.configmgr.provider import parse_provider
from wimdock.servicing.preflight.host import HostVerdict
from wimdock.site.images.adding import add_package
from wimdock.site.images.listing import list_packages
from wimdock.site.images.verdicts import judged_packages
from wimdock.site.models import Image, ImagePackage
from wimdock.site.providers import hosts_of, import_providers
from wimdock.site.site import Site

MANY = 1000
SOON = 0.5


@pytest.fixture
def crowded(site: Site, lab_image: Callable[[str], Path]) -> Site:
    """Give a site with a thousand image packages, each with as many packages as a real one has."""
    add_package(site, lab_image("multi"))
    with site.writing() as session:
        table = ImagePackage.__table__
        (package,) = session.execute(select(table)).mappings().all()
        images = session.execute(select(Image.__table__)).mappings().all()
        installed = [
            {"id": f"Package_{n}~31bf3856ad364e35~amd64~~1.0", "state": "installed"}
            for n in range(500)
        ]
        numbers = range(2, MANY + 1)
        session.execute(
            insert(ImagePackage),
            [dict(package) | {"id": f"CAS{n:05X}", "path": f"/srv/{n}.wim"} for n in numbers],
        )
        session.execute(
            insert(Image),
            [
                dict(image) | {"package_id": f"CAS{n:05X}", "packages": installed}
                for n in numbers
                for image in images
            ],
        )
    return site


@contextmanager
def statements(site: Site) -> Iterator[list[str]]:
    """Give the statements that the block has executed."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if statement != "BEGIN":
            found.append(statement)

    event.listen(site.database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(site.database.engine, "before_cursor_execute", note)


def test_a_thousand_are_listed_soon(crowded: Site) -> None:
    with statements(crowded) as executed:
        found = list_packages(crowded)
    assert len(executed) == 2
    assert quickest(lambda: list_packages(crowded)) < SOON
    assert len(found) == MANY
    assert [each.id for each in found] == sorted(each.id for each in found)
    assert found[-1].architectures == ("amd64",)
    assert found[-1].versions == ("10.0.19041.388",)
    assert [image.index for image in found[-1].images] == [1, 2, 3]


def test_a_thousand_are_judged_soon(crowded: Site) -> None:
    names = ("CM01=Server 2012", "CM02=6.3.9600", "CM03=Server 2016", "CM04=Server 2025", "CM05")
    import_providers(crowded, [parse_provider(name) for name in names])
    with crowded.reading() as session:
        hosts = hosts_of(session)

    def judge() -> list[list[HostVerdict]]:
        packages = judged_packages(crowded)
        return [[package.verdict(host) for host in hosts] for package in packages]

    with statements(crowded) as executed:
        verdicts = judge()
    assert len(executed) == 1
    assert quickest(judge) < SOON
    assert len(verdicts) == MANY
    words = ["CANNOT", "CANNOT", "CAN_COMMIT", "CAN_COMMIT", "UNKNOWN"]
    assert all([each.ability.name for each in row] == words for row in verdicts)


def test_an_image_that_could_not_be_read_is_not_judged(
    site: Site, lab_image: Callable[[str], Path]
) -> None:
    add_package(site, lab_image("multi"))
    with site.writing() as session:
        row = session.get_one(Image, ("CAS00001", 3))
        row.unreadable, row.reparse = "its metadata are damaged", []
    (package,) = judged_packages(site, ["CAS00001"])
    old, new, ours = (parse_provider(t) for t in ("A=6.3.9600", "B=Server 2019", "wimdock"))
    assert [each.ability.name for each in package.verdicts(new)] == [
        "CAN_COMMIT",
        "CAN_COMMIT",
        "UNKNOWN",
    ]
    assert package.verdict(new).ability.name == "UNKNOWN"
    assert package.verdict(old).ability.name == "CANNOT"
    assert package.verdict(ours).can_commit
