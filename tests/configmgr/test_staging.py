"""The staging folder's names, as the article writes them."""

from __future__ import annotations

import pytest

from wimdock.configmgr import is_package_id, mount_directory, staging_place, unmount_command
from wimdock.configmgr.staging import is_content_folder, is_mount_folder, is_staging_folder

ARTICLE = r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"


@pytest.mark.parametrize("text", ["CAS00123", "MS10000A", "cas0012f", "P0100ABC"])
def test_package_ids(text: str) -> None:
    assert is_package_id(text)


@pytest.mark.parametrize(
    "text",
    ["CAS0012", "CAS001234", "CA-00123", "", "CAS0012٣", "aß00123", "CA\u017f00123"],
)
def test_what_is_no_package_id(text: str) -> None:
    assert not is_package_id(text)


def test_the_articles_mount_directory_and_command() -> None:
    assert mount_directory("D:\\", "CAS00123") == ARTICLE
    assert (
        unmount_command(ARTICLE) == r"Dism.exe /unmount-image "
        r"/mountdir:D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir /discard"
    )
    assert mount_directory("/srv/d", "CAS00123").startswith("/srv/d/ConfigMgr_")


def test_a_path_with_a_space_is_quoted() -> None:
    assert '/mountdir:"D:\\a b" /discard' in unmount_command("D:\\a b")


def test_a_path_is_taken_apart() -> None:
    place = staging_place(ARTICLE.lower())
    assert place is not None
    assert (place.root, place.package_id, place.is_mount_directory) == ("d:", "CAS00123", True)
    assert place.folder == r"d:\configmgr_offlineimageservicing"
    posix = staging_place("/srv/d/ConfigMgr_OfflineImageServicing/CAS00123")
    assert posix is not None
    assert (posix.root, posix.package_id, posix.is_mount_directory) == ("/srv/d", "CAS00123", False)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "D:\\",
        "D:\\ConfigMgr",
        r"D:\ConfigMgr_OfflineImageServicing2\CAS00123",
        "D:\\ConfigMgr_OfflineImage\u017fervicing\\CAS00123",
    ],
)
def test_other_paths_are_none(path: str) -> None:
    assert staging_place(path) is None


def test_a_folder_that_is_no_package_has_no_package_id() -> None:
    place = staging_place(r"D:\ConfigMgr_OfflineImageServicing\other\ImageMountDir")
    assert place is not None
    assert place.package_id == ""


def test_content_folders_are_guids() -> None:
    assert is_content_folder("73676b06-20a9-48a6-89c7-7646d20ce44f")
    assert not is_content_folder("73676b06-20a9-48a6-89c7")


def test_names_in_the_case_that_windows_knows() -> None:
    assert is_staging_folder("CONFIGMGR_offlineimageservicing")
    assert is_mount_folder("imagemountdir")
    # Letters that Unicode, but not Windows, takes for others.
    assert not is_staging_folder("Con\N{LATIN SMALL LIGATURE FI}gMgr_OfflineImageServicing")
    assert not is_staging_folder("ConfigMgr_OfflineImage\N{LATIN SMALL LETTER LONG S}ervicing")
    assert not is_mount_folder("\N{LATIN SMALL LETTER DOTLESS I}mageMountDir")
