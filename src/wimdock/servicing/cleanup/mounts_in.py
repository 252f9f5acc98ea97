"""What is mounted in a staging folder, by every path and in every view of the system.

The kernel's table is read anew at each question: what was true a moment ago proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from wimdock.configmgr.staging import is_mount_folder
from wimdock.errors import StagingError
from wimdock.servicing.mount_table import TABLE, Mount, parse_mounts

_ROOT_AND_PACKAGE = 2


def read_mounts(table: Path = TABLE) -> tuple[Mount, ...]:
    """Give all mounts that this process sees; StagingError where the system does not tell."""
    try:
        return tuple(parse_mounts(table.read_bytes()))
    except OSError as error:
        message = (
            f"{table} cannot be read: nothing can be proved to be unmounted ({error.strerror})"
        )
        hint = "Run the command on Linux, with /proc mounted, where the folder lies."
        raise StagingError(message, hint=hint) from error


def mounts_below(folder: Path) -> tuple[Mount, ...]:
    """Give what is mounted on a folder or below it; `folder` is absolute and has no links."""
    return tuple(mount for mount in read_mounts() if mount.directory.is_relative_to(folder))


def mounts_beside(folder: Path) -> tuple[Mount, ...]:
    """Give what is mounted in a folder by another path to it, as a bind mount gives one."""
    mounts = read_mounts()
    inside = _inside(mounts, *_on_disk(mounts, folder))
    return tuple(mount for mount in inside if not mount.directory.is_relative_to(folder))


def _on_disk(mounts: Sequence[Mount], folder: Path) -> tuple[str, Path]:
    """Give the file system that a folder lies on, and where in it; no system where none is told."""
    holding = [mount for mount in mounts if folder.is_relative_to(mount.directory)]
    if not holding:
        return "", folder
    depth = max(len(mount.directory.parts) for mount in holding)
    holder = [mount for mount in holding if len(mount.directory.parts) == depth][-1]
    return holder.device, holder.root / folder.relative_to(holder.directory)


def _inside(mounts: Sequence[Mount], device: str, folder: Path) -> Iterator[Mount]:
    """Give the mounts that stand in a folder of a file system, whatever path leads there."""
    numbered = {mount.id: mount for mount in mounts}
    for mount in mounts:
        above = numbered.get(mount.parent)
        if (
            above is None
            or above.device != device
            or not mount.directory.is_relative_to(above.directory)
        ):
            continue
        if (above.root / mount.directory.relative_to(above.directory)).is_relative_to(folder):
            yield mount


def mount_holding(fd: int) -> Mount | None:
    """Give the mount that an open file lies on, None where the table does not name it."""
    number = mount_id(fd)
    return next((mount for mount in read_mounts() if mount.id == number), None)


def mount_id(fd: int) -> int:
    """Give the number of the mount that an open file lies on.

    It tells a bind mount of the same file system apart, which the device number does not.
    StagingError where the system does not tell.
    """
    try:
        text = Path(f"/proc/self/fdinfo/{fd}").read_bytes()
        return int(text.split(b"mnt_id:", 1)[1].split(None, 1)[0])
    except (OSError, ValueError, IndexError) as error:
        message = "the system does not tell on which mount a folder lies"
        hint = "Run the command on Linux, with /proc mounted, where the folder lies."
        raise StagingError(message, hint=hint) from error


def mounts_elsewhere(folder: Path) -> Iterator[tuple[int, Path]]:
    """Give what other mount namespaces have, or seem to have, mounted in this folder.

    That is process and place. There the same folder may have another path, so what counts is the
    place on the disk, and where that is not told the end of the path: the staging folder's name
    with what stands below, or a package's mount directory. Only processes that this user may look
    at are asked.
    """
    device, place = _on_disk(read_mounts(), folder)
    seen: set[str] = set()
    with suppress(OSError):
        seen.add(str(Path("/proc/self/ns/mnt").readlink()))
    for process in sorted(Path("/proc").glob("[0-9]*")):
        with suppress(OSError):
            namespace = str((process / "ns/mnt").readlink())
            if namespace in seen:
                continue
            table = (process / "mountinfo").read_bytes()
            seen.add(namespace)
            mounts = tuple(parse_mounts(table))
            inside = set(_inside(mounts, device, place))
            for mount in mounts:
                if mount in inside or _is_below(mount.directory, folder):
                    yield int(process.name), mount.directory


def _is_below(point: Path, folder: Path) -> bool:
    if point.is_relative_to(folder):
        return True
    return (
        len(point.parts) > _ROOT_AND_PACKAGE
        and is_mount_folder(point.name)
        and (folder / point.parts[-2]).is_dir()  # the mount itself may hang
    )
