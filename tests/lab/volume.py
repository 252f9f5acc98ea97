"""NTFS volumes in a file, made with mkntfs and filled through ntfs-3g.

What Linux has no words for goes through ntfs-3g's extended attributes: reparse data, security
descriptors, short names, attributes, times and object identifiers. Needs root and FUSE.
"""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.entry import LabEntry, LabFile, LabFolder, LabSpecial, LabVolume
from tests.lab.tool import LabError, run
from tests.lab.xattr import need_attribute

ACL = "system.ntfs_acl"
ATTRIBUTES = "system.ntfs_attrib"
REPARSE = "system.ntfs_reparse_data"
SHORT_NAME = "system.ntfs_dos_name"
TIMES = "system.ntfs_times"
OBJECT_ID = "system.ntfs_object_id"
STREAMS = "ntfs.streams.list"

_OPTIONS = "no_detach,noatime,compression,streams_interface=windows,efs_raw,special_files=wsl"
_PATIENCE_SECONDS = 30.0
_COMPRESSED = 0x0800
_MODES = {
    "fifo": stat.S_IFIFO,
    "character device": stat.S_IFCHR,
    "block device": stat.S_IFBLK,
    "socket": stat.S_IFSOCK,
}


@contextmanager
def mounted(volume: Path, *, read_only: bool = False) -> Iterator[Path]:
    """Mount a volume and give the folder; when this ends, ntfs-3g has written everything.

    ntfs-3g stays in the foreground: an umount of a FUSE file system returns before its process
    has flushed, so the end of the process is what is waited for.
    """
    folder = volume.with_name(f"{volume.name}.mounted")
    folder.mkdir(exist_ok=True)
    options = _OPTIONS + (",ro" if read_only else "")
    log = volume.with_name(f"{volume.name}.log")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["ntfs-3g", "-o", options, str(volume), str(folder)], stdout=output, stderr=output
        ) as process,
    ):
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not os.path.ismount(folder):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise LabError(["ntfs-3g", str(volume)], log.read_text()[-2000:])
            time.sleep(0.01)
        try:
            yield folder
        finally:
            run("umount", folder)
            process.wait(_PATIENCE_SECONDS)
    folder.rmdir()
    log.unlink()


def make_volume(description: LabVolume, volume: Path) -> Path:
    """Make an NTFS volume with everything of the description on it; give its path."""
    format_volume(volume, megabytes=description.megabytes, label=description.label)
    with mounted(volume) as root:
        fill(root, description.entries)
        for special in description.specials:
            _make_special(root, special)
    return volume


def format_volume(volume: Path, *, megabytes: int = 64, label: str = "LAB") -> Path:
    """Make an empty NTFS volume in a sparse file; give its path."""
    with volume.open("wb") as file:
        file.truncate(megabytes << 20)
    run("mkntfs", "-F", "-q", "-L", label, volume)
    return volume


def fill(root: Path, entries: tuple[LabFile | LabFolder, ...]) -> None:
    """Make the entries below the root of a mounted volume.

    Names come first, then what belongs to them; reparse data later, since ntfs-3g does not look
    behind a reparse point that it does not know; times last, since all the rest touches them.
    """
    for entry in entries:
        _make(root, entry)
    for entry in entries:
        _dress(root, entry)
    for entry in entries:
        if entry.reparse is not None:
            os.setxattr(root / entry.path, REPARSE, entry.reparse, follow_symlinks=False)
    for entry in reversed(entries):
        if entry.times is not None:
            times = (entry.times.created, entry.times.written, entry.times.accessed)
            value = struct.pack("<QQQ", *times)
            os.setxattr(root / entry.path, TIMES, value, follow_symlinks=False)


def _make(root: Path, entry: LabFile | LabFolder) -> None:
    path = root / entry.path
    if isinstance(entry, LabFolder):
        path.mkdir(parents=True, exist_ok=True)
        if entry.compressed:
            _add_attributes(path, _COMPRESSED)
        _shorten(path, entry)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        if entry.sparse_size:
            file.truncate(entry.sparse_size)
            file.seek(entry.sparse_size - len(entry.content))
        file.write(entry.content)
    # ntfs-3g gives a file a short name only while it has a single name.
    _shorten(path, entry)
    for link in entry.links:
        further = root / link
        further.parent.mkdir(parents=True, exist_ok=True)
        further.hardlink_to(path)


def _make_special(root: Path, special: LabSpecial) -> None:
    path = root / special.path
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 | _MODES[special.kind]
    os.mknod(path, mode, os.makedev(special.major, special.minor))


def _shorten(path: Path, entry: LabEntry) -> None:
    if entry.short_name:
        os.setxattr(path, SHORT_NAME, entry.short_name.encode())


def _dress(root: Path, entry: LabEntry) -> None:
    path = root / entry.path
    for name, content in entry.streams:
        path.with_name(f"{path.name}:{name}").write_bytes(content)
    if entry.security is not None:
        os.setxattr(path, ACL, entry.security)
    if entry.object_id is not None:
        os.setxattr(path, OBJECT_ID, entry.object_id)
    if entry.attributes:
        _add_attributes(path, entry.attributes)


def _add_attributes(path: Path, attributes: int) -> None:
    (old,) = struct.unpack("<I", need_attribute(path, ATTRIBUTES))
    os.setxattr(path, ATTRIBUTES, struct.pack("<I", old | attributes))
