"""What an earlier run left behind with which a new one would fail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wimdock.configmgr.staging import is_staging_folder
from wimdock.files import real_path, storage_error
from wimdock.servicing.cleanup.find import look_at
from wimdock.servicing.cleanup.staged import PackageState, StagingFolder


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing in the way of a new run: where, whose (a package ID or empty), and what it is."""

    path: Path
    package_id: str
    state: PackageState | None
    text: str


def leftovers_in(staging: Path) -> tuple[Leftover, ...]:
    """Give everything at a staging folder that makes a new run fail; nothing for one not there.

    `staging` is the `ConfigMgr_OfflineImageServicing` folder, or the folder that holds it. An empty
    mount directory, working copies and content folders are in nobody's way: a run writes them anew.
    StorageError where it cannot be read, StagingError where the system does not tell what is
    mounted.
    """
    return tuple(
        leftover
        for place in _places(staging)
        for leftover in leftovers_of(look_at(place, deep=False))
    )


def leftovers_of(folder: StagingFolder) -> tuple[Leftover, ...]:
    """Give the same of a staging folder that was looked at."""
    found = [
        Leftover(
            package.mount_directory,
            package.package_id,
            package.state,
            f"{package.package_id}: {package.mount_directory}: {package.reason}",
        )
        for package in folder.packages
        if package.state not in {PackageState.EMPTY, PackageState.ABSENT}
    ]
    found += [Leftover(p, "", None, f"something is mounted at {p}") for p in folder.mounts]
    found += [
        Leftover(
            each.directory,
            "",
            PackageState.STALE,
            f"{each.directory}: a record of a mount is left, but no mount directory",
        )
        for each in folder.records
    ]
    found += [Leftover(p, "", None, f"{p}: no run leaves that there") for p in folder.unknown]
    return tuple(found)


def _places(staging: Path) -> list[Path]:
    """Give the staging folders that are meant, without links; names may differ in case only."""
    place = real_path(staging)
    try:
        if is_staging_folder(place.name):
            return [place] if place.is_dir() else []
        return [real_path(p) for p in sorted(place.iterdir()) if is_staging_folder(p.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, place) from error
