"""Words filled with what logs say: what may stand in a command that people copy."""

from __future__ import annotations

import pytest

from wimdock.doctor.wording import fill, fill_command, staging_of

UNMOUNT = "Dism.exe /unmount-image /mountdir:{mount} /discard"
CLEAN_UP = "wimdock cleanup {staging}"


@pytest.mark.parametrize(
    "mount, word",
    [
        (r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir", None),
        (r"D:\with space\ImageMountDir", r'"D:\with space\ImageMountDir"'),
        (r"\\server\share\ImageMountDir", None),
        (r"<Drive>:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir", None),
        ("/srv/d/ImageMountDir", None),
        ("/srv/$(reboot)/x", "'/srv/$(reboot)/x'"),
        (r"D:\x & shutdown", "<MountDirectory>"),
        (r"D:\x\" /commit", "<MountDirectory>"),
        ("D:\\x\nshutdown", "<MountDirectory>"),
        (r"D:\%TEMP%\x", "<MountDirectory>"),
        (r"D:\x|y", "<MountDirectory>"),
        ("relative", "<MountDirectory>"),
        ("<Temporary_Image_Mount_Directory>", "<MountDirectory>"),
        ("", "<MountDirectory>"),
    ],
)
def test_a_path_stays_one_word_of_a_command(mount: str, word: str | None) -> None:
    command = fill_command(UNMOUNT, {"mount": mount})
    assert command == f"Dism.exe /unmount-image /mountdir:{word or mount} /discard"


@pytest.mark.parametrize("package", ["CAS00123; rm -rf /", "CAS 1", "a" * 200, "`x`"])
def test_any_other_word_is_plain_or_not_there(package: str) -> None:
    assert fill_command("show {package}", {"package": package}) == "show <PackageID>"
    assert fill_command("show {package}", {"package": "CAS00123"}) == "show CAS00123"


def test_what_is_filled_in_is_not_filled_again() -> None:
    values = {"package": "{mount}", "mount": "x"}
    assert fill("{package} at {mount}", values) == "{mount} at x"


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert fill("Image {index} of {package}", {}) == "Image <Index> of <PackageID>"
    assert fill_command(CLEAN_UP, {"staging": ""}) == "wimdock cleanup <StagingFolder>"


def test_the_staging_folder_is_taken_from_a_mount_directory_in_one_only() -> None:
    mount = "/srv/d/ConfigMgr_OfflineImageServicing/CAS00123/ImageMountDir"
    assert staging_of(mount) == "/srv/d/ConfigMgr_OfflineImageServicing"
    assert staging_of("/srv/d/elsewhere") == ""
