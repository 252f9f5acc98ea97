"""Which files belong to a log: what it was renamed to when it had become too large.

| current | older |
|---|---|
| `X.log` of Configuration Manager | `X.lo_`, `X-YYYYMMDD-HHMMSS.log` |
| `dism.log` | `dism.log.bak`, `dism.bak` |
| `CBS.log` | `CbsPersist_YYYYMMDDHHMMSS.log` |
| any | `X.log.1`, `X.log.2`, …; `.gz` or `.xz` behind any of them |
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from wimdock.doctor.logs.source import COMPRESSED
from wimdock.errors import LogError, StorageError
from wimdock.files import storage_error

LOGS = ("offlineservicingmgr.log", "dism.log", "cbs.log")
"""The names of the logs that a folder is searched for, in lower case."""

_SUBFOLDERS = ("dism", "cbs", "logs", "logs/dism", "logs/cbs")
_ALIKE = ("dism", "cbs", "offlineservicing")
_MOST_ALIKE = 20
_PERSISTED = re.compile(r"cbspersist_(\d{14})\.(log|cab)")
_NEWEST_FIRST = 1 << 62


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file to read; `size` in bytes, 0 where it is not known."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class LogFiles:
    """The files to read, in order, and those beside them that are not read, with why."""

    files: tuple[LogFile, ...]
    unread: tuple[tuple[Path, str], ...] = ()


def find_logs(paths: Sequence[Path], *, companions: bool = True) -> LogFiles:
    """Find the files of the logs and folders named: each once, in each family the oldest first.

    In a folder, and in its folders `Logs`, `DISM` and `CBS`, the three logs of servicing are looked
    for; what else is there is not read. Companions are found beside a current log; a file that is
    itself an older one stands alone.
    Raises StorageError for a path that is not there, LogError for a folder without logs.
    """
    found: dict[Path, LogFile] = {}
    unread: dict[Path, str] = {}
    folders: list[Path] = []
    for named in paths:
        is_folder = _is_folder(named)
        folders += [named] if is_folder else []
        for path in _in_folder(named) if is_folder else [named]:
            family = _family(path, unread) if companions else [path]
            for each in family:
                found.setdefault(each, LogFile(each, _size(each)))
    for folder in folders:
        unread |= _left(folder, found.keys() | unread.keys())
    return LogFiles(tuple(found.values()), tuple(unread.items()))


def _left(folder: Path, known: AbstractSet[Path]) -> dict[Path, str]:
    """Give what of a folder is not read: by name what may be a log of servicing, else the number.

    A site server's folder of logs holds hundreds that have nothing to do with it.
    """
    left = [
        path
        for place in (folder, *_below(folder))
        for path in (place / entry.name for entry in sorted_entries(place))
        if path not in known and path.is_file()
    ]
    alike = [path for path in left if any(word in path.name.lower() for word in _ALIKE)]
    unread = dict.fromkeys(alike[:_MOST_ALIKE], "its name is that of no log: name it to read it")
    others = len(left) - len(unread)
    if others:
        files = f"{others:,} other file{'' if others == 1 else 's'}"
        unread[folder] = f"{files} in it: name what is to be read as well"
    return unread


def _is_folder(path: Path) -> bool:
    if "\0" in str(path):
        message = f"{str(path)!r} is no path"
        raise LogError(message)
    try:
        return path.is_dir()
    except OSError as error:
        raise storage_error(error, path) from error


def _in_folder(folder: Path) -> list[Path]:
    """Give the three logs in a folder of Windows or of a site server, current ones only."""
    found: dict[str, list[Path]] = {name: [] for name in LOGS}
    for place in (folder, *_below(folder)):
        for name, path in _names(place).items():
            plain = _without_compression(name)
            if plain in found and path.is_file():
                found[plain].append(path)
    paths = [path for name in LOGS for path in found[name]]
    if not paths:
        message = f"{folder} holds none of OfflineServicingMgr.log, dism.log and CBS.log"
        raise LogError(message, hint="Name the log files themselves.")
    return paths


def _below(folder: Path) -> list[Path]:
    """Give the folders of logs below a folder, whatever the case of their names."""
    found = []
    for words in _SUBFOLDERS:
        place: Path | None = folder
        for word in words.split("/"):
            place = _names(place).get(word) if place is not None else None
        if place is not None and place.is_dir():
            found.append(place)
    return found


def _names(folder: Path) -> dict[str, Path]:
    """Give the entries of a folder by their names in lower case."""
    try:
        return {entry.name.lower(): folder / entry.name for entry in sorted_entries(folder)}
    except OSError as error:
        raise storage_error(error, folder) from error


def sorted_entries(folder: Path) -> list[os.DirEntry[str]]:
    """Give the entries of a folder in the order of their names."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _family(path: Path, unread: dict[Path, str]) -> list[Path]:
    """Give a log with the older files beside it, the oldest first."""
    base = _without_compression(path.name.lower())
    if not base.endswith(".log"):
        return [path]
    stem = base.removesuffix(".log")
    older: list[tuple[int, int, str, Path]] = []
    try:
        names = _names(path.parent)
    except StorageError:  # a folder that cannot be listed shows no companions
        return [path]
    for name, each in names.items():
        age = _age(stem, _without_compression(name))
        if age is None or each == path or not each.is_file():
            continue
        if name.endswith(".cab"):
            unread[each] = "a cabinet: expand it with `expand` or 7-Zip and name the log in it"
            continue
        older.append((*age, name, each))
    return [*(each for *_, each in sorted(older)), path]


def _age(stem: str, name: str) -> tuple[int, int] | None:
    """Give by what an older file of a log is put in order, None for any other file.

    Files with a time in their name come first, by it; then numbered ones, the highest first; then
    the one before the current.
    """
    stamped = re.fullmatch(re.escape(stem) + r"-(\d{8})-(\d{6})\.(?:log|lo_)", name)
    if stamped:
        return 0, int(stamped[1] + stamped[2])
    persisted = _PERSISTED.fullmatch(name) if stem == "cbs" else None
    if persisted:
        return 0, int(persisted[1])
    numbered = re.fullmatch(re.escape(stem) + r"\.(?:log|lo_)\.(\d{1,9})", name)
    if numbered:
        return 1, _NEWEST_FIRST - int(numbered[1])
    if name in {f"{stem}.lo_", f"{stem}.log.bak", f"{stem}.bak", f"{stem}.log.old"}:
        return 2, 0
    return None


def _without_compression(name: str) -> str:
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise storage_error(error, path) from error
