"""The Windows in an image, on the lab's images and on small ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.sample import make_image, put_hive
from tests.lab.lab import Lab
from tests.lab.pe import library, servicing_stack_library
from tests.lab.tree import package_ids
from wimdock.errors import MalformedHive, NoSuchImage
from wimdock.image.change_set import FileEdit, HiveName, PutDirectory, PutFile
from wimdock.image.windows import WindowsImage
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.wim import Archive

STACK = r"\Windows\WinSxS\{}_microsoft-windows-servicingstack_31bf3856ad364e35_{}_none_0{}\wcp.dll"


def stack(version: str, content: bytes, arch: str = "amd64") -> PutFile:
    """Give the edit that puts a servicing stack's wcp.dll into the component store."""
    return PutFile(ImagePath(STACK.format(arch, version, len(version))), content)


def dictionary_in(path: Path, *edits: FileEdit) -> bytes | None:
    """Give the manifest dictionary of an image that holds what the edits make."""
    with Archive.open(make_image(path, *edits)) as archive:
        return WindowsImage(archive, 1).manifest_dictionary()


def test_the_lab(lab: Lab) -> None:
    with Archive.open(lab.image("multi")) as archive:
        windows = WindowsImage(archive, 1)
        assert windows.version == "10.0.19041.388"
        assert windows.architecture == "amd64"
        assert windows.control_set == "ControlSet001"
        assert windows.record.name == "Windows 10 Enterprise"
        assert windows.manifest_dictionary() == lab.dictionary or lab.dictionary is None
        packages = windows.installed_packages()
        assert {package.id for package in packages} == set(package_ids())
        assert windows.installed_packages() is packages
        releases = windows.release_types()
        assert set(releases) == {package.id.lower() for package in packages}
        assert WindowsImage(archive, 2).description.edition == "Professional"


def test_an_image_without_windows(lab: Lab) -> None:
    with Archive.open(lab.image("multi")) as archive:
        windows = WindowsImage(archive, 3)
        assert windows.hive(HiveName.SOFTWARE) is None
        assert windows.installed_packages() == ()
        assert windows.release_types() == {}
        assert windows.manifest_dictionary() is None
        assert (windows.version, windows.architecture) == ("", "")
        assert windows.control_set == "ControlSet001"


def test_no_such_image(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.wim", PutFile(ImagePath("x"), b"x"))
    with Archive.open(image) as archive, pytest.raises(NoSuchImage):
        WindowsImage(archive, 2)


def test_reading_files(tmp_path: Path) -> None:
    image = make_image(
        tmp_path / "a.wim",
        PutFile(ImagePath(r"\Windows\a.txt"), b"text"),
        PutFile(ImagePath(r"\Windows\empty"), b""),
    )
    with Archive.open(image) as archive:
        windows = WindowsImage(archive, 1)
        assert windows.read(ImagePath(r"\windows\A.TXT")) == b"text"
        assert windows.read(ImagePath(r"\windows\empty")) == b""
        assert windows.read(ImagePath(r"\windows\b.txt")) is None
        assert windows.read(ImagePath(r"\windows")) is None


def test_hives_are_read_once(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.wim", put_hive(HiveName.SYSTEM, Hive.empty("SYSTEM")))
    with Archive.open(image) as archive:
        windows = WindowsImage(archive, 1)
        assert windows.hive(HiveName.SYSTEM) is not None
        assert windows.hive(HiveName.SYSTEM) is windows.hive(HiveName.SYSTEM)
        assert windows.hive(HiveName.COMPONENTS) is None


def test_a_broken_hive_is_our_error(tmp_path: Path) -> None:
    image = make_image(tmp_path / "a.wim", PutFile(HiveName.SOFTWARE.path, b"regf but no hive"))
    with Archive.open(image) as archive:
        windows = WindowsImage(archive, 1)
        for _ in range(2):
            with pytest.raises(MalformedHive):
                windows.installed_packages()


def test_the_newest_servicing_stack_counts(tmp_path: Path) -> None:
    found = dictionary_in(
        tmp_path / "a.wim",
        stack("10.0.9.2", servicing_stack_library(b"old")),
        stack("10.0.10.1", servicing_stack_library(b"new")),
        stack("10.0.9.30", servicing_stack_library(b"older")),
    )
    assert found == b"new"


def test_a_servicing_stack_without_a_dictionary_is_passed_over(tmp_path: Path) -> None:
    found = dictionary_in(
        tmp_path / "a.wim",
        stack("10.0.9.2", servicing_stack_library(b"older one")),
        stack("10.0.10.1", library({(16, 1, 0): b"a version"})),
        stack("10.0.10.2", b"no program"),
        PutDirectory(ImagePath(STACK.format("x86", "10.0.11.1", 1)).parent),
    )
    assert found == b"older one"


def test_system32_is_looked_into_last(tmp_path: Path) -> None:
    program = PutFile(ImagePath(r"\Windows\System32\wcp.dll"), servicing_stack_library(b"last"))
    assert dictionary_in(tmp_path / "a.wim", program) == b"last"
    other = stack("10.0.1.1", servicing_stack_library(b"first"))
    assert dictionary_in(tmp_path / "b.wim", program, other) == b"first"
