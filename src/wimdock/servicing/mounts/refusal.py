"""What is refused before anything is touched: folders and images that cannot be mounted so."""

from __future__ import annotations

import errno
import os
import re
import shlex
from pathlib import Path

from wimdock.errors import AlreadyMounted, ImageBusy, MountError, NoSuchImage
from wimdock.files import naming, refuse_special, storage_error
from wimdock.servicing.mounts.listing import Mounted, list_mounts
from wimdock.servicing.mounts.mountinfo import mount_at, mount_points
from wimdock.servicing.mounts.record import read_record
from wimdock.servicing.space import need_folder

_STAGING = re.compile(r"\.(staging[0-9A-Za-z]{10}|wimdock-staging)$")


def typed(path: Path | None) -> str:
    """Give a path as it is typed in a shell, for commands in hints."""
    return shlex.quote(str(path))


def refuse_directory(directory: Path, image: Path) -> None:
    """Raise MountError, or AlreadyMounted, where an image cannot be mounted in this folder."""
    if directory.parent == directory:
        message = "an image cannot be mounted over the root of everything"
        raise MountError(message, hint="Name an empty folder.", hresult=0xC1420131)
    if mount_at(directory) is not None:
        message = f"something is mounted in {directory} already"
        raise AlreadyMounted(message, hresult=0xC1420113)
    if read_record(directory) is not None:
        message = f"{directory} has the record of an earlier mount that ended without an unmount"
        hint = f"`wimdock unmount {typed(directory)} --discard` clears it away."
        raise AlreadyMounted(message, hint=hint, hresult=0xC1510114)
    _refuse_place(directory, image)
    try:
        names = [entry.name for entry in directory.iterdir()]
    except OSError as error:
        raise _directory_error(error, directory) from error
    if names:
        message = f"{directory} is not empty: {min(names)!r} is in it"
        raise MountError(message, hint="Name an empty folder.", hresult=0xC1420114)
    if not os.access(directory, os.W_OK | os.X_OK):
        message = f"{directory} cannot be written, which mounting there needs"
        raise MountError(message, hint="Check who owns the folder.", hresult=0x80070005)


def _directory_error(error: OSError, directory: Path) -> Exception:
    if error.errno == errno.ENOENT:
        message = f"{directory} does not exist"
        return MountError(message, hint="Make the folder first.", hresult=0xC1420115)
    if error.errno == errno.ENOTDIR:
        message = f"{directory} is no folder"
        return MountError(message, hint="Name an empty folder.", hresult=0x8007010B)
    return storage_error(error, directory)


def _refuse_place(directory: Path, image: Path) -> None:
    for folder in (directory, *directory.parents):
        if folder.parent == image.parent and _STAGING.search(folder.name):
            message = f"{directory} lies in a folder where a mount keeps its changes"
            raise MountError(message, hint="Name an empty folder elsewhere.", hresult=0x80070005)
    outer = [p.directory for p in mount_points() if p.is_wim and p.directory in directory.parents]
    if outer:
        message = f"{directory} lies in another mounted image, {outer[-1]}"
        raise MountError(message, hint="Name an empty folder elsewhere.", hresult=0x80070005)


def refuse_image(image: Path, index: int, *, writable: bool) -> None:
    """Raise what in the file itself speaks against mounting: no such index, marked read-only."""
    from wimdock.wim import Archive
    from wimdock.wim.generations import read_generations
    from wimdock.wim.write_access import refuse_unwritable

    refuse_special(image)
    with naming(image), Archive.open(image) as archive:
        if not 1 <= index <= archive.image_count:
            message = f"there is no image {index}: the file holds {archive.image_count}"
            raise NoSuchImage(message, hresult=0xC1510113)
        if writable:
            refuse_unwritable(archive)
            # Without it there would be no way back from a commit.
            read_generations(image)


def refuse_taken(image: Path, index: int, *, writable: bool) -> None:
    """Raise AlreadyMounted or ImageBusy where somebody else has the file or image for himself.

    That is the file, for writing, and an image that is mounted read/write, for reading too.
    """
    other = mounted_for_writing(image)
    if other is not None and (writable or other.index == index):
        message = f"image {other.index} of {image} is mounted read/write in {other.directory}"
        if not other.is_live:
            message = f"{image} was mounted read/write in {other.directory} and never unmounted"
        command = f"wimdock unmount {typed(other.directory)} --discard"
        hint = f"`{command}` ends it, and loses its changes."
        raise AlreadyMounted(message, hint=hint)
    if writable:
        need_folder(image)
        _refuse_locked(image)


def mounted_for_writing(image: Path) -> Mounted | None:
    """Give the read/write mount of a file, live or left over; wimlib allows one at a time."""
    return next((each for each in list_mounts() if each.writable and _is_of(each, image)), None)


def _is_of(mounted: Mounted, image: Path) -> bool:
    if mounted.image is None:
        return False
    try:
        return mounted.image == image or mounted.image.samefile(image)
    except OSError:
        return False


def _refuse_locked(image: Path) -> None:
    """Raise ImageBusy where another program holds the lock that wimlib is about to take."""
    from wimdock.wim.write_access import locked_archive

    try:
        with locked_archive(image):
            pass
    except ImageBusy as error:
        error.hint = error.hint or "Wait until the other program has finished."
        raise
