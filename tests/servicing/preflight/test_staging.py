"""Leftovers of earlier runs, and images that are mounted already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servicing.preflight.made import check, checks, looked
from wimdock.servicing import mounts
from wimdock.servicing.mounts import Mounted, MountState
from wimdock.servicing.preflight.check import Result

HOST = "CM01=Server 2019"


def test_an_empty_staging_folder(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    report = looked(lab_image("xpress"), HOST, staging=tmp_path / "not there yet")
    assert check(report, "staging-leftovers").result is Result.PASSED
    volume, found = checks(report, "staging-volume")
    assert (volume.result, found.result) == (Result.WARNING, Result.PASSED)
    assert f"not there yet is not there; what is said here is of {tmp_path}." in volume.reason


def test_what_a_failed_run_left(lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    left = tmp_path / "ConfigMgr_OfflineImageServicing" / "CAS00123" / "ImageMountDir"
    left.mkdir(parents=True)
    (left / "Windows").mkdir()
    (left / "Windows" / "notepad.exe").write_bytes(b"MZ")
    report = looked(lab_image("xpress"), HOST, staging=tmp_path)
    found = check(report, "staging-leftovers")
    assert (found.result, found.failure) == (Result.FAILED, 9)
    assert "CAS00123" in found.details[0]
    assert f"wimdock cleanup {tmp_path}" in found.remedy
    assert report.readiness.value == "blocked"


@pytest.mark.parametrize(
    "is_this, state, result, failure",
    [
        (True, MountState.OK, Result.FAILED, 9),
        (True, MountState.NEEDS_REMOUNT, Result.FAILED, 9),
        (False, MountState.NEEDS_REMOUNT, Result.WARNING, 12),
        (False, MountState.OK, Result.PASSED, None),
    ],
)
def test_mounts(
    lab_image: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_this: bool,
    state: MountState,
    result: Result,
    failure: int | None,
) -> None:
    image = lab_image("xpress")
    other = tmp_path / "other.wim"
    other.touch()
    place = tmp_path / "a mount"
    mounted = Mounted(None, place, image if is_this else other, 1, True, state, "wimlib")  # noqa: FBT003 - a record
    monkeypatch.setattr(mounts, "list_mounts", lambda: (mounted,))
    found = check(looked(image, HOST), "mounts")
    assert (found.result, found.failure) == (result, failure)
    if is_this:
        assert f"wimdock unmount '{place}' --discard" in found.remedy
