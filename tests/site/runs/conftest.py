"""Image packages and runs without files, for what only the database decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wimdock.site.models import Image, ImagePackage, PackageType, Run
from wimdock.site.runs.create import RunRequest, create_run
from wimdock.site.runs.queue import WorkerOffer, register_worker
from wimdock.site.site import Site


@pytest.fixture
def add_package(site: Site) -> Callable[..., str]:
    """Give a function that puts an image package into the database."""
    count = 0

    def add(storage: str = "", architecture: str = "amd64") -> str:
        nonlocal count
        count += 1
        package_id = f"CAS{count:05X}"
        with site.writing() as session:
            package = ImagePackage(
                id=package_id,
                type=PackageType.OS_IMAGE,
                name=package_id,
                storage=storage,
                path=f"/images/{package_id}.wim",
                header="00" * 208,
                length=1,
                preflight={},
                added_at=site.now(),
                read_at=site.now(),
            )
            image = Image(
                index=1,
                name="Windows",
                description="",
                edition="",
                version="10.0.19041.1",
                architecture=architecture,
                languages=[],
                size=1,
                packages=[],
                reparse=[],
            )
            package.images.append(image)
            session.add(package)
        return package_id

    return add


@pytest.fixture
def add_run(site: Site) -> Callable[..., int]:
    """Give a function that makes a run for an image package."""

    def add(package_id: str, **others: Any) -> int:
        with site.writing() as session:
            package = session.get_one(ImagePackage, package_id)
            run = create_run(session, site, RunRequest(package, [], **others))
            assert run is not None
        return run.id

    return add


@pytest.fixture
def add_worker(site: Site) -> Callable[..., str]:
    """Give a function that registers a worker."""

    def add(**others: Any) -> str:
        return register_worker(site, WorkerOffer("host", "boot", 1, **others))

    return add


@pytest.fixture
def run_now(site: Site) -> Callable[[int], Run]:
    """Give a function that reads a run as it is now."""

    def read(run_id: int) -> Run:
        with site.reading() as session:
            return session.get_one(Run, run_id)

    return read
