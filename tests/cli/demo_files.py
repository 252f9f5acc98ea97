"""The demo's image and update, made once for all tests of the commands."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from wimdock.clock import SystemClock
from wimdock.servicing.demo_image import make_demo_image
from wimdock.servicing.demo_package import demo_identity, write_demo_package

DEMO_PACKAGE = demo_identity("Package").package_id
_FILES = ("demo.wim", "demo.wim.generations", "demo-update.cab")


@cache
def _made() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_demo_image(folder / _FILES[0], SystemClock())
        write_demo_package(folder / _FILES[2])
        return {file: (folder / file).read_bytes() for file in _FILES}


def copy_demo(folder: Path) -> None:
    """Put demo.wim, its record of generations and demo-update.cab into a folder."""
    for name, content in _made().items():
        (folder / name).write_bytes(content)
