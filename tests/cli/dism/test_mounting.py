"""Mounting in DISM's syntax, the article's command as it is written, and its failure again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.dism.conftest import Dism
from tests.servicing.mounts_at_hand import kill_daemon, need_mounting, wait_for
from wimdock.configmgr.staging import mount_directory, unmount_command
from wimdock.doctor.examination import examine
from wimdock.doctor.rule import Confidence
from wimdock.doctor.rules import load_rules
from wimdock.errors import ImageBusy
from wimdock.reparse.hosts import SERVER_2012_R2, SERVER_2016, Build
from wimdock.servicing.mounts import is_mount_point, list_mounts, mount
from wimdock.wim import Archive
from wimdock.wim.generations import read_generations

ARTICLE = mount_directory("D:\\", "CAS00123")
FULL_BAR = "[==========================100.0%==========================]"
DONE = "The operation completed successfully."


def listed(dism: Dism, image: Path, *more: str) -> list[str]:
    """Give the lines about an image among all mounts: other tests of the machine have theirs."""
    lines = dism(*more, "/Get-MountedImageInfo").lines
    assert lines[:2] == ["Mounted images:", ""]
    assert lines[-2:] == ["", DONE]
    names = (f"Image File : {image}", rf"Image File : D:\{image.name}")
    at = [number for number, line in enumerate(lines) if line in names]
    assert len(at) < 2
    return lines[at[0] - 1 : at[0] + 5] if at else []


def mounted(dism: Dism, image: Path, place: Path, *more: str) -> None:
    tokens = ("/Mount-Image", f"/ImageFile:{image}", "/Index:1", f"/MountDir:{place}", *more)
    ended = dism(*tokens)
    assert ended.status == 0
    assert ended.lines == ["Mounting image", FULL_BAR, DONE]


def test_mount_change_commit(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place)
    drive = f"--drive=D={place.parent}"
    assert listed(dism, image, drive) == [
        r"Mount Dir : D:\Mount Dir",
        r"Image File : D:\demo.wim",
        "Image Index : 1",
        "Mounted Read/Write : Yes",
        "Status : Ok",
        "",
    ]
    assert listed(dism, image)[0] == f"Mount Dir : {place}"
    (place / "new.txt").write_text("new")
    ended = dism(drive, "/Unmount-Wim", r'/MountDir:"D:\mount dir"', "/Commit")
    assert ended.lines == ["Saving image", FULL_BAR, "Unmounting image", FULL_BAR, DONE]
    assert not is_mount_point(place)
    assert listed(dism, image) == []
    mounted(dism, image, place, "/ReadOnly", "/Optimize")
    assert (place / "new.txt").read_text() == "new"
    assert "Mounted Read/Write : No" in listed(dism, image)
    ended = dism("/Unmount-Image", f"/MountDir:{place}", "/Commit")
    assert ended.error == "0xc142010c"
    assert dism("/Unmount-Image", f"/MountDir:{place}", "/Discard").status == 0
    assert dism("/Unmount-Image", f"/MountDir:{place}", "/Discard").error == "0xc142010b"


def test_where_nothing_is_mounted(dism: Dism, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wimdock.servicing.mounts.list_mounts", tuple)
    lines = dism("/Get-MountedWimInfo").lines
    assert lines == ["Mounted images:", "", "No mounted images found.", "", DONE]


def test_commit_leaves_it_mounted(dism: Dism, image: Path, place: Path) -> None:
    typed = str(place)
    mounted(dism, image, place)
    before = len(read_generations(image))
    (place / "new.txt").write_text("new")
    assert dism("/Commit-Image", f"/MountDir:{place}").lines == ["Saving image", FULL_BAR, DONE]
    found = next(each for each in list_mounts() if each.directory == place)
    assert (found.is_live, found.writable, found.record and found.record.typed) == (
        True,
        True,
        typed,
    )
    assert (place / "new.txt").read_text() == "new"
    assert len(read_generations(image)) == before + 1
    (place / "later.txt").write_text("later")
    dism("/Unmount-Image", f"/MountDir:{place}", "/Discard")
    mounted(dism, image, place, "/ReadOnly")
    assert (place / "new.txt").exists()
    assert not (place / "later.txt").exists()


def test_a_commit_that_is_not_mounted_again_says_that_nothing_is_lost(
    dism: Dism, image: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(dism, image, place)
    (place / "new.txt").write_text("new")

    def busy(*_given: object, **_named: object) -> None:
        message = "somebody was quicker"
        raise ImageBusy(message)

    monkeypatch.setattr("wimdock.servicing.mounts.mount", busy)
    ended = dism("/Commit-Image", f"/MountDir:{place}")
    assert ended.error == "32"
    assert "the changes are committed, but the image is not mounted again" in ended.out


def test_a_commit_without_changes(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place)
    assert dism("/Commit-Image", f"/MountDir:{place}").status == 0
    assert is_mount_point(place)
    assert dism("/Unmount-Image", f"/MountDir:{place}", "/Commit").status == 0
    assert not is_mount_point(place)


def test_what_holds_the_folder_open_stops_a_commit(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place)
    (place / "new.txt").write_text("new")
    with (place / "new.txt").open():
        assert dism("/Commit-Image", f"/MountDir:{place}").error == "0xc1420117"
        assert dism("/Unmount-Image", f"/MountDir:{place}", "/Discard").status == 0x17
    assert is_mount_point(place)


def test_a_lost_mount_is_shown_mounted_again_and_cleared(
    dism: Dism, image: Path, place: Path
) -> None:
    mounted(dism, image, place)
    kill_daemon(place)
    wait_for(lambda: "Status : Needs Remount" in listed(dism, image))
    ended = dism("/Remount-Image", f"/MountDir:{place}")
    assert ended.lines[:2] == ["Remounting image", FULL_BAR]
    assert ended.lines[-1] == DONE
    assert "Status : Ok" in listed(dism, image)
    assert dism("/Remount-Image", f"/MountDir:{place}").error == "0xc1420123"
    assert dism("/Cleanup-Mountpoints").lines == ["Scanning for stale mounts", FULL_BAR, DONE]
    assert is_mount_point(place)
    kill_daemon(place)
    lines = dism("/Cleanup-Wim").lines
    assert any(str(place) in line and "record removed" in line for line in lines)
    assert not is_mount_point(place)


@pytest.mark.parametrize(
    "tokens, error",
    [
        (["/Index:2", "/MountDir:{place}"], "0xc1510113"),
        (["/Index:1", "/MountDir:{place}/none"], "0xc1420115"),
        (["/Index:1", "/MountDir:{image}"], "267"),
        (["/Index:1", "/MountDir:{place}/.."], "0xc1420114"),
        (["/Index:1", "/MountDir:{place}", "/CheckIntegrity"], "50"),
    ],
)
def test_mounts_that_are_refused(
    dism: Dism, image: Path, place: Path, tokens: list[str], error: str
) -> None:
    given = [token.format(place=place, image=image) for token in tokens]
    assert dism("/Mount-Image", f"/ImageFile:{image}", *given).error == error
    assert not is_mount_point(place)


def test_the_integrity_of_a_file_is_checked_and_kept(
    dism: Dism, image: Path, place: Path, tmp_path: Path
) -> None:
    checked = tmp_path / "checked.wim"
    subprocess.run(
        ["wimlib-imagex", "export", image, "1", checked, "--check"], check=True, capture_output=True
    )
    ended = dism(
        *("/Mount-Image", f"/ImageFile:{checked}", "/Index:1", f"/MountDir:{place}"),
        "/CheckIntegrity",
    )
    assert ended.lines == ["Checking image", FULL_BAR, "Mounting image", FULL_BAR, DONE]
    (place / "new.txt").write_text("new")
    unmount = ("/Unmount-Image", f"/MountDir:{place}", "/Commit", "/CheckIntegrity")
    assert dism(*unmount).status == 0
    with Archive.open(checked) as archive:
        assert archive.header.integrity.size
    subprocess.run(["wimlib-imagex", "verify", str(checked)], check=True, capture_output=True)
    data = bytearray(checked.read_bytes())
    data[300] ^= 0xFF
    checked.write_bytes(data)
    ended = dism(
        *("/Mount-Image", f"/ImageFile:{checked}", "/Index:1", f"/MountDir:{place}"),
        "/CheckIntegrity",
    )
    assert ended.error == "23"
    assert not is_mount_point(place)


def test_a_commit_adds_no_integrity_table(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place)
    (place / "new.txt").write_text("new")
    ended = dism("/Unmount-Image", f"/MountDir:{place}", "/Commit", "/CheckIntegrity")
    assert ended.error == "50"
    assert is_mount_point(place)


def test_packages_are_read_through_the_mount(dism: Dism, image: Path, place: Path) -> None:
    of_the_file = dism(f"/Image:{image}", "/Get-Packages").lines
    mounted(dism, image, place)
    of_the_mount = dism(f"/Image:{place}", "/Get-Packages").lines
    assert of_the_mount[2:] == of_the_file[2:]
    hive = place / "Windows" / "System32" / "config" / "SOFTWARE"
    hive.rename(hive.with_name("moved"))
    hive.symlink_to("moved")
    assert dism(f"/Image:{place}", "/Get-Packages").error == "2"


def test_a_package_is_not_added_to_a_mount(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place)
    update = image.with_name("demo-update.cab")
    before = image.read_bytes()
    ended = dism(f"/Image:{place}", "/Add-Package", f"/PackagePath:{update}")
    assert (ended.error, ended.status) == ("50", 50)
    assert "/Image:FILE.wim" in ended.out
    assert image.read_bytes() == before
    assert is_mount_point(place)


def staged(drive: Path, image: Path, host: Build | None) -> Path:
    """Mount an image where Configuration Manager would, with a host that is played."""
    folder = drive / "ConfigMgr_OfflineImageServicing" / "CAS00123" / "ImageMountDir"
    folder.mkdir(parents=True)
    mount(image, 1, folder, writable=True, host=host, typed=ARTICLE)
    return folder


def test_the_articles_command_as_it_is_written(dism: Dism, image: Path, tmp_path: Path) -> None:
    need_mounting()
    folder = staged(tmp_path / "d", image, None)
    assert f"Mount Dir : {ARTICLE}" in dism("/Get-MountedImageInfo").lines
    program, *tokens = unmount_command(ARTICLE).split(" ")
    assert program == "Dism.exe"
    assert tokens == ["/unmount-image", f"/mountdir:{ARTICLE}", "/discard"]
    ended = dism("--drive", f"D={tmp_path / 'd'}", *tokens)
    assert ended.lines == ["Unmounting image", FULL_BAR, DONE]
    assert not is_mount_point(folder)


def test_the_articles_failure_again_and_again(
    dism: Dism, lab_image: Callable[[str], Path], tmp_path: Path, state: Path
) -> None:
    need_mounting()
    drive, image = tmp_path / "d", lab_image("lzx")
    folder = staged(drive, image, SERVER_2012_R2)
    (folder / "update.txt").write_text("an update")
    commit = ("--drive", f"D={drive}", "/unmount-image", f"/mountdir:{ARTICLE}", "/commit")
    for _ in range(2):
        ended = dism(*commit)
        assert (ended.status, ended.error) == (161, "161")
        assert ended.lines[0] == "Saving image"
        assert is_mount_point(folder)
    log = state / "dism.log"
    text = log.read_text()
    assert "Host machine information: OS Version=6.3.9600" in text
    assert "[0x800700a1] ImageRecaptureDirectory:(141): The specified path is invalid." in text
    assert "[0x800700a1] WIMCommitImageHandle:(1417): The specified path is invalid." in text
    assert "CWimImage::Save(hr:0x800700a1)" in text
    found = examine([log], load_rules()).findings
    assert {finding.rule and finding.rule.id for finding in found} == {"unknown-reparse-points"}
    assert {finding.confidence for finding in found} == {Confidence.HIGH}
    discard = (*commit[:-1], "/discard")
    assert dism(*discard).status == 0
    assert not is_mount_point(folder)


def test_a_newer_host_commits(dism: Dism, lab_image: Callable[[str], Path], tmp_path: Path) -> None:
    need_mounting()
    drive = tmp_path / "d"
    folder = staged(drive, lab_image("lzx"), SERVER_2016)
    (folder / "update.txt").write_text("an update")
    ended = dism("--drive", f"D={drive}", "/unmount-image", f"/mountdir:{ARTICLE}", "/commit")
    assert ended.status == 0
    assert not is_mount_point(folder)


def test_commands_in_hints_can_be_typed(dism: Dism, image: Path, place: Path) -> None:
    mounted(dism, image, place, "/ReadOnly")
    ended = dism("/Unmount-Image", f"/MountDir:{place}", "/Commit")
    assert f"`wimdock unmount '{place}' --discard`" in ended.out


def test_no_log_is_written_into_the_image(dism: Dism, image: Path, place: Path) -> None:
    """It would be committed with the image, and its writer would keep the image mounted."""
    mounted(dism, image, place)
    inside = f"/LogPath:{place}/my.log"
    assert dism("/Unmount-Image", f"/MountDir:{place}", "/Commit", inside).error == "87"
    assert not (place / "my.log").exists()
    beside = f"/LogPath:{place} my.log"
    assert dism("/Unmount-Image", f"/MountDir:{place}", "/Discard", beside).status == 0
    assert Path(f"{place} my.log").exists()
    mount = ("/Mount-Image", f"/ImageFile:{image}", "/Index:1", f"/MountDir:{place}")
    assert dism(*mount, inside).error == "87"
    assert list(place.iterdir()) == []
