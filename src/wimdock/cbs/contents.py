r"""The files of an extracted package, by name, without regard to case.

No name that a package chooses ever becomes a name on this machine: see `spool.py` for where the
contents are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import MalformedPackage
from wimdock.files import storage_error

Content = Path | bytes
"""What a file holds: a file on disk, or the bytes themselves."""

_PIECE = 1 << 20
_PART_LIMIT = 255
_NAME_LIMIT = 1024
_FORBIDDEN = frozenset('<>:"|?*') | {chr(code) for code in range(32)} | {chr(127)}
_DEVICES = (
    frozenset(("con", "prn", "aux", "nul", "conin$", "conout$", "clock$"))
    | {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ContentFile:
    r"""One file of a package: its name there (`folder\file`), its content, its size."""

    name: str
    content: Content
    size: int

    def read(self, limit: int) -> bytes:
        """Give the whole content of up to `limit` bytes (MalformedPackage beyond)."""
        if self.size > limit:
            message = f"{self.name} is larger than any real one ({self.size} bytes)"
            raise MalformedPackage(message)
        if isinstance(self.content, bytes):
            return self.content
        try:
            return self.content.read_bytes()
        except OSError as error:
            raise storage_error(error, self.content) from error

    def digests(self, algorithms: Iterable[str]) -> dict[str, bytes]:
        """Hash the content with several algorithms in one pass."""
        hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        for piece in self._pieces():
            for entry in hashes.values():
                entry.update(piece)
        return {name: entry.digest() for name, entry in hashes.items()}

    def _pieces(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        try:
            with self.content.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise storage_error(error, self.content) from error


class Contents:
    """The files of a package by folded name. Adding one that is there already is refused."""

    __slots__ = ("_files", "_folders")

    def __init__(self, files: Iterable[ContentFile] = ()) -> None:
        """Take files, each name once."""
        self._files: dict[str, ContentFile] = {}
        self._folders: dict[str, list[tuple[str, ContentFile]]] = {}
        for file in files:
            self.add(file)

    def add(self, file: ContentFile) -> None:
        """Add a file; MalformedPackage where only case tells its name from another."""
        key = fold_name(file.name)
        if key in self._files:
            message = f"the package holds {file.name[:200]!r} twice"
            raise MalformedPackage(message)
        self._files[key] = file
        folder, separator, rest = key.partition("\\")
        if separator:
            self._folders.setdefault(folder, []).append((rest, file))

    def get(self, name: str) -> ContentFile | None:
        """Find a file by name."""
        return self._files.get(fold_name(name))

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        return fold_name(name) in self._files

    def __iter__(self) -> Iterator[ContentFile]:
        """Give all files in the order of the package."""
        return iter(self._files.values())

    def __len__(self) -> int:
        """Count the files."""
        return len(self._files)

    def ending(self, suffix: str) -> Iterator[ContentFile]:
        """Give the files whose name ends so, in the order of the package."""
        return (file for key, file in self._files.items() if key.endswith(suffix.lower()))

    def below(self, folder: str) -> Iterator[tuple[str, ContentFile]]:
        """Give the files below a top folder with their names from there on, folded."""
        return iter(self._folders.get(fold_name(folder), ()))


def fold_name(name: str) -> str:
    """Give the form of a package name in which equal names are the same string."""
    return name.replace("/", "\\").lower()


def safe_name(name: str) -> str:
    r"""Give a name of a package with backslashes, or raise MalformedPackage.

    Refused: absolute, drive and UNC names, `.` and `..`, empty parts, control characters and what
    else Windows does not allow in a name, device names, trailing dots and spaces, overlong names.
    """
    plain = name.replace("/", "\\")
    parts = plain.split("\\")
    if len(plain) > _NAME_LIMIT or not all(is_safe_part(part) for part in parts):
        message = f"the package holds a file with the unsafe name {name[:200]!r}"
        raise MalformedPackage(message)
    return plain


def is_safe_part(part: str) -> bool:
    """Tell whether Windows can have a file or folder of this name (a name, not a path)."""
    if not part or len(part) > _PART_LIMIT or part[-1] in ". ":
        return False
    if not _FORBIDDEN.isdisjoint(part):
        return False
    return part.split(".", 1)[0].rstrip(" ").lower() not in _DEVICES
