"""Image packages to be distributed, and a real S3 server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.site.distribution.distributing import ServedImage, register
from tests.site.distribution.object_server import ObjectServer
from wimdock.site.distribution import add_point
from wimdock.site.site import Site


@pytest.fixture
def served(site: Site, lab_image: Callable[[str], Path], tmp_path: Path) -> ServedImage:
    """Give an image package, and the folder point `here`, which does not have it yet."""
    made = register(site, lab_image("xpress"), tmp_path / "point")
    add_point(site, "here", str(made.point))
    return made


@pytest.fixture(scope="session")
def object_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    """Give a running S3 server."""
    server = ObjectServer(tmp_path_factory.mktemp("objects"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def objects(object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    """Give the server, with an empty bucket and credentials in the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lab")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    object_server.make_bucket()
    return object_server
