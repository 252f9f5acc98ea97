"""Finding staging folders: at the roots given and below, never through a link or a mount.

Reads only. Linux compares names with case, Windows does not; here case never counts.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.configmgr.staging import MOUNT_FOLDER, STAGING_FOLDER, is_staging_folder
from wimdock.errors import StagingError, StorageError
from wimdock.files import own_path, real_path, storage_error
from wimdock.servicing.cleanup.entries import Entry, Kind, entries_of
from wimdock.servicing.cleanup.ground import identity
from wimdock.servicing.cleanup.measure import Measure
from wimdock.servicing.cleanup.mounts_in import mounts_below, mounts_beside, mounts_elsewhere
from wimdock.servicing.cleanup.staged import PackageState, Search, StagedPackage, StagingFolder
from wimdock.servicing.cleanup.state import View, is_of, state_of
from wimdock.servicing.cleanup.volume import Volume, volume_of

if TYPE_CHECKING:
    from wimdock.servicing.mounts import Mounted

DEPTH = 4
"""So many levels below a root are searched."""


def find_staging(roots: Sequence[Path]) -> tuple[StagingFolder, ...]:
    """Give the staging folders at the roots and below, in the order of the roots and of names.

    StorageError where a root is not there, StagingError where it is a link or inside of a staging
    folder, or where the system does not tell what is mounted.
    """
    return search_staging(roots).folders


def search_staging(roots: Sequence[Path]) -> Search:
    """Give the staging folders as `find_staging` does, and which folders could not be searched."""
    unsearched: list[str] = []
    places: dict[Path, None] = {}
    for root in roots:
        places.update(dict.fromkeys(_places(_real_root(root), unsearched)))
    return Search(tuple(look_at(place) for place in places), tuple(unsearched))


def look_at(place: Path, *, deep: bool = True) -> StagingFolder:
    """Give what a staging folder holds; `place` is absolute and without links.

    Not `deep`: nothing is counted, and no mounted image is asked. StorageError where it cannot be
    read.
    """
    view = _view(place, deep=deep)
    packages: list[StagedPackage] = []
    found: dict[Kind, list[Path]] = {kind: [] for kind in Kind}
    for entry in entries_of(place, of_package=False):
        if entry.kind is Kind.PACKAGE:
            package, unknown = _package(entry.path, view)
            packages.append(package)
            found[Kind.UNKNOWN] += unknown
        else:
            found[entry.kind].append(entry.path)
    content = found[Kind.CONTENT]
    on_packages = {mount.directory for each in packages for mount in view.at_or_below(each.path)}
    others = [mount.directory for mount in (*view.mounts, *view.beside)]
    others += [point for _, point in view.elsewhere if not any(is_of(p, point) for p in packages)]
    folder = StagingFolder(
        place,
        tuple(packages),
        tuple(content),
        tuple(found[Kind.UNKNOWN]),
        tuple(found[Kind.IMAGE] + found[Kind.LOG]),
        tuple(point for point in dict.fromkeys(others) if point not in on_packages),
        _records(place, packages, view),
        read_only=_is_read_only(place),
        unwritable=_unwritable((place.parent, place, *(p.path for p in packages), *content)),
        identity=identity(place.lstat()),
    )
    return _measured(folder) if deep and sys.platform != "win32" else folder


def _view(place: Path, *, deep: bool) -> View:
    if sys.platform == "win32":
        return View(Volume(""), deep=deep)
    return View(
        volume_of(place),
        mounts_below(place),
        mounts_beside(place),
        tuple(mounts_elsewhere(place)),
        _known_mounts(),
        deep,
    )


def _records(place: Path, packages: Sequence[StagedPackage], view: View) -> tuple[Mounted, ...]:
    """Give the records of mounts that are gone and of no package that is there."""
    there = {package.mount_directory for package in packages}
    return tuple(
        each
        for each in view.known
        if each.record is not None
        and not each.is_live
        and each.directory.is_relative_to(place)
        and each.directory not in there
    )


def _known_mounts() -> tuple[Mounted, ...]:
    from wimdock.servicing.mounts import list_mounts

    return tuple(list_mounts())


def _package(path: Path, view: View) -> tuple[StagedPackage, list[Path]]:
    """Give a package and what is not recognised in its folder."""
    package = StagedPackage(path.name.upper(), path, path / MOUNT_FOLDER, PackageState.ABSENT)
    try:
        entries: list[Entry] = list(entries_of(path, of_package=True))
    except StorageError as error:
        state = PackageState.UNPROVED
        return replace(package, state=state, reason=error.message, unreadable=(error.message,)), []
    unknown = [entry.path for entry in entries if entry.kind is Kind.UNKNOWN]
    return state_of(package, entries, view), unknown


def _measured(folder: StagingFolder) -> StagingFolder:
    counted = Measure()
    for path in (*folder.content_folders, *folder.loose_files):
        counted.add(path)
    return replace(
        folder,
        size=counted.size + sum(package.size or 0 for package in folder.packages),
        files=counted.files + sum(package.files or 0 for package in folder.packages),
        unreadable=tuple(counted.unreadable),
    )


def _is_read_only(place: Path) -> bool:
    if sys.platform == "win32":
        return False
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError as error:
        raise storage_error(error, place) from error


def _unwritable(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Give the folders from which this user cannot remove anything."""
    if sys.platform == "win32":
        return ()
    return tuple(folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK))


def _real_root(root: Path) -> Path:
    """Give a root without links; refuse one that is a link itself, or that lies too deep."""
    named = own_path(root)
    try:
        status = named.lstat()
    except OSError as error:
        raise storage_error(error, root) from error
    if stat.S_ISLNK(status.st_mode):
        message = f"{root} is a symbolic link, and none is followed here"
        raise StagingError(message, hint=f"Name the folder itself: {real_path(named)}.")
    if not stat.S_ISDIR(status.st_mode):
        message = f"{root} is no folder"
        hint = f"Name the drive's root, or the {STAGING_FOLDER} folder."
        raise StagingError(message, hint=hint, hresult=0x8007010B)
    for above in named.parents:
        if is_staging_folder(above.name):
            message = f"{root} lies inside of a staging folder"
            raise StagingError(message, hint=f"Name the staging folder: {above}.")
    return named


def _places(root: Path, unsearched: list[str]) -> list[Path]:
    """Give the paths of the staging folders at a root and below, on its file system.

    What has the name and is passed over is said: whoever asks may be waiting for just that one.
    """
    if is_staging_folder(root.name):
        return [root]
    points = set() if sys.platform == "win32" else {mount.directory for mount in mounts_below(root)}
    device = root.lstat().st_dev
    places: list[Path] = []
    waiting = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                below = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            unsearched.append(storage_error(error, folder).message)
            continue
        for entry in below:
            path = Path(entry.path)
            hindrance = _hindrance(entry, path, points, device)
            if is_staging_folder(path.name):
                if hindrance:
                    unsearched.append(f"{path} {hindrance}")
                else:
                    places.append(path)
            elif not hindrance and depth + 1 < DEPTH:
                waiting.append((path, depth + 1))
    return sorted(places)


def _hindrance(entry: os.DirEntry[str], path: Path, points: Collection[Path], device: int) -> str:
    """Say why a search does not enter; empty for a folder on the same file system."""
    try:
        if entry.is_symlink():
            return f"is a symbolic link to {path.readlink()}, and none is followed here"
        if path in points:
            return "is another file system, and none is entered here"
        if not entry.is_dir(follow_symlinks=False):
            return "is no folder"
        return "" if path.lstat().st_dev == device else "is on another file system"
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
