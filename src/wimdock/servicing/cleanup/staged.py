"""What a staging folder holds, as values: packages, what is mounted in them, what would be lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wimdock.servicing.mounts import Mounted


class PackageState(Enum):
    """What is known of a package's mount directory."""

    MOUNTED_BY_WIMDOCK = "mounted_by_wimdock"
    MOUNTED_BY_WIMLIB = "mounted_by_wimlib"
    MOUNTED_BY_DISM = "mounted_by_dism"
    """DISM's marks are on it. Only DISM on the host that mounted it can end that."""
    MOUNTED_BY_OTHER = "mounted_by_other"
    """Another file system is mounted on it or below, or in another mount namespace."""
    UNPROVED = "unproved"
    """On a disk or share that Windows uses, with files in it: not to be proved unmounted here."""
    STALE = "stale"
    """Proved unmounted, and yet with files in it, or with a record of a mount that is gone."""
    EMPTY = "empty"
    ABSENT = "absent"

    @property
    def is_mounted(self) -> bool:
        """Tell whether an image is mounted, or may be."""
        return self not in {PackageState.STALE, PackageState.EMPTY, PackageState.ABSENT}

    @property
    def can_be_discarded(self) -> bool:
        """Tell whether it is mounted by what wimdock can unmount."""
        return self in {PackageState.MOUNTED_BY_WIMDOCK, PackageState.MOUNTED_BY_WIMLIB}


@dataclass(frozen=True, slots=True)
class Change:
    """What a mounted image holds that its file does not.

    `files` and `size` (bytes) count what was written, where that can be told; `updates` are the
    packages that were added (names of manifests without their ending), None where that is unknown.
    """

    files: int | None = None
    size: int | None = None
    updates: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class StagedPackage:
    r"""The folder of one image package, `<staging folder>/<package ID>`.

    `size` (bytes) and `files` count what lies in the folder, without what is mounted there; None
    where they were not counted. `since` is when it was mounted, or the newest change in it.
    `reason` says from what the state follows, `unreadable` what could not be looked at, `typed`
    the mount directory in Windows' words, where a record or DISM's mark tells. `is_silent`: a mount
    that does not answer just now, and may be committing. `images` names the copies of image files,
    `files_in_mount` counts what lies in a mount directory where nothing is mounted.
    """

    package_id: str
    path: Path
    mount_directory: Path
    state: PackageState
    size: int | None = None
    files: int | None = None
    mounted: Mounted | None = None
    reason: str = ""
    image: str = ""
    since: datetime | None = None
    change: Change = field(default_factory=Change)
    typed: str = ""
    is_silent: bool = False
    unreadable: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    files_in_mount: int = 0

    @property
    def lost(self) -> str:
        """Say in a few words what cleaning up takes away for good."""
        if self.state.is_mounted:
            what = f"all changes to {self.image or 'the mounted image'}"
            counted = []
            if self.change.files is not None:
                plural = "" if self.change.files == 1 else "s"
                counted.append(f"{self.change.files:,} changed file{plural}")
            if self.change.updates:
                counted.append("updates " + ", ".join(self.change.updates))
            elif self.change.updates is not None:
                counted.append("no updates among them")
            copy = ", and the working copy of the image" if self.files else ""
            return f"{what} ({'; '.join(counted)}){copy}" if counted else what + copy
        if not self.files:
            return "nothing"
        left = ["the working copy of the image"] if len(self.images) == 1 else []
        if len(self.images) > 1:
            left = [f"the working copies {', '.join(self.images)}"]
        if self.files_in_mount:
            plural = "" if self.files_in_mount == 1 else "s"
            left.append(f"{self.files_in_mount:,} file{plural} in {self.mount_directory.name}")
        return " and ".join(left) or "leftover files"


@dataclass(frozen=True, slots=True)
class StagingFolder:
    """A `ConfigMgr_OfflineImageServicing` folder.

    `content_folders` hold the binaries of updates, `loose_files` are copies of images and logs at
    its top. `unknown` names whatever no run leaves there, wherever it lies; `mounts` what is
    mounted below but on no mount directory, `unwritable` folders that this user may not change.
    `records` are those of mounts that are gone, in packages that are gone too: with one, nothing
    can be mounted there again. `identity` is its device and inode number.
    """

    path: Path
    packages: tuple[StagedPackage, ...] = ()
    content_folders: tuple[Path, ...] = ()
    unknown: tuple[Path, ...] = ()
    loose_files: tuple[Path, ...] = ()
    mounts: tuple[Path, ...] = ()
    records: tuple[Mounted, ...] = ()
    size: int | None = None
    files: int | None = None
    read_only: bool = False
    unwritable: tuple[Path, ...] = ()
    unreadable: tuple[str, ...] = ()
    identity: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Search:
    """What was found at some roots and below; `unsearched` names the folders that refused."""

    folders: tuple[StagingFolder, ...]
    unsearched: tuple[str, ...] = ()
