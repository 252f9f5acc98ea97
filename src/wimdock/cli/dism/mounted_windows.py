"""The Windows in a folder of this machine: a mounted image, read through the mount.

So what was changed in the mount is seen, committed or not. Whoever made the image chose what is in
it: nothing here goes through a symbolic link, which could lead out of the mount.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import open_file, read_at, storage_error
from wimdock.image.change_set import HiveName
from wimdock.image.description import CURRENT_VERSION, number_of, text_of
from wimdock.image.packages import InstalledPackage, read_packages, release_type_in
from wimdock.image.windows import SERVICING_PACKAGES
from wimdock.paths import ImagePath
from wimdock.registry import Hive
from wimdock.upcase import fold

_NO_WINDOWS = 0x80070002
_LARGEST_HIVE = 1 << 30
_LARGEST_MANIFEST = 1 << 20


class MountedWindows:
    """An installation of Windows in a folder; StorageError where there is none."""

    def __init__(self, root: Path) -> None:
        """Take the folder and read its SOFTWARE hive."""
        self.root = root
        path = self._find(HiveName.SOFTWARE.path)
        if path is None:
            message = f"{root} holds no Windows: there is no {HiveName.SOFTWARE.path} in it"
            hint = "Mount the image there first, or name an image file."
            raise StorageError(message, hint=hint, hresult=_NO_WINDOWS)
        self.software = Hive.parse(_read(path, _LARGEST_HIVE))

    @cached_property
    def version(self) -> str:
        """Its version such as "10.0.19041.1"; nothing where its registry does not tell."""
        key = self.software.open_key(CURRENT_VERSION)
        if key is None:
            return ""
        major = number_of(key, "CurrentMajorVersionNumber")
        first = text_of(key, "CurrentVersion")
        if major is not None:
            first = f"{major}.{number_of(key, 'CurrentMinorVersionNumber') or 0}"
        build = text_of(key, "CurrentBuildNumber") or text_of(key, "CurrentBuild")
        return f"{first}.{build}.{number_of(key, 'UBR') or 0}" if first and build else ""

    @property
    def packages(self) -> tuple[InstalledPackage, ...]:
        """The packages that its registry knows, sorted by ID."""
        return read_packages(self.software)

    def release_types(self) -> dict[str, str]:
        """Give the release type of every package with a .mum, by lower-cased ID."""
        folder = self._find(SERVICING_PACKAGES, folder=True)
        if folder is None:
            return {}
        found = {}
        for path in sorted(_children(folder)):
            name, _, extension = path.name.rpartition(".")
            if name and extension.lower() == "mum" and _is(path, stat.S_ISREG):
                found[name.lower()] = release_type_in(_read(path, _LARGEST_MANIFEST))
        return found

    def _find(self, path: ImagePath, *, folder: bool = False) -> Path | None:
        """Give the place of a path of the image, without regard to case; None where it is not."""
        here = self.root
        for number, part in enumerate(path.parts, 1):
            wanted = fold(part)
            found = sorted(each for each in _children(here) if fold(each.name) == wanted)
            if not found:
                return None
            here = found[0]
            last = number == len(path.parts) and not folder
            if not _is(here, stat.S_ISREG if last else stat.S_ISDIR):
                return None
        return here


def _children(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in os.listdir(folder)]  # noqa: PTH208 - names, not entries
    except OSError as error:
        raise storage_error(error, folder) from error


def _is(path: Path, kind: Callable[[int], bool]) -> bool:
    try:
        return kind(path.lstat().st_mode)
    except OSError:
        return False


def _read(path: Path, largest: int) -> bytes:
    fd = open_file(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return read_at(fd, largest, 0)
    finally:
        os.close(fd)
