"""What tests of mounts share: an image, a folder to mount it in, and a place for records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.demo_files import copy_demo
from tests.servicing.mounts_at_hand import end_all, need_mounting


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep records in the test's own folder, and leave nothing mounted."""
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))
    yield
    end_all(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give the demo's image, with its record of generations, where it can be mounted."""
    need_mounting()
    copy_demo(tmp_path)
    return tmp_path / "demo.wim"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give an empty folder to mount in."""
    folder = tmp_path / "mounted here"
    folder.mkdir()
    return folder
