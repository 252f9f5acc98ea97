"""What runs leave in a staging folder, by name and kind; anything else is not recognised.

A run of Configuration Manager leaves content folders, package folders, copies of image files and
logs; wimlib leaves a folder with what was changed in a mounted image; wimdock leaves the files that
it puts beside an image. A link is never one of them, whatever its name.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from wimdock.configmgr.staging import is_content_folder, is_mount_folder, is_package_id
from wimdock.files import storage_error

_IMAGE = r"[^/]+\.(?:wim|esd|swm)"
_IMAGE_FILE = re.compile(
    rf"\.?{_IMAGE}(?:\.(?:bak|new|old|tmp|backup|generations|servicing))*",
    re.ASCII | re.IGNORECASE,
)
_LOG = re.compile(r"[^/]+\.(?:log|lo_)(?:\.bak)?", re.ASCII | re.IGNORECASE)
# wimlib adds `.staging` and ten letters or digits to the name of the image file, wimdock its own.
_CHANGES = re.compile(
    rf"{_IMAGE}\.(?:staging[A-Za-z0-9]{{10}}|[0-9a-f]{{8}}\.wimdock-staging)",
    re.ASCII | re.IGNORECASE,
)
_REPARSE_POINT = 0x400


class Kind(Enum):
    """What an entry is."""

    PACKAGE = "package"
    CONTENT = "content"
    MOUNT_DIRECTORY = "mount directory"
    CHANGES = "changes to a mounted image"
    IMAGE = "image file"
    LOG = "log"
    UNKNOWN = "not recognised"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder."""

    path: Path
    kind: Kind


def entries_of(folder: Path, *, of_package: bool) -> Iterator[Entry]:
    """Give what lies in a staging folder, or in the folder of a package, in the order of names.

    StorageError where the folder cannot be read. Nothing that may be a mount is touched.
    """
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise storage_error(error, folder) from error
    has_mount_directory = False
    for entry in entries:
        kind = _in_package(entry) if of_package else _at_top(entry)
        if kind is Kind.MOUNT_DIRECTORY:
            # Two names that differ in case only: Windows, and a run, would know one of them.
            kind = Kind.UNKNOWN if has_mount_directory else kind
            has_mount_directory = True
        yield Entry(Path(entry.path), kind)


def _at_top(entry: os.DirEntry[str]) -> Kind:
    if _is_folder(entry):
        if is_package_id(entry.name):
            return Kind.PACKAGE
        return Kind.CONTENT if is_content_folder(entry.name) else Kind.UNKNOWN
    return _file_kind(entry)


def _in_package(entry: os.DirEntry[str]) -> Kind:
    if is_mount_folder(entry.name):
        return Kind.MOUNT_DIRECTORY if _is_folder(entry) else Kind.UNKNOWN
    if _is_folder(entry):
        return Kind.CHANGES if _CHANGES.fullmatch(entry.name) else Kind.UNKNOWN
    return _file_kind(entry)


def _file_kind(entry: os.DirEntry[str]) -> Kind:
    if not _is_file(entry):
        return Kind.UNKNOWN
    if _IMAGE_FILE.fullmatch(entry.name):
        return Kind.IMAGE
    return Kind.LOG if _LOG.fullmatch(entry.name) else Kind.UNKNOWN


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell by what the folder above says, as a mount whose process is dead answers no question."""
    try:
        return entry.is_dir(follow_symlinks=False) and not _is_link(entry)
    except OSError as error:  # where the folder above does not say, the mount itself is asked
        return error.errno == errno.ENOTCONN


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and not _is_link(entry)
    except OSError:
        return False


def _is_link(entry: os.DirEntry[str]) -> bool:
    """Tell a link or, on Windows, any other reparse point, from a file and a folder."""
    if entry.is_symlink():
        return True
    if os.name != "nt":
        return False
    found = entry.stat(follow_symlinks=False)
    return stat.S_ISLNK(found.st_mode) or bool(
        getattr(found, "st_file_attributes", 0) & _REPARSE_POINT
    )
