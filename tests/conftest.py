"""What every test can ask for: the shared data, and images and volumes of the test lab."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from tests.lab.lab import Lab, obstacle

# How long one example takes says more of the machine than of the code: pytest's timeout bounds
# whole tests. In CI the examples are the same in every run.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")

REPOSITORY = Path(__file__).resolve().parent.parent

# No test looks at, or writes, what wimdock remembers of this machine's own mounts.
os.environ["WIMDOCK_STATE"] = str(Path(tempfile.gettempdir(), f"wimdock-state-{os.getpid()}"))


def everything_required() -> bool:
    """Tell whether a missing piece is a failure: in CI, or where WIMDOCK_REQUIRE_ALL is 1."""
    return bool(os.environ.get("CI")) or os.environ.get("WIMDOCK_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the running test with a reason, or fail it where everything is required."""
    if everything_required():
        pytest.fail(reason)
    pytest.skip(reason)


def shared_data_folder() -> Path | None:
    """Give the folder of shared data, None where it is not there."""
    named = os.environ.get("WIMDOCK_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if (folder / "SHA256SUMS").is_file() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder with real packages, hives and samples that never enter the project."""
    folder = shared_data_folder()
    if folder is None:
        skip_or_fail("no shared test data beside the project: set WIMDOCK_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Lab:
    """Give the lab: volumes and images that are built on first use and shared by all workers.

    Its servicing stack carries the real manifest dictionary where there is shared data, else one
    that is made up.
    """
    reason = obstacle()
    if reason is not None:
        skip_or_fail(f"the lab cannot be built: {reason}")
    cache = getattr(pytestconfig, "cache", None)
    shelf = (
        cache.mkdir("lab") if cache else Path(tempfile.gettempdir(), f"wimdock-lab-{os.getuid()}")
    )
    data = shared_data_folder()
    dictionary = (data / "packages" / "manifest-dictionary.bin").read_bytes() if data else None
    return Lab(Path(shelf), dictionary)


@pytest.fixture
def lab_image(lab: Lab, tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that gives a fresh copy of a lab image by the name of its recipe."""
    return lambda recipe: lab.copy(recipe, tmp_path)
