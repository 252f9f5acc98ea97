"""A folder that plays the staging drive, and a way to rehearse there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servicing.surroundings import QuickDisk
from wimdock.configmgr import parse_provider
from wimdock.rehearsal.options import RehearsalOptions
from wimdock.rehearsal.rehearsal import rehearse
from wimdock.rehearsal.report import RehearsalReport
from wimdock.servicing.mounts import list_mounts, unmount
from wimdock.servicing.options import surroundings

Rehearse = Callable[..., RehearsalReport]
OLD, NEW = "CM01=6.3.9600", "CM02=10.0.17763"
LabImage = Callable[[str], Path]


def staging(drive: Path) -> Path:
    return drive / "ConfigMgr_OfflineImageServicing"


def history(drive: Path, package: str = "CAS00123") -> list[dict[str, object]]:
    path = drive / "PackageSource" / package / "history.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder that plays drive D; what stays mounted below it is unmounted at the end."""
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    folder = tmp_path / "d"
    folder.mkdir()
    yield folder
    for mounted in list_mounts():
        if mounted.directory.is_relative_to(folder):
            unmount(mounted.directory, commit=False)


@pytest.fixture
def play(drive: Path) -> Rehearse:
    """Give a function that rehearses an image on a provider."""

    def played(image: Path, provider: str, *updates: Path, **options: object) -> RehearsalReport:
        asked = RehearsalOptions(parse_provider(provider), drive, updates, **options)  # type: ignore[arg-type]
        return rehearse(image, asked, surroundings(disk=QuickDisk()))

    return played
