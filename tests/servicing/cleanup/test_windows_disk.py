"""Staging folders on disks that Windows uses: DISM's marks, reparse points, nothing guessed."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.lab import reparse_data
from tests.lab.lab import obstacle
from tests.lab.volume import REPARSE, format_volume, mounted
from tests.servicing.cleanup.cleaning import cleaned, finished, plan_for, refused
from tests.servicing.cleanup.staging_sample import GUID, PACKAGE, Sample, make_staging
from wimdock.errors import StagingError
from wimdock.servicing.cleanup import PackageState, StagedPackage, find_staging
from wimdock.servicing.cleanup.dism_mark import STREAM, find_mark
from wimdock.servicing.cleanup.volume import Volume

_TYPED = rf"D:\ConfigMgr_OfflineImageServicing\{PACKAGE}\ImageMountDir"
_WIM_STUB = struct.pack("<IHH", 0x80000008, 24, 0) + bytes(24)


def mark(image: str, directory: str) -> bytes:
    """Give a stream as DISM leaves it, as far as its layout is known."""
    records = b""
    for number, text in ((1, image), (2, directory), (5, r"C:\WINDOWS\Logs\DISM\dism.log")):
        data = (text + "\0").encode("utf-16-le")
        records += struct.pack("<II", number, len(data)) + data.ljust(-(-len(data) // 8) * 8, b"\0")
    return struct.pack("<I", 0x28 + len(records)) + bytes(0x24) + records


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """Give an empty NTFS volume in a file."""
    reason = obstacle()
    if reason is not None:
        skip_or_fail(reason)
    return format_volume(tmp_path / "volume", megabytes=16)


@pytest.fixture
def ntfs(volume: Path) -> Iterator[Sample]:
    """Give a staging folder on an NTFS disk."""
    with mounted(volume) as root:
        yield make_staging(root / "drive")


def only_package(sample: Sample) -> StagedPackage:
    (found,) = find_staging([sample.staging])
    (package,) = found.packages
    return package


def test_an_empty_mount_directory_is_cleaned_up(ntfs: Sample) -> None:
    assert only_package(ntfs).state is PackageState.EMPTY
    finished(ntfs)


def test_files_prove_nothing(ntfs: Sample) -> None:
    (ntfs.mount_directory() / "Windows").mkdir()
    package = only_package(ntfs)
    assert package.state is PackageState.UNPROVED
    assert "DISM may have an image there" in package.reason
    error = refused(ntfs)
    assert isinstance(error, StagingError)
    assert "cannot be proved unmounted" in error.message
    assert "--print-commands" in error.hint


@pytest.mark.parametrize("files", [False, True])
def test_the_mark_of_a_mount(ntfs: Sample, files: bool) -> None:  # noqa: FBT001 - a case
    stream = f"{ntfs.mount_directory()}:{STREAM}"
    Path(stream).write_bytes(mark(r"D:\Staging\install.wim", _TYPED))
    if files:
        (ntfs.mount_directory() / "Windows").mkdir()
    package = only_package(ntfs)
    assert package.state is PackageState.MOUNTED_BY_DISM
    assert (package.image, package.typed) == (r"D:\Staging\install.wim", _TYPED)
    assert "mounted by DISM" in refused(ntfs).message


def test_stand_ins_for_files_of_an_image(ntfs: Sample) -> None:
    stub = ntfs.mount_directory() / "Windows" / "explorer.exe"
    stub.parent.mkdir()
    stub.write_text("")
    os.setxattr(stub, REPARSE, _WIM_STUB)
    package = only_package(ntfs)
    assert package.state is PackageState.MOUNTED_BY_DISM
    assert "0x80000008" in package.reason
    refused(ntfs)


def test_reparse_points_are_never_entered(volume: Path) -> None:
    """A junction is a link to Linux, another tag a link that leads nowhere: only the name goes."""
    junction = reparse_data.junction(r"\??\C:\drive\not ours", r"C:\drive\not ours")
    cloud = struct.pack("<IHH", 0x9000701A, 8, 0) + bytes(8)
    with mounted(volume) as root:
        content = make_staging(root / "drive").staging / GUID
        for name, data in (("junction", junction), ("cloud", cloud), ("full", cloud)):
            (content / name).mkdir()
            if name == "full":
                (content / name / "online").write_text("x")
            os.setxattr(content / name, REPARSE, data)
    # A reparse point that is made while the volume is mounted is only seen at the next time.
    with mounted(volume) as root:
        sample = Sample(root / "drive")
        content = sample.staging / GUID
        assert (content / "junction").resolve() == sample.sentinels
        result = cleaned(plan_for(sample))
        (error,) = result.errors
        assert f"{content / 'full'}: Directory not empty" in error.message
        assert sample.untouched()
        os.removexattr(content / "full", REPARSE, follow_symlinks=False)
    with mounted(volume) as root:
        sample = Sample(root / "drive")
        result = finished(sample)
        assert not (sample.staging / GUID).exists()


def test_a_reparse_point_that_looks_like_a_folder(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some drivers show it so: what is seen in it is not in it."""
    folder = sample.staging / GUID / "cloud"
    folder.mkdir()
    (folder / "elsewhere").write_text("x")
    number = folder.stat().st_ino
    monkeypatch.setattr(
        "wimdock.servicing.cleanup.ground.is_reparse_point",
        lambda fd: os.fstat(fd).st_ino == number,
    )
    (error,) = cleaned(plan_for(sample)).errors
    assert "not empty" in error.message
    assert (folder / "elsewhere").exists()
    (folder / "elsewhere").unlink()
    finished(sample)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay"])
def test_what_is_ours_alone(kind: str) -> None:
    assert Volume(kind).is_ours_alone


@pytest.mark.parametrize(
    "kind", ["", "9p", "cifs", "fuse", "fuse.sshfs", "fuseblk", "nfs4", "ntfs3", "smb3", "virtiofs"]
)
def test_what_windows_may_use(kind: str) -> None:
    assert not Volume(kind).is_ours_alone


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 40, mark("a", "b")[:50], b"\xff" * 4096, struct.pack("<I", 1) * 100],
    ids=["empty", "header", "cut off", "noise", "numbers"],
)
def test_a_stream_that_makes_no_sense_is_a_mark_all_the_same(
    data: bytes, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getxattr", lambda *_, **__: data)
    found = find_mark(sample.mount_directory())
    assert found is not None
    assert STREAM in found.seen
