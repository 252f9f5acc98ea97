"""What kind of disk a staging folder lies on: whether Windows may have an image mounted there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wimdock.servicing.cleanup.ground import open_folder
from wimdock.servicing.cleanup.mounts_in import mount_holding

# Windows has no driver for these and reaches them through no share that DISM would mount in.
_OURS = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "overlay", "ramfs"}
    | {"reiserfs", "tmpfs", "xfs", "zfs"}
)
_NTFS = frozenset({"fuseblk", "ntfs", "ntfs3", "ufsd"})


@dataclass(frozen=True, slots=True)
class Volume:
    """A file system by its type; `kind` is empty where the system does not tell."""

    kind: str

    @property
    def is_ours_alone(self) -> bool:
        """Tell whether no DISM can have mounted an image there: what Linux says is all there is."""
        return self.kind in _OURS

    @property
    def name(self) -> str:
        """Name it for people."""
        if self.kind in _NTFS:
            return "an NTFS disk"
        return f"a disk or share of the type {self.kind}" if self.kind else "an unknown disk"


def volume_of(folder: Path) -> Volume:
    """Give the kind of disk that a folder lies on; unknown where it is hidden."""
    try:
        fd = open_folder(folder)
    except OSError:
        return Volume("")
    try:
        mount = mount_holding(fd)
    finally:
        os.close(fd)
    return Volume(mount.kind if mount else "")
