"""The reparse points of an image against those that the lab put there and other tools read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.image.sample import make_image
from tests.lab import links
from tests.lab.lab import Lab
from wimdock.image.change_set import PutDirectory, PutFile, PutReparsePoint
from wimdock.image.reparse_points import ReparsePoint, grouped, reparse_points
from wimdock.paths import ImagePath
from wimdock.reparse import LinuxSymlink, Opaque, Owner, SymbolicLink, decode, tags
from wimdock.reparse.encode import encode, junction, symbolic_link
from wimdock.wim import Archive


def points_of(path: Path, index: int = 1) -> dict[ImagePath, ReparsePoint]:
    """Give the reparse points of an image by path."""
    with Archive.open(path) as archive:
        return {point.path: point for point in reparse_points(archive.image(index))}


@pytest.mark.parametrize("recipe", ["lzx", "xpress"])
def test_every_reparse_point_of_the_lab_is_found_and_read(lab: Lab, recipe: str) -> None:
    found = points_of(lab.image(recipe))
    put = {
        ImagePath(entry.path): entry.reparse
        for entry in links.reparse_points()
        if entry.reparse is not None
    }
    assert set(found) == set(put)
    for path, raw in put.items():
        point, data = found[path], raw[8:]
        assert point.tag.value == int.from_bytes(raw[:4], "little")
        assert point.size == len(data)
        assert point.value == decode(point.tag.value, data)


def test_owners_in_the_lab(lab: Lab) -> None:
    found = points_of(lab.image("lzx"))
    owners = {
        r"\Documents and Settings": Owner.WINDOWS,
        r"\Users\All Users": Owner.WINDOWS,
        r"\ProgramData\Application Data": Owner.WINDOWS,
        r"\ProgramData\Lab\links\absolute.txt": Owner.PLAIN,
        r"\Users\Default\AppData\Local\Microsoft\WindowsApps\winget.exe": Owner.STORE,
        r"\Users\Default\OneDrive - Lab\Report.docx": Owner.ONEDRIVE,
        r"\ProgramData\Lab\marks\vendor.bin": Owner.THIRD_PARTY,
        r"\ProgramData\Lab\marks\wci.txt": Owner.CONTAINERS,
    }
    assert {path: found[ImagePath(path)].owner for path in owners} == owners
    office = [point for point in found.values() if point.owner is Owner.OFFICE]
    assert len(office) == 4


def test_special_files_have_no_data(lab: Lab) -> None:
    found = points_of(lab.image("special"))
    special = {point.tag.name: point for point in found.values() if not point.size}
    assert set(special) == {"AF_UNIX", "LX_BLK", "LX_CHR", "LX_FIFO"}
    assert all(point.value == Opaque(0) for point in special.values())


def test_groups_count_everything_once(lab: Lab) -> None:
    found = list(points_of(lab.image("lzx")).values())
    groups = grouped(found)
    assert sum(group.count for group in groups) == len(found)
    assert sum(group.size for group in groups) == sum(point.size for point in found)
    assert len({(group.owner, group.tag) for group in groups}) == len(groups)
    owners = [group.owner for group in groups]
    together = [owner for place, owner in enumerate(owners) if owners.index(owner) == place]
    assert sorted(owners, key=together.index) == owners


def test_nothing_to_group() -> None:
    assert grouped(()) == ()


def test_links_that_wimlib_makes_of_those_of_a_folder(tmp_path: Path) -> None:
    """wimlib-imagex turns the links of a Linux folder into reparse data of its own making."""
    if shutil.which("wimlib-imagex") is None:
        skip_or_fail("not installed: wimlib-imagex")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("x")
    (folder / "link").symlink_to("a/../file")
    (folder / "same").symlink_to("a/../file")
    image = tmp_path / "folder.wim"
    subprocess.run(["wimlib-imagex", "capture", folder, image], check=True, capture_output=True)
    found = points_of(image)
    assert set(found) == {ImagePath("link"), ImagePath("same")}
    for point in found.values():
        assert point.value == SymbolicLink("a\\..\\file", "a\\..\\file", relative=True)


def test_wimlib_reads_the_links_that_we_write(tmp_path: Path) -> None:
    if shutil.which("wimlib-imagex") is None:
        skip_or_fail("not installed: wimlib-imagex")
    folder_link, folder_data = encode(junction("C:\\folder"))
    file_link, file_data = encode(symbolic_link("folder\\file.txt"))
    image = make_image(
        tmp_path / "links.wim",
        PutFile(ImagePath(r"\folder\file.txt"), b"content"),
        PutReparsePoint(ImagePath(r"\link"), file_link, file_data),
        PutReparsePoint(ImagePath(r"\junction"), folder_link, folder_data, directory=True),
    )
    applied = tmp_path / "applied"
    subprocess.run(["wimlib-imagex", "apply", image, applied], check=True, capture_output=True)
    assert (applied / "link").readlink() == Path("folder/file.txt")
    assert (applied / "junction").readlink().name == "folder"
    assert (applied / "link").read_bytes() == b"content"


def test_data_that_are_missing_or_broken_are_shown_as_such(tmp_path: Path) -> None:
    image = make_image(
        tmp_path / "broken.wim",
        PutDirectory(ImagePath("d")),
        PutReparsePoint(ImagePath(r"\d\good"), tags.LX_SYMLINK, b"\2\0\0\0target"),
        PutReparsePoint(ImagePath(r"\d\odd"), tags.SYMLINK, b"not a link"),
        PutReparsePoint(ImagePath(r"\d\bad"), tags.LX_SYMLINK, b"\2\0\0\0spoiled"),
    )
    data = image.read_bytes()
    assert data.count(b"spoiled") == 1
    image.write_bytes(data.replace(b"spoiled", b"SPOILED"))
    found = points_of(image)
    assert found[ImagePath(r"\d\good")].value == LinuxSymlink("target")
    odd, bad = found[ImagePath(r"\d\odd")].value, found[ImagePath(r"\d\bad")].value
    assert isinstance(odd, Opaque)
    assert isinstance(bad, Opaque)
    assert "at least" in odd.reason
    assert "SHA-1" in bad.reason
