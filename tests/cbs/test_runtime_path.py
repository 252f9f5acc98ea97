"""Folders by variable, for every word size."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cbs.runtime_path import RuntimeFolders, WordSize
from wimdock.errors import UnsupportedPackage
from wimdock.paths import ImagePath

AMD64 = RuntimeFolders("amd64")
X86 = RuntimeFolders("x86")
ARM64 = RuntimeFolders("arm64")


@pytest.mark.parametrize(
    "folders, arch, destination, path",
    [
        (AMD64, "amd64", "$(runtime.system32)\\", "Windows\\System32"),
        (AMD64, "amd64", "$(runtime.System32)\\OpenSSH\\", "Windows\\System32\\OpenSSH"),
        (AMD64, "wow64", "$(runtime.system32)\\", "Windows\\SysWOW64"),
        (AMD64, "x86", "$(RUNTIME.SYSTEM32)", "Windows\\SysWOW64"),
        (AMD64, "x86", "$(runtime.drivers)", "Windows\\SysWOW64\\drivers"),
        (AMD64, "amd64", "$(runtime.drivers)\\UMDF", "Windows\\System32\\drivers\\UMDF"),
        (AMD64, "wow64", "$(runtime.wbem)\\en-US", "Windows\\SysWOW64\\wbem\\en-US"),
        (AMD64, "wow64", "$(runtime.programFiles)\\a", "Program Files (x86)\\a"),
        (AMD64, "amd64", "$(runtime.programFilesX86)\\a", "Program Files (x86)\\a"),
        (AMD64, "wow64", "$(runtime.commonFiles)", "Program Files (x86)\\Common Files"),
        (AMD64, "wow64", "$(runtime.windows)\\Fonts", "Windows\\Fonts"),
        (AMD64, "msil", "$(runtime.windows)\\Microsoft.NET", "Windows\\Microsoft.NET"),
        (AMD64, "amd64", "$(runtime.bootDrive)\\Boot", "Boot"),
        (AMD64, "amd64", "$(runtime.inf)", "Windows\\INF"),
        (AMD64, "amd64", "$(runtime.fonts)", "Windows\\Fonts"),
        (AMD64, "amd64", "$(runtime.help)/Windows", "Windows\\Help\\Windows"),
        (AMD64, "amd64", "$(runtime.programData)", "ProgramData"),
        (AMD64, "amd64", "$(runtime.public)\\Desktop", "Users\\Public\\Desktop"),
        (AMD64, "amd64", "$(runtime.userProfile)\\Links", "Users\\Default\\Links"),
        (X86, "x86", "$(runtime.system32)", "Windows\\System32"),
        (X86, "x86", "$(runtime.programFiles)", "Program Files"),
        (ARM64, "arm64", "$(runtime.system32)", "Windows\\System32"),
        (ARM64, "arm", "$(runtime.system32)", "Windows\\SysArm32"),
        (ARM64, "wow64", "$(runtime.system32)", "Windows\\SysWOW64"),
    ],
)
def test_folders(folders: RuntimeFolders, arch: str, destination: str, path: str) -> None:
    assert folders.folder(destination, arch) == ImagePath(path)


@pytest.mark.parametrize(
    "destination",
    [
        "",
        "Windows\\System32",
        "$(runtime.nowhere)\\x",
        "$(build.nttree)\\x",
        "$(runtime.system32",
        "$(runtime.system32)x",
        "$(runtime.system32)\\$(runtime.windows)",
        "$(runtime.system32)\\..\\..\\evil",
        "$(system32)",
    ],
)
def test_destinations_that_are_refused(destination: str) -> None:
    with pytest.raises(UnsupportedPackage) as caught:
        AMD64.folder(destination, "amd64")
    assert caught.value.reasons


@pytest.mark.parametrize("folders, arch", [(X86, "amd64"), (AMD64, "arm64"), (X86, "wow64")])
def test_components_that_an_image_cannot_hold(folders: RuntimeFolders, arch: str) -> None:
    with pytest.raises(UnsupportedPackage, match="component for"):
        folders.folder("$(runtime.system32)", arch)


def test_texts() -> None:
    assert AMD64.text("no variable", "amd64") == "no variable"
    assert AMD64.text("$(runtime.windows)\\a;$(runtime.system32)", "x86") == (
        "C:\\Windows\\a;C:\\Windows\\SysWOW64"
    )
    assert RuntimeFolders("amd64", "X:").text("$(runtime.bootDrive)\\", "amd64") == "X:\\"
    assert AMD64.text("$(OutDir)\\x $(", "amd64") == "$(OutDir)\\x $("


@pytest.mark.parametrize("text", ["$(runtime.nowhere)", "$(resourceString.name)", "$(string.a)"])
def test_texts_with_variables_that_are_not_known(text: str) -> None:
    with pytest.raises(UnsupportedPackage, match=r"\$\("):
        AMD64.text(text, "amd64")


@given(st.text(max_size=60), st.sampled_from(["amd64", "x86", "wow64", "msil"]))
def test_any_text_is_replaced_or_refused(text: str, arch: str) -> None:
    for call in (AMD64.folder, AMD64.text):
        with contextlib.suppress(UnsupportedPackage):
            call(text, arch)


@given(st.sampled_from(["system32", "drivers", "programFiles", "windows"]), st.booleans())
def test_a_32_bit_component_of_a_64_bit_image_never_touches_the_64_bit_folders(
    name: str,
    upper: bool,  # noqa: FBT001 - hypothesis passes it by name
) -> None:
    variable = f"$(runtime.{name.upper() if upper else name})"
    folder = AMD64.folder(variable, "x86")
    assert not folder.is_below(ImagePath("Windows\\System32"))
    assert not folder.is_below(ImagePath("Program Files"))
    assert AMD64.word_size("x86") is WordSize.WOW64
