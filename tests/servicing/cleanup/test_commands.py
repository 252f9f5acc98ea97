"""The commands for a Windows host, exactly as KB 4517870 has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PureWindowsPath

import pytest

from wimdock.errors import UsageError
from wimdock.servicing.cleanup import PackageState, StagedPackage, StagingFolder
from wimdock.servicing.cleanup.commands import commands_for

_UNMOUNT = "Dism.exe /unmount-image /mountdir:"
_STAGING = Path("/srv/d/ConfigMgr_OfflineImageServicing")


def package(name: str, state: PackageState = PackageState.UNPROVED) -> StagedPackage:
    path = _STAGING / name
    return StagedPackage(name, path, path / "ImageMountDir", state)


def on_d(path: Path) -> str:
    return str(PureWindowsPath("D:\\", *path.relative_to("/srv/d").parts))


def test_each_package_then_the_folder() -> None:
    packages = (
        package("CAS00123"),
        package("CAS00124", PackageState.EMPTY),
        package("CAS00125", PackageState.ABSENT),
    )
    assert commands_for(StagingFolder(_STAGING, packages), on_d) == (
        rf"{_UNMOUNT}D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir /discard",
        rf"{_UNMOUNT}D:\ConfigMgr_OfflineImageServicing\CAS00124\ImageMountDir /discard",
        r"rmdir /s /q D:\ConfigMgr_OfflineImageServicing",
    )


def test_no_deletion_of_what_is_not_recognised() -> None:
    folder = StagingFolder(_STAGING, (package("CAS00123"),), unknown=(_STAGING / "payroll.xlsx",))
    (line,) = commands_for(folder, on_d)
    assert line.startswith("Dism.exe")


def test_as_it_was_typed_to_dism() -> None:
    typed = r"E:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    folder = StagingFolder(_STAGING, (replace(package("CAS00123"), typed=typed),))
    assert commands_for(folder, str) == (
        f"Dism.exe /unmount-image /mountdir:{typed} /discard",
        r"rmdir /s /q E:\ConfigMgr_OfflineImageServicing",
    )


def test_the_drive_that_was_said_counts_more() -> None:
    """A mark may be of another time, when the disk had another letter."""
    typed = r"C:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    folder = StagingFolder(_STAGING, (replace(package("CAS00123"), typed=typed),))
    assert "C:" not in " ".join(commands_for(folder, on_d))


def test_packages_that_were_typed_on_several_drives() -> None:
    """Which folder the last line would delete is not known."""
    packages = tuple(
        replace(
            package(name),
            typed=rf"{drive}:\ConfigMgr_OfflineImageServicing\{name}\ImageMountDir",
        )
        for drive, name in (("D", "CAS00123"), ("E", "CAS00124"))
    )
    with pytest.raises(UsageError, match=r"D:\\ConfigMgr_\w+ and E:") as caught:
        commands_for(StagingFolder(_STAGING, packages), str)
    assert "--drive" in caught.value.hint
    assert commands_for(StagingFolder(_STAGING, packages), on_d)[-1].endswith(
        r" D:\ConfigMgr_OfflineImageServicing"
    )


@pytest.mark.parametrize(
    "typed",
    [
        r"E:\Windows",
        r"E:\ConfigMgr_OfflineImageServicing\CAS00999\ImageMountDir",
        r"E:\ConfigMgr_OfflineImageServicing\CAS00123",
    ],
)
def test_what_was_typed_must_fit(typed: str) -> None:
    """A mark may hold anything: only the mount directory of this very package is believed."""
    folder = StagingFolder(_STAGING, (replace(package("CAS00123"), typed=typed),))
    assert "E:" not in " ".join(commands_for(folder, on_d))


@pytest.mark.parametrize("char", "&|<>^%!\"'`;,=()\n\r\t\x1b$")
def test_nothing_that_a_prompt_would_carry_out(char: str) -> None:
    typed = rf"E:\a{char}calc\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    folder = StagingFolder(_STAGING, (replace(package("CAS00123"), typed=typed),))
    with pytest.raises(UsageError, match="command prompt"):
        commands_for(folder, str)


def test_spaces_are_quoted() -> None:
    folder = StagingFolder(_STAGING, (package("CAS00123"),))
    lines = commands_for(folder, lambda path: on_d(path).replace("D:\\", "D:\\my disk\\"))
    assert lines == (
        rf'{_UNMOUNT}"D:\my disk\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir" /discard',
        r'rmdir /s /q "D:\my disk\ConfigMgr_OfflineImageServicing"',
    )


@pytest.mark.parametrize("packages", [(), (package("CAS00123"),)])
def test_a_path_that_windows_does_not_have(packages: tuple[StagedPackage, ...]) -> None:
    with pytest.raises(UsageError, match="which drive") as caught:
        commands_for(StagingFolder(_STAGING, packages), str)
    assert caught.value.hint == "Say it, such as --drive D=/srv/d."
