"""What every test can ask for: the shared data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def everything_required() -> bool:
    """Tell whether a missing piece is a failure: in CI, or where WIMDOCK_REQUIRE_ALL is 1."""
    return bool(os.environ.get("CI")) or os.environ.get("WIMDOCK_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip the running test with a reason, or fail it where everything is required."""
    if everything_required():
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder with real packages, hives and samples that never enter the project."""
    named = os.environ.get("WIMDOCK_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not (folder / "SHA256SUMS").is_file():
        skip_or_fail(f"no shared test data in {folder}: set WIMDOCK_TEST_DATA")
    return folder
