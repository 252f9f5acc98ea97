"""A staging folder for each test, and a state folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servicing.cleanup.staging_sample import Sample, make_staging


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIMDOCK_STATE", str(tmp_path / "state"))


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    """Give a drive with a staging folder."""
    return make_staging(tmp_path / "drive")
