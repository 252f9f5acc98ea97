"""The staging volume: its type by the list of mounts, deduplication, rights."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.servicing.preflight.made import check, looked
from wimdock.errors import StorageError
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.volume import check_volume, volume_of

HEAD = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"


def judged(tmp_path: Path, kind: str, options: str = "rw,relatime") -> Check:
    """Judge a folder below a mount of this type."""
    (tmp_path / "a b").mkdir(exist_ok=True)
    point = str(tmp_path / "a b").replace(" ", r"\040")
    line = f"50 22 8:17 / {point} {options} shared:7 - {kind} /dev/sdb1 rw\n"
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"{HEAD}no mount at all\n{line}")
    (found,) = check_volume(volume_of(tmp_path / "a b" / "not" / "there", mounts))
    return found


@pytest.mark.parametrize(
    "kind, result, failure, words",
    [
        ("ntfs3", Result.PASSED, None, "NTFS and not deduplicated"),
        ("ntfs", Result.PASSED, None, "NTFS"),
        ("fuseblk", Result.PASSED, None, "NTFS or exFAT"),
        ("refs", Result.FAILED, 13, "ReFS"),
        ("fuse.refs", Result.FAILED, 13, "ReFS"),
        ("cifs", Result.WARNING, None, "network share"),
        ("nfs4", Result.WARNING, None, "network share"),
        ("tmpfs", Result.WARNING, None, "in memory"),
        ("xfs", Result.PASSED, None, "says nothing of the drive that a Windows provider"),
        ("btrfs", Result.PASSED, None, "file system of this machine"),
    ],
)
def test_by_type(
    tmp_path: Path, kind: str, result: Result, failure: int | None, words: str
) -> None:
    found = judged(tmp_path, kind)
    assert (found.result, found.failure) == (result, failure)
    assert words in found.reason
    assert str(tmp_path / "a b") in found.reason
    assert found.remedy or result is Result.PASSED


def test_read_only(tmp_path: Path) -> None:
    assert judged(tmp_path, "ntfs3", "ro,relatime").result is Result.FAILED


def test_a_deduplicated_volume(tmp_path: Path) -> None:
    (tmp_path / "a b" / "System Volume Information" / "Dedup" / "ChunkStore").mkdir(parents=True)
    found = judged(tmp_path, "ntfs3")
    assert (found.result, found.failure) == (Result.FAILED, 13)


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    (found,) = check_volume(volume_of(tmp_path, tmp_path / "no such list"))
    assert found.result is Result.NOT_CHECKED


def test_a_staging_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="no folder"):
        volume_of(tmp_path / "file")


def test_no_right_to_write(
    tmp_path: Path, lab_image: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(lab_image)
    image = lab_image("none")
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    found = check(looked(image, "CM01=Server 2019", staging=tmp_path), "staging-volume")
    assert found.result is Result.FAILED
    assert "cannot be written" in found.reason
