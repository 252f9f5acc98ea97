"""Folders of the running Windows, as manifests name them: `$(runtime.system32)` and the like.

Names of the variables: Microsoft's documentation of package definitions (wm.xml, destinationDir),
the macros of its packaging tools, and what real manifests use. They are compared without regard to
case. A component of another word size than the image gets the folders of WOW64: x86 and wow64
components on a 64-bit image live in SysWOW64 and Program Files (x86), arm ones in SysArm32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from wimdock.cbs.refusal import refuse
from wimdock.errors import UsageError
from wimdock.paths import ImagePath

_VARIABLE = re.compile(r"\$\(([^()]*)\)")
_PREFIX = "runtime."
# Variables that servicing would resolve from elsewhere than the folders of Windows.
_FOREIGN = ("resourcestring.", "string.", "build.", "dependentassembly.")
_64_BIT = frozenset({"amd64", "arm64", "ia64"})
_ANY = frozenset({"msil", "neutral", "data", ""})

_SYSTEM = ("Windows\\System32", "Windows\\SysWOW64", "Windows\\SysArm32")
_PROGRAMS = ("Program Files", "Program Files (x86)", "Program Files (Arm)")
_START_MENU = "ProgramData\\Microsoft\\Windows\\Start Menu"


def refuse_variables(text: str) -> None:
    """Raise UnsupportedPackage where a text holds a variable of servicing that nobody replaces."""
    for match in _VARIABLE.finditer(text):
        if match[1].lower().startswith((_PREFIX, *_FOREIGN)):
            refuse(f"the variable $({match[1][:80]}) is not supported there")


class WordSize(IntEnum):
    """Which of the parallel system folders a component belongs to."""

    NATIVE = 0
    WOW64 = 1
    ARM32 = 2


def _everywhere(folder: str) -> tuple[str, str, str]:
    return (folder, folder, folder)


def _below(folders: tuple[str, str, str], name: str) -> tuple[str, str, str]:
    native, wow64, arm32 = (f"{folder}\\{name}" for folder in folders)
    return (native, wow64, arm32)


# Folder by variable, for each word size; relative to the root of the system drive.
_FOLDERS: dict[str, tuple[str, str, str]] = {
    "bootdrive": _everywhere(""),
    "systemdrive": _everywhere(""),
    "windows": _everywhere("Windows"),
    "windir": _everywhere("Windows"),
    "systemroot": _everywhere("Windows"),
    "system": _everywhere("Windows\\System"),
    "system32": _SYSTEM,
    "syswow64": _everywhere(_SYSTEM[WordSize.WOW64]),
    "drivers": _below(_SYSTEM, "drivers"),
    "wbem": _below(_SYSTEM, "wbem"),
    "mui": _below(_SYSTEM, "mui"),
    "help": _everywhere("Windows\\Help"),
    "inf": _everywhere("Windows\\INF"),
    "fonts": _everywhere("Windows\\Fonts"),
    "apppatch": _everywhere("Windows\\AppPatch"),
    "programfiles": _PROGRAMS,
    "programfilesx86": _everywhere(_PROGRAMS[WordSize.WOW64]),
    "commonfiles": _below(_PROGRAMS, "Common Files"),
    "commonfilesx86": _everywhere(_PROGRAMS[WordSize.WOW64] + "\\Common Files"),
    "programdata": _everywhere("ProgramData"),
    "startmenu": _everywhere(_START_MENU),
    "startup": _everywhere(_START_MENU + "\\Programs\\StartUp"),
    "public": _everywhere("Users\\Public"),
    "publicdesktop": _everywhere("Users\\Public\\Desktop"),
    "publicdocuments": _everywhere("Users\\Public\\Documents"),
    "publicdownloads": _everywhere("Users\\Public\\Downloads"),
    "publicmusic": _everywhere("Users\\Public\\Music"),
    "publicpictures": _everywhere("Users\\Public\\Pictures"),
    "publicvideos": _everywhere("Users\\Public\\Videos"),
    "userprofile": _everywhere("Users\\Default"),
}


@dataclass(frozen=True, slots=True)
class RuntimeFolders:
    """The folders of one image: its architecture (amd64, x86, …), and its drive letter at run time.

    The letter only matters where a path becomes part of a registry value.
    """

    architecture: str
    drive: str = "C:"

    @property
    def is_64_bit(self) -> bool:
        """Tell whether the image has the parallel folders of WOW64."""
        return self.architecture.lower() in _64_BIT

    def word_size(self, arch: str) -> WordSize:
        """Tell which system folders a component of an architecture uses.

        Raises UnsupportedPackage for one that the image cannot hold.
        """
        image, component = self.architecture.lower(), arch.lower()
        if component in _ANY or component == image:
            return WordSize.NATIVE
        if self.is_64_bit and component in ("x86", "wow64"):
            return WordSize.WOW64
        if image != "arm64" or component != "arm":
            refuse(f"a component for {arch} in an image for {self.architecture}")
        return WordSize.ARM32

    def folder(self, destination: str, arch: str) -> ImagePath:
        r"""Give the folder that a destination such as `$(runtime.system32)\wbem` names.

        Raises UnsupportedPackage where it does not begin with a known variable, or has another.
        """
        match = _VARIABLE.match(destination)
        if match is None:
            refuse(f"the destination {destination[:200]!r} begins with no known folder")
        tail = destination[match.end() :]
        if "$(" in tail or (tail and tail[0] not in "\\/"):
            refuse(f"the destination {destination[:200]!r} is not understood")
        try:
            return ImagePath(self._folder(match[1], arch)) / tail
        except UsageError:
            refuse(f"the destination {destination[:200]!r} is no path")

    def text(self, text: str, arch: str) -> str:
        r"""Replace the variables in a registry value: `$(runtime.windows)` -> `C:\Windows`.

        Raises UnsupportedPackage for a variable that is not known.
        """
        if "$(" not in text:
            return text
        return _VARIABLE.sub(lambda match: self._replace(match[0], match[1], arch), text)

    def _replace(self, written: str, name: str, arch: str) -> str:
        lowered = name.lower()
        if lowered.startswith(_FOREIGN):
            refuse(f"the variable $({name[:80]}) is not supported")
        if not lowered.startswith(_PREFIX):
            return written  # other programs write $(…) too
        folder = self._folder(name, arch)
        return f"{self.drive}\\{folder}" if folder else self.drive

    def _folder(self, name: str, arch: str) -> str:
        lowered = name.lower()
        folders = _FOLDERS.get(lowered.removeprefix(_PREFIX))
        if folders is None or not lowered.startswith(_PREFIX):
            refuse(f"the variable $({name[:80]}) is not known")
        return folders[self.word_size(arch)]
