"""The main job, done once for all witnesses: OpenSSH put into a lab image by the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.lab.image import RECIPES
from tests.lab.lab import Lab
from tests.lab.tool import missing
from tests.lab.wine import WINE_TOOLS, Prefix
from tests.witnesses.serviced import Serviced, judge, run_wimdock
from tests.witnesses.update_contents import UpdateContents, read_update

UPDATES = ("OpenSSH-Client-19041", "OpenSSH-Server-19041")
_JUDGED = ("lzx", "xpress", "lzms", "none", "check")
assert set(_JUDGED) <= set(RECIPES)


@pytest.fixture(scope="session")
def cabinets(shared_data: Path) -> tuple[Path, ...]:
    """Give Microsoft's packages."""
    return tuple(shared_data / "packages" / f"{name}.cab" for name in UPDATES)


@pytest.fixture(scope="session")
def contents(
    cabinets: tuple[Path, ...], shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[UpdateContents, ...]:
    """Give what they hold."""
    dictionary = (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
    return tuple(
        read_update(cabinet, tmp_path_factory.mktemp(cabinet.stem), dictionary)
        for cabinet in cabinets
    )


@pytest.fixture(scope="session", params=_JUDGED)
def serviced(
    request: pytest.FixtureRequest,
    lab: Lab,
    cabinets: tuple[Path, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> Serviced:
    """Give a lab image of each compression with OpenSSH Client and Server installed."""
    folder = tmp_path_factory.mktemp(request.param)
    image = lab.copy(request.param, folder)
    named = (word for cabinet in cabinets for word in ("--update", str(cabinet)))
    output = run_wimdock("service", image, *named, "--json")
    source = Path(shutil.copyfile(lab.volume(), folder / "source.img"))
    return judge(image, output, lab.snapshot(), source, folder)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Prefix:
    """Give a Windows of Wine's."""
    absent = missing(WINE_TOOLS)
    if absent:
        skip_or_fail(f"not installed: {', '.join(absent)} (Debian packages wine, wine64)")
    return Prefix(tmp_path_factory.mktemp("wine") / "prefix")
