"""The volume of a folder: its file system, its free space, and whether images can be staged on it.

The file system is told by /proc/self/mountinfo (proc(5)). Configuration Manager stages on a local
NTFS volume; ReFS and deduplicated volumes are known to fail (failure 13). A Linux file system says
nothing of the drive that a provider will use, and the checks say so.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import real_path, storage_error
from wimdock.servicing.preflight.check import Check, Result

NAME = "staging-volume"
TITLE = "Staging volume"

MOUNT_INFO = Path("/proc/self/mountinfo")

_NTFS = frozenset(("ntfs", "ntfs3", "ntfs-3g", "fuse.ntfs", "fuse.ntfs-3g"))
_NETWORK = ("cifs", "smb", "nfs", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "virtiofs")
_MEMORY = frozenset(("tmpfs", "ramfs"))
_DEDUP = Path("System Volume Information/Dedup/ChunkStore")
_ESCAPE = re.compile(r"\\([0-7]{3})")
_SEPARATOR = " - "
_MOUNT_POINT_AT = 4
_OPTIONS_AT = 5


@dataclass(frozen=True, slots=True)
class Volume:
    """The volume of a folder; `folder` is what exists of it, the folder itself or one above.

    `file_system` is empty where the system does not tell. `free` and `size` are bytes, `device`
    tells one volume from another; `source` is what is mounted, such as `//server/share`.
    """

    folder: Path
    mount_point: Path
    file_system: str
    options: frozenset[str]
    device: int
    free: int
    size: int
    source: str = ""

    @property
    def is_read_only(self) -> bool:
        """Tell whether nothing can be written on it."""
        return "ro" in self.options

    @property
    def is_deduplicated(self) -> bool:
        """Tell whether Windows' data deduplication shows on it."""
        return (self.mount_point / _DEDUP).exists()


def volume_of(path: Path, mounts: Path = MOUNT_INFO) -> Volume:
    """Give the volume of a folder that exists or may be made; StorageError where none can be had.

    `mounts` is the list of mounts, in the form of /proc/self/mountinfo.
    """
    folder = real_path(path)
    try:
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            message = f"{folder} is no folder"
            raise StorageError(message, hint="Name a folder.", hresult=0x8007010B)
        usage = shutil.disk_usage(folder)
        device = folder.stat().st_dev
    except OSError as error:
        raise storage_error(error, folder) from error
    mount_point, kind, options, source = _mount_of(folder, mounts)
    return Volume(folder, mount_point, kind, options, device, usage.free, usage.total, source)


def _mount_of(folder: Path, mounts: Path) -> tuple[Path, str, frozenset[str], str]:
    """Give mount point, type, options and source of the last mount that holds a folder."""
    best = Path(folder.anchor), "", frozenset[str](), ""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return best
    depth = -1
    for line in lines:
        before, separator, after = line.partition(_SEPARATOR)
        fields, kind = before.split(" "), after.split(" ")
        if not separator or len(fields) <= _OPTIONS_AT:
            continue
        point = Path(_plain(fields[_MOUNT_POINT_AT]))
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            depth = len(point.parts)
            options = frozenset((*fields[_OPTIONS_AT].split(","), *kind[-1].split(",")))
            best = point, kind[0], options, _plain(kind[1]) if len(kind) > 1 else ""
    return best


def _plain(field: str) -> str:
    """Give a field of the list of mounts without its escapes: blanks and backslashes."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), field)


def check_volume(volume: Volume, staging: Path | None = None) -> Iterator[Check]:
    """Judge a volume as the place to stage images on; `staging` is the folder, where it is known.

    Of a folder that is not there, the volume of the one above is judged, and that is said: it may
    be mistyped, or its drive not mounted.
    """
    kind = volume.file_system
    if staging is not None and not staging.exists():
        reason = f"{staging} is not there; what is said here is of {volume.folder}."
        remedy = "Check the name and mount the drive, unless the folder is to be made there."
        yield Check(NAME, TITLE, Result.WARNING, reason, remedy)
    if volume.is_read_only:
        reason = f"{volume.mount_point} is mounted read-only: nothing can be staged there."
        yield Check(NAME, TITLE, Result.FAILED, reason, "Choose another staging folder.")
    elif not os.access(volume.folder, os.W_OK | os.X_OK):
        reason = f"{volume.folder} cannot be written by this user."
        yield Check(NAME, TITLE, Result.FAILED, reason, "Check the permissions of the folder.")
    elif volume.is_deduplicated:
        yield Check(
            NAME,
            TITLE,
            Result.FAILED,
            f"{volume.mount_point} is deduplicated: mounting an image there is known to fail.",
            "Stage on a plain NTFS volume.",
            failure=13,
        )
    elif "refs" in kind.lower():
        yield Check(
            NAME,
            TITLE,
            Result.FAILED,
            f"{volume.mount_point} is ReFS: mounting an image there is known to fail.",
            "Stage on a plain NTFS volume.",
            failure=13,
        )
    else:
        yield _by_kind(volume, kind.lower())


def _by_kind(volume: Volume, kind: str) -> Check:
    where = f"{volume.mount_point} is"
    if not kind:
        reason = "this system does not tell the file system of the staging folder."
        return Check(NAME, TITLE, Result.NOT_CHECKED, reason, _ASK_WINDOWS)
    if kind in _NTFS:
        return Check(NAME, TITLE, Result.PASSED, f"{where} NTFS and not deduplicated.")
    if kind == "fuseblk":
        reason = f"{where} NTFS or exFAT through FUSE; deduplication does not show on it."
        return Check(NAME, TITLE, Result.PASSED, reason)
    if kind.startswith(_NETWORK):
        reason = (
            f"{where} a network share ({kind}): providers stage on a local drive, and the file "
            "system behind the share does not show from here."
        )
        return Check(NAME, TITLE, Result.WARNING, reason, _ASK_WINDOWS)
    if kind in _MEMORY:
        reason = f"{where} in memory ({kind}): what is staged takes memory and a restart loses it."
        return Check(NAME, TITLE, Result.WARNING, reason, "Stage on a disk.")
    reason = (
        f"{where} {kind}, a file system of this machine: good for wimdock and for a rehearsal; it "
        "says nothing of the drive that a Windows provider stages on."
    )
    return Check(NAME, TITLE, Result.PASSED, reason)


_ASK_WINDOWS = (
    "On the provider, `fsutil fsinfo volumeinfo D:` must say NTFS, and Get-DedupVolume nothing."
)
