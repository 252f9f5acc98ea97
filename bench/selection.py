"""Which of the machine's own files an image is captured from: the same ones every time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOTS = ("/usr", "/opt")
# An installed Windows has some hundred to a few thousand reparse points.
LINKS = 600
_ROW = 200
PLACE = "/Program Files/Machine"
_UNTOLD = ('"', "'", "\\", "\n", "\r")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file or symbolic link of the machine, and where it stands in the image; size in bytes."""

    path: str
    target: str
    size: int
    is_link: bool = False

    @property
    def folder(self) -> str:
        """The folder that it stands in, in the image."""
        return self.target.rpartition("/")[0]


def machine_files(roots: Iterable[str] = ROOTS) -> list[Chosen]:
    """Give every file and link below the roots that an image of Windows can hold beside the others.

    Left out: what cannot be read, other file systems, names that are not UTF-8 or that a list of
    sources cannot tell, and of names that differ by case only all but the first.
    """
    found: list[Chosen] = []
    for root in roots:
        if Path(root).is_dir():
            found += _without_twins(_walk(root))
    return found


def _walk(root: str) -> Iterator[Chosen]:
    device = Path(root).stat().st_dev
    pending = [root]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if not _can_be_told(entry.path):
                continue
            facts = entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                if facts.st_dev == device:
                    pending.append(entry.path)
            elif entry.is_symlink():
                yield Chosen(entry.path, PLACE + entry.path, 0, is_link=True)
            elif entry.is_file(follow_symlinks=False) and os.access(entry.path, os.R_OK):
                yield Chosen(entry.path, PLACE + entry.path, facts.st_size)


def _can_be_told(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return not any(char in path for char in _UNTOLD)


def _without_twins(files: Iterable[Chosen]) -> Iterator[Chosen]:
    spelling: dict[str, str] = {}
    for file in files:
        ways = [file.target]
        while ways[-1] != PLACE:
            ways.append(ways[-1].rpartition("/")[0])
        if all(spelling.setdefault(way.casefold(), way) == way for way in ways):
            yield file


def choose(files: list[Chosen], entries: int, size: int) -> list[Chosen]:
    """Give the smallest files up to `size` bytes in all, and some links; at least `entries`.

    A machine with fewer files lends them again under other names: content that is there already,
    but as many entries.
    """
    links = [file for file in files if file.is_link][:LINKS]
    chosen: list[Chosen] = []
    total = 0
    for file in sorted((file for file in files if not file.is_link), key=lambda file: file.size):
        total += file.size
        if total > size:
            break
        chosen.append(file)
    once = sorted((*chosen, *links), key=lambda file: file.target)
    several = list(once)
    number = 1
    while several and len(several) < entries:
        number += 1
        again = f"{PLACE}/again {number}"
        several += [replace(f, target=again + f.target.removeprefix(PLACE)) for f in once]
    return several


def thin(files: list[Chosen], every: int) -> list[Chosen]:
    """Give one of `every` so many, in rows of neighbours: so there are as many fewer folders.

    Of the ways to do that the one whose bytes, too, come nearest to that part of all.
    """
    rows = [files[start : start + _ROW] for start in range(0, len(files), _ROW)]
    sizes = [sum(file.size for file in row) for row in rows]
    wanted = sum(sizes) / every
    first = min(range(every), key=lambda first: abs(sum(sizes[first::every]) - wanted))
    return [file for row in rows[first::every] for file in row]


def heavy(files: list[Chosen], light: list[Chosen], size: int) -> list[Chosen]:
    """Give as few files as come to `size` bytes, none of which is among the light ones."""
    taken = {file.path for file in light}
    total = 0
    found: list[Chosen] = []
    for file in sorted(files, key=lambda file: -file.size):
        if total >= size:
            break
        if file.path not in taken and total + file.size <= size * 1.1:
            total += file.size
            found.append(file)
    return found
