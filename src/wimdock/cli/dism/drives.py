r"""Windows paths on this machine: `D:\images\a.wim` below the folder that stands for drive D.

A drive is a folder, named by `--drive D=/srv/d` or in WIMDOCK_DRIVES. Below it the parts of a path
are looked up as Windows does: without regard to case, `.` and `..` taken out first (so that `..`
never leads above the drive's root), trailing dots and spaces ignored. POSIX paths are taken as they
are. Symbolic links on the way are followed: who made the folder answers for them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wimdock.errors import StorageError, UsageError
from wimdock.files import own_path, storage_error
from wimdock.upcase import fold

SETTING = "WIMDOCK_DRIVES"

_PATH_NOT_FOUND = 0x80070003
_INVALID_NAME = 0x8007007B
_BAD_NETPATH = 0x80070035
_DRIVE_OPTION = re.compile(r"([A-Za-z]):?=(.+)", re.DOTALL)
_DRIVE_PATH = re.compile(r"([A-Za-z]):(.*)", re.DOTALL)
_NEXT_DRIVE = re.compile(r":(?=[A-Za-z]=)")
_LONG = ("\\\\?\\", "\\\\.\\", "//?/")
_NOT_IN_NAMES = frozenset('<>:"|?*')


@dataclass(frozen=True, slots=True)
class Drives:
    """The folders that stand for drives, by upper-case letter."""

    folders: Mapping[str, Path] = field(default_factory=dict)

    def path(self, text: str) -> Path:
        """Give the path on this machine for one as typed; UsageError where there can be none.

        It need not exist: parts that are not there are taken as typed.
        """
        if text.startswith("/") and not text.startswith(_LONG):
            return Path(text)
        plain = text.replace('"', "")
        for prefix in _LONG:
            plain = plain.removeprefix(prefix)
        match = _DRIVE_PATH.fullmatch(plain)
        if match is not None:
            return self._on_drive(text, *match.groups())
        if plain.startswith(("\\\\", "//")) or text.startswith("\\\\"):
            message = f"{text} is a network path, which is not to be had from here"
            hint = "Mount the share and name its folder: --drive X=/mnt/share, then X:\\..."
            raise UsageError(message, hint=hint, hresult=_BAD_NETPATH)
        if plain.startswith("\\"):
            message = f"{text} does not say on which drive it lies"
            raise UsageError(message, hint="Begin it with a drive letter.", hresult=_INVALID_NAME)
        if "\\" in plain:
            above, parts = _parts(plain, text)
            return _below(Path(*[".."] * above), parts, text)
        return Path(text)

    def _on_drive(self, text: str, letter: str, rest: str) -> Path:
        folder = self.folders.get(letter.upper())
        if folder is None:
            message = f"{text}: no folder stands for drive {letter.upper()}:"
            hint = (
                f"Say which one does: --drive {letter.upper()}=/some/folder "
                f"(or {SETTING} in the environment)."
            )
            raise UsageError(message, hint=hint, hresult=_PATH_NOT_FOUND)
        if not rest.startswith(("\\", "/")):
            message = f"{text} is relative to a current folder on its drive, and there is none"
            hint = (
                "Write it from the root, and in a Linux shell in quotes, which keep its "
                f"backslashes: '{letter.upper()}:\\...'"
            )
            raise UsageError(message, hint=hint, hresult=_INVALID_NAME)
        if not folder.is_dir():
            message = f"{folder}, which stands for drive {letter.upper()}:, is no folder"
            hint = "Check --drive and WIMDOCK_DRIVES."
            raise UsageError(message, hint=hint, hresult=_PATH_NOT_FOUND)
        _above, parts = _parts(rest, text)
        return _below(folder, parts, text)

    def windows_name(self, path: Path) -> str:
        """Give a path as Windows would write it where it lies on a drive, else as it is."""
        for letter, folder in self.folders.items():
            if path.is_relative_to(folder):
                return f"{letter}:\\" + "\\".join(path.relative_to(folder).parts)
        return str(path)


def read_drives(options: Iterable[str], setting: str = "") -> Drives:
    """Give the drives of the command line, and of the setting where the line does not name them.

    The setting holds drives separated by colons: `D=/srv/d:E=/srv/e`.
    """
    folders: dict[str, Path] = {}
    for source, texts in (
        (SETTING, _NEXT_DRIVE.split(setting) if setting else []),
        ("--drive", list(options)),
    ):
        named: set[str] = set()
        for text in texts:
            letter, folder = _read(text, source)
            if letter in named:
                message = f"{source} names drive {letter}: twice"
                raise UsageError(message, hint="Name each drive once.")
            named.add(letter)
            folders[letter] = folder
    return Drives(folders)


def _read(text: str, source: str) -> tuple[str, Path]:
    match = _DRIVE_OPTION.fullmatch(text.strip())
    if match is None or "\0" in text:
        message = f"{source} holds {text[:60]!r}, which is not LETTER=FOLDER"
        raise UsageError(message, hint=f"Write it like {source} D=/srv/d.")
    letter, folder = match.groups()
    return letter.upper(), own_path(folder)


def _parts(rest: str, text: str) -> tuple[int, list[str]]:
    """Give the parts of a path as Windows takes them, and how many `..` led above its beginning."""
    above = 0
    found: list[str] = []
    for part in re.split(r"[\\/]+", rest):
        if part in ("", "."):
            continue
        if part == "..":
            above += not found
            del found[-1:]
            continue
        name = part.rstrip(". ")
        if not name or any(char in _NOT_IN_NAMES or ord(char) < ord(" ") for char in name):
            message = f"{text}: {part!r} can be no name in Windows"
            raise UsageError(message, hint="Check the path.", hresult=_INVALID_NAME)
        found.append(name)
    return above, found


def _below(root: Path, parts: list[str], text: str) -> Path:
    """Look the parts of a path up below a folder, without regard to case."""
    here = root
    for part in parts:
        here = here / _as_it_stands(here, part, text)
    return here


def _as_it_stands(folder: Path, name: str, text: str) -> str:
    """Give a name as it stands in a folder; as typed where the folder has none like it."""
    try:
        if os.path.lexists(folder / name):
            return name
        wanted = fold(name)
        alike = sorted(each for each in os.listdir(folder) if fold(each) == wanted)  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return name
    except OSError as error:
        raise storage_error(error, folder) from error
    if len(alike) > 1:
        message = f"{text}: {folder} holds {' and '.join(alike)}, which Windows cannot tell apart"
        raise StorageError(message, hint="Write the name as it stands, or rename one of them.")
    return alike[0] if alike else name
