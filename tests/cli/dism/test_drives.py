"""Windows paths on this machine: found as Windows would find them, and never above the drive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cli.dism.drives import Drives, read_drives
from wimdock.errors import StorageError, UsageError

PARTS = st.one_of(
    st.sampled_from(["..", ".", "", "a", "A", "...", "a. ", "\\", "/", ":"]), st.text()
)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Give a folder that stands for drive D."""
    (tmp_path / "d" / "Images" / "Golden Master").mkdir(parents=True)
    (tmp_path / "d" / "Images" / "Install.WIM").write_bytes(b"")
    (tmp_path / "outside").mkdir()
    return tmp_path / "d"


def code_of(drives: Drives, text: str) -> int | None:
    with pytest.raises(UsageError) as caught:
        drives.path(text)
    assert caught.value.hint
    return caught.value.hresult


@pytest.mark.parametrize(
    "typed",
    [
        r"D:\images\install.wim",
        r"d:\IMAGES\INSTALL.WIM",
        "D:/Images/Install.WIM",
        r"D:\\images\.\x\..\install.wim",
        r"D:\..\..\images\install.wim",
        r"D:\images.\install.wim. ",
        r'"D:\images\install.wim"',
        r'D:\"images"\install.wim',
        r"\\?\D:\images\install.wim",
    ],
)
def test_parts_are_found_as_windows_finds_them(drive: Path, typed: str) -> None:
    assert Drives({"D": drive}).path(typed) == drive / "Images" / "Install.WIM"


def test_what_is_not_there_is_taken_as_typed(drive: Path) -> None:
    drives = Drives({"D": drive})
    assert drives.path(r"D:\images\New Folder\a.wim") == drive / "Images" / "New Folder" / "a.wim"
    assert drives.path("D:\\") == drive
    assert drives.path(r"D:\images\install.wim\below") == drive / "Images/Install.WIM/below"


@pytest.mark.parametrize(
    "typed, code",
    [
        (r"E:\a", 0x80070003),
        (r"D:a", 0x8007007B),
        (r"\a", 0x8007007B),
        (r"\\server\share\a.wim", 0x80070035),
        (r"\\?\UNC\server\share", 0x80070035),
        (r"D:\a|b", 0x8007007B),
        (r"D:\a:stream", 0x8007007B),
        ("D:\\a\nb", 0x8007007B),
        (r"D:\....\a", 0x8007007B),
    ],
)
def test_paths_that_lead_nowhere(drive: Path, typed: str, code: int) -> None:
    assert code_of(Drives({"D": drive}), typed) == code


def test_an_unmapped_drive_says_how_to_map_it() -> None:
    with pytest.raises(UsageError) as caught:
        Drives().path(r"X:\a")
    assert "--drive X=" in caught.value.hint


def test_backslashes_that_the_shell_ate_are_suspected() -> None:
    with pytest.raises(UsageError) as caught:
        Drives({"D": Path("/srv")}).path("D:ConfigMgr_OfflineImageServicingCAS00123ImageMountDir")
    assert "in quotes" in caught.value.hint


def test_a_drive_whose_folder_is_gone(tmp_path: Path) -> None:
    assert code_of(Drives({"D": tmp_path / "gone"}), "D:\\a") == 0x80070003


@pytest.mark.parametrize("typed", ["/srv/mnt", "/srv/../mnt", '/srv/a"b', "/D:/x", "a.wim", "./a"])
def test_posix_paths_are_taken_as_they_are(drive: Path, typed: str) -> None:
    assert Drives({"D": drive}).path(typed) == Path(typed)


def test_a_relative_windows_path(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(drive)
    assert Drives().path(r"images\install.wim") == Path("Images/Install.WIM")


def test_a_drive_behind_a_link_is_where_the_system_takes_it(drive: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(drive / "Images")
    drives = read_drives([f"D={tmp_path}/link/.."])
    assert drives.path("D:\\Images") == drive / "Images"


def test_names_that_windows_could_not_tell_apart(drive: Path) -> None:
    for name in ("twin", "TWIN"):
        (drive / name).mkdir()
    assert Drives({"D": drive}).path(r"D:\TWIN") == drive / "TWIN"
    with pytest.raises(StorageError, match="cannot tell apart"):
        Drives({"D": drive}).path(r"D:\Twin")


def test_names_go_back_to_windows(drive: Path) -> None:
    drives = Drives({"D": drive})
    assert drives.windows_name(drive / "Images" / "a b.wim") == r"D:\Images\a b.wim"
    assert drives.windows_name(drive) == "D:\\"
    assert drives.windows_name(Path("/srv/else")) == "/srv/else"


@given(st.lists(PARTS, max_size=6), st.sampled_from(["\\", "/"]))
def test_no_path_leads_above_its_drive(parts: list[str], separator: str) -> None:
    root = Path("/proc/self/task")
    try:
        found = Drives({"D": root}).path("D:" + separator + separator.join(parts))
    except (UsageError, StorageError):
        return
    assert Path(os.path.normpath(found)).is_relative_to(root)
    assert ".." not in found.parts


@given(st.text(max_size=20))
def test_any_text_gives_a_path_or_our_error(text: str) -> None:
    try:
        Drives({"D": Path("/proc")}).path(text)
    except (UsageError, StorageError):
        return


def test_drives_of_the_line_come_before_those_of_the_setting() -> None:
    drives = read_drives(["d=/srv/mine", "F:=/srv/f"], "D=/srv/theirs:E=/srv/with:colon")
    assert drives.folders == {
        "D": Path("/srv/mine"),
        "E": Path("/srv/with:colon"),
        "F": Path("/srv/f"),
    }


@pytest.mark.parametrize("text", ["", "D", "D=", "DD=/a", "1=/a", "=/a", "D=a\0b", "ä=/a"])
def test_a_drive_is_a_letter_and_a_folder(text: str) -> None:
    with pytest.raises(UsageError):
        read_drives([text])


def test_a_drive_is_named_once() -> None:
    with pytest.raises(UsageError):
        read_drives(["D=/a", "d=/b"])
    with pytest.raises(UsageError):
        read_drives([], "D=/a:D=/b")


def test_a_relative_path_leads_up_from_the_current_folder(
    drive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `..` that is dropped names another folder, and another mount."""
    here = drive / "Images" / "Golden Master"
    monkeypatch.chdir(here)
    assert Drives().path(r"..\install.wim") == Path("../Install.WIM")
    assert Drives().path(r"..\..\images\.\x\..\..\Outside") == Path("../../Outside")
    assert Drives().path(r"x\..\..\install.wim").resolve() == drive / "Images" / "Install.WIM"
