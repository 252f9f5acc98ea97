"""Image files of wimlib-imagex's making, once for all tests of the container."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.lab.tool import missing
from tests.wim.captured import FORMS, capture, make_tree


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the small tree."""
    return make_tree(tmp_path_factory.mktemp("tree"))


@pytest.fixture(scope="session")
def captured(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a function that captures the tree in one of the forms; its result is read only."""
    if missing(("wimlib-imagex",)):
        skip_or_fail("wimlib-imagex is not installed")
    folder = tmp_path_factory.mktemp("captured")

    def make(form: str) -> Path:
        image = folder / f"{form}.wim"
        if not image.exists():
            capture(tree, image, *FORMS[form])
        return image

    return make


@pytest.fixture
def a_copy(captured: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that captures the tree in one of the forms, for the test to change."""

    def make(form: str) -> Path:
        return Path(shutil.copy(captured(form), tmp_path / f"{form}.wim"))

    return make
