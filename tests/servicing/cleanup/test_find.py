"""Where staging folders are found, and what in them is recognised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.servicing.cleanup.staging_sample import (
    GUID,
    PACKAGE,
    Sample,
    make_staging,
    tmpfs,
)
from wimdock.configmgr.staging import STAGING_FOLDER
from wimdock.errors import StagingError, StorageError
from wimdock.servicing.cleanup import PackageState, find_staging, leftovers_in, search_staging
from wimdock.servicing.cleanup.find import DEPTH


def test_at_the_root_and_below(sample: Sample) -> None:
    for root in (sample.staging, sample.drive, sample.drive.parent):
        (found,) = find_staging([root])
        assert found.path == sample.staging
        (package,) = found.packages
        assert (package.package_id, package.path) == (PACKAGE, sample.package())
        assert package.mount_directory == sample.mount_directory()
        assert package.state is PackageState.EMPTY
        assert (package.size, package.files, package.lost) == (
            1000,
            1,
            "the working copy of the image",
        )
        assert found.content_folders == (sample.staging / GUID,)
        assert (found.size, found.files, found.unknown) == (1100, 2, ())


def test_one_root_named_twice_counts_once(sample: Sample) -> None:
    assert len(find_staging([sample.drive, sample.staging, sample.drive])) == 1


def test_names_in_any_case(tmp_path: Path) -> None:
    folder = tmp_path / "CONFIGMGR_offlineimageservicing" / "cas0012f"
    (folder / "imagemountdir").mkdir(parents=True)
    (found,) = find_staging([tmp_path])
    (package,) = found.packages
    assert package.package_id == "CAS0012F"
    assert package.mount_directory == folder / "imagemountdir"
    assert found.unknown == ()


def test_depth_is_bounded(tmp_path: Path) -> None:
    within = tmp_path.joinpath(*"abc"[: DEPTH - 1])
    make_staging(within)
    make_staging(tmp_path.joinpath(*"vwxyz"[:DEPTH]))
    assert [found.path.parent for found in find_staging([tmp_path])] == [within]


def test_links_are_not_followed(sample: Sample, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link").symlink_to(sample.drive)
    (elsewhere / sample.staging.name).symlink_to(sample.staging)
    assert find_staging([elsewhere]) == ()
    with pytest.raises(StagingError, match="symbolic link") as caught:
        find_staging([elsewhere / "link"])
    assert str(sample.drive) in caught.value.hint


def test_a_root_leads_where_the_system_says(sample: Sample, tmp_path: Path) -> None:
    """`link/..` is what the link leads to, one up; not the folder that the link lies in."""
    (tmp_path / "far" / "away").mkdir(parents=True)
    (sample.drive / "link").symlink_to(tmp_path / "far" / "away")
    assert find_staging([sample.drive / "link" / ".."]) == ()
    assert len(find_staging([tmp_path / "far" / ".." / sample.drive.name])) == 1


def test_what_has_the_name_and_is_passed_over_is_said(sample: Sample, tmp_path: Path) -> None:
    for kind in ("link", "file"):
        (tmp_path / kind).mkdir()
    (tmp_path / "link" / STAGING_FOLDER).symlink_to(sample.staging)
    (tmp_path / "file" / STAGING_FOLDER).touch()
    found = search_staging([tmp_path / "link", tmp_path / "file"])
    assert found.folders == ()
    link, file = found.unsearched
    assert f"link/{STAGING_FOLDER} is a symbolic link to {sample.staging}" in link
    assert file.endswith("is no folder")
    with tmpfs(tmp_path / "mount" / STAGING_FOLDER):
        found = search_staging([tmp_path / "mount"])
    assert found.folders == ()
    assert "is another file system" in found.unsearched[0]


def test_leftovers_behind_a_link(sample: Sample, tmp_path: Path) -> None:
    """What is mounted has its path without links; of several folders each one counts."""
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / STAGING_FOLDER).symlink_to(sample.staging)
    other = tmp_path / "linked" / STAGING_FOLDER.upper()
    (other / "payroll").mkdir(parents=True)
    with tmpfs(sample.mount_directory()):
        found = leftovers_in(tmp_path / "linked")
    assert [each.path for each in found] == [other / "payroll", sample.mount_directory()]
    assert found[1].state is PackageState.MOUNTED_BY_OTHER


def test_a_root_that_is_none(sample: Sample, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        find_staging([tmp_path / "missing"])
    with pytest.raises(StagingError, match="is no folder"):
        find_staging([sample.package() / "install.wim"])
    with pytest.raises(StagingError, match="lies inside") as caught:
        find_staging([sample.package()])
    assert str(sample.staging) in caught.value.hint


def test_what_is_not_recognised_is_named(sample: Sample) -> None:
    strange = [
        sample.staging / "notes.docx",
        sample.staging / "CAS0012",
        sample.staging / "CAS00123.",
        sample.staging / "aß00123",
        sample.staging / "x.e\u017fd",
        sample.staging / "payroll",
        sample.package() / "imagemountdir",
        sample.package() / "keep",
        sample.package() / "\u0131mageMountDir",
        sample.package() / "new\nline\x1b[31m.txt",
    ]
    for path in strange:
        if path.suffix in (".docx", ".txt", ".e\u017fd"):
            path.write_text("x")
        else:
            path.mkdir()
    raw = os.fsencode(sample.staging) + b"/\xff\xfe"
    os.close(os.open(raw, os.O_CREAT | os.O_WRONLY))
    (sample.staging / "CAS00999").symlink_to("/")
    os.mkfifo(sample.staging / "pipe.log")
    (found,) = find_staging([sample.staging])
    expected = {*strange, Path(os.fsdecode(raw))}
    expected |= {sample.staging / "CAS00999", sample.staging / "pipe.log"}
    assert set(found.unknown) == expected


def test_a_link_as_mount_directory(sample: Sample) -> None:
    sample.mount_directory().rmdir()
    sample.mount_directory().symlink_to("/")
    (found,) = find_staging([sample.staging])
    assert found.unknown == (sample.mount_directory(),)
    assert found.packages[0].state is PackageState.ABSENT


def test_what_runs_and_wimlib_leave_is_recognised(sample: Sample) -> None:
    for name in ("install.wim.bak", ".install.wim.servicing", "install.wim.generations"):
        (sample.package() / name).write_text("x")
    for name in ("install.wim.stagingavpf9GvGEs", "install.wim.0123abcd.wimdock-staging"):
        (sample.package() / name).mkdir()
    (sample.staging / "OfflineServicingMgr.log").write_text("x")
    (sample.staging / "OfflineServicingMgr.lo_").write_text("x")
    (sample.staging / "{73676B06-20A9-48A6-89C7-7646D20CE44F}").mkdir()
    (found,) = find_staging([sample.staging])
    assert found.unknown == ()
    assert len(found.loose_files) == 2


def test_a_folder_that_cannot_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def closed(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr("os.scandir", closed)
    found = search_staging([tmp_path])
    assert found.folders == ()
    assert found.unsearched == (f"{tmp_path / 'closed'}: Permission denied",)


def test_leftovers(sample: Sample) -> None:
    for staging in (sample.staging, sample.drive):
        assert leftovers_in(staging) == ()
    assert leftovers_in(sample.drive / "missing") == ()
    assert leftovers_in(sample.sentinels) == ()
    (sample.mount_directory() / "Windows").mkdir()
    (sample.staging / "notes.docx").write_text("x")
    stale, strange = leftovers_in(sample.drive)
    assert (stale.package_id, stale.state) == (PACKAGE, PackageState.STALE)
    assert stale.path == sample.mount_directory()
    assert strange.path == sample.staging / "notes.docx"
