"""A lab image before and after `wimdock service`, as other programs see it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab.image import apply
from tests.lab.snapshot import Snapshot, snapshot
from tests.lab.tool import run
from tests.lab.volume import format_volume, mounted

HIVES = ("SOFTWARE", "SYSTEM", "COMPONENTS", "DEFAULT")
CONFIG = "Windows/System32/config"
_SOURCES = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True, slots=True)
class Serviced:
    """A serviced image file and what wimlib-imagex makes of it on an NTFS volume."""

    image: Path
    output: str
    before: Snapshot
    after: Snapshot
    hives_before: Path
    hives_after: Path


def run_wimdock(*words: str | Path) -> str:
    """Run wimdock's command line as its users do; give what it printed."""
    environment = os.environ | {"PYTHONPATH": str(_SOURCES)}
    return run(sys.executable, "-m", "wimdock", *words, environment=environment).decode()


def judge(image: Path, output: str, before: Snapshot, source: Path, folder: Path) -> Serviced:
    """Apply a serviced image to an empty volume and read that; `source` is the volume before."""
    volume = apply(image, format_volume(folder / "applied.img"))
    return Serviced(
        image,
        output,
        before,
        snapshot(volume),
        take_hives(source, folder / "hives-before"),
        take_hives(volume, folder / "hives-after"),
    )


def take_hives(volume: Path, folder: Path) -> Path:
    """Copy the hives of a volume into a folder; give the folder."""
    folder.mkdir()
    with mounted(volume, read_only=True) as root:
        for name in HIVES:
            (folder / name).write_bytes((root / CONFIG / name).read_bytes())
    return folder
