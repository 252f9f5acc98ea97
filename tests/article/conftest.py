"""The article's case: an image with new reparse points, a folder that plays drive D, commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.ended import Command, Ended
from tests.lab.lab import Lab
from tests.lab.tool import run as run_tool
from tests.rehearsal.conftest import drive
from wimdock.cli.main import run
from wimdock.image.reparse_points import ReparsePoint, reparse_points
from wimdock.reparse.hosts import SERVER_2012
from wimdock.reparse.judgement import judge
from wimdock.wim import Archive

OLD = "CM01=6.3.9600"
PACKAGE = "CAS00123"

__all__ = ["drive"]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Give a function that runs one command line of wimdock."""

    def ended(*arguments: str | Path) -> Ended:
        capfd.readouterr()
        status = run([str(argument) for argument in arguments])
        return Ended(status, *capfd.readouterr())

    return ended


@pytest.fixture
def offending(lab: Lab, tmp_path: Path) -> Path:
    """Give an image that holds reparse points of Windows 10."""
    return lab.copy("xpress", tmp_path)


def troubling(image: Path) -> list[ReparsePoint]:
    """Give the reparse points of image 1 that trouble a host on Server 2012."""
    with Archive.open(image) as archive:
        points = list(reparse_points(archive.image(1)))
    return [p for p in points if judge(p.tag.value, p.value, p.owner, SERVER_2012) is not None]


def _edit(image: Path, *commands: str) -> Path:
    run_tool("wimlib-imagex", "update", image, "1", stdin="\n".join(commands).encode())
    return image


@pytest.fixture
def without_application(lab: Lab, tmp_path: Path) -> Path:
    """Give the image as it is without the applications that bring the reparse points."""
    image = lab.copy("lzx", tmp_path)
    places = sorted(
        (str(point.path).replace("\\", "/") for point in troubling(image)), reverse=True
    )
    return _edit(image, *(f"delete --recursive --force '{place}'" for place in places))


@pytest.fixture
def captured_before_1803(lab: Lab, tmp_path: Path) -> Path:
    """Give the image as a tool captures it that keeps no reparse point newer than itself.

    Files that were placeholders or aliases are plain and empty then, and folders are plain folders.
    """
    image = lab.copy("lzx", tmp_path)
    empty, folder = tmp_path / "empty", tmp_path / "folder"
    empty.touch()
    folder.mkdir()
    commands = []
    for point in troubling(image):
        place = str(point.path).replace("\\", "/")
        commands += [
            f"delete --recursive --force '{place}'",
            f"add '{folder if point.is_directory else empty}' '{place}'",
        ]
    return _edit(image, *commands)
