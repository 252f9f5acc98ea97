"""The folder where wimlib keeps the changes to a read/write mount until they are committed.

wimlib makes a folder of its own in it, and removes that when the mount ends as it should. Its name
is in our record before it is made; so what a dead process left can be told from anybody else's.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import storage_error
from wimdock.servicing.mounts.record import MountRecord

_SUFFIX = ".wimdock-staging"
_WIMLIBS = re.compile(r"\.staging[0-9A-Za-z]{10}$")


def staging_path(image: Path, directory: Path) -> Path:
    """Give the folder for the changes: beside the image, on the disk that the changes go to."""
    key = hashlib.sha256(os.fsencode(directory)).hexdigest()[:8]
    return image.with_name(f"{image.name}.{key}{_SUFFIX}")


def make_staging(folder: Path) -> None:
    """Make the folder; an empty one that is left over will do."""
    try:
        with suppress(OSError):
            folder.rmdir()
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise storage_error(error, folder) from error


def remove_staging(record: MountRecord) -> bool:
    """Remove the folder of a mount that is over; tell whether there was one.

    Only the folder that the record names, under the name that wimdock gives, and only what wimlib
    puts there: StorageError where something else is in it, and then nothing is removed.
    """
    folder = record.staging
    if folder is None or not folder.name.endswith(_SUFFIX):
        return False
    try:
        facts = folder.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise storage_error(error, folder) from error
    if not stat.S_ISDIR(facts.st_mode):
        message = f"{folder} is no folder, as the record of the mount says"
        raise StorageError(message, hint="Look at what it is and move it away.")
    _refuse_unknown(folder)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    return True


def _refuse_unknown(folder: Path) -> None:
    """Refuse what wimlib does not leave: it makes one level of folders with plain files in them."""
    for inner in folder.iterdir():
        known = _WIMLIBS.search(inner.name) and inner.is_dir() and not inner.is_symlink()
        if not known or any(not _is_plain(each) for each in inner.iterdir()):
            message = f"{folder} holds something that no mount leaves there: {inner.name!r}"
            hint = "Look at what it is and move it away, then run the command again."
            raise StorageError(message, hint=hint, hresult=0x80070091)


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def changes_size(record: MountRecord) -> int:
    """Give how many bytes of changes a mount keeps, before compression."""
    if record.staging is None:
        return 0
    size = 0
    for path in record.staging.rglob("*"):
        with suppress(OSError):
            size += path.lstat().st_size
    return size


def abandoned_staging(image: Path) -> tuple[Path, ...]:
    """Give the staging folders beside an image that wimlib left without us and nobody holds open.

    They are named to people and never removed: whose they are is not known.
    """
    beside = sorted(image.parent.glob(f"{_globbed(image.name)}.staging*"))
    return tuple(
        path
        for path in beside
        if _WIMLIBS.search(path.name) and path.is_dir() and not _is_held(path)
    )


def _globbed(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def _is_held(folder: Path) -> bool:
    from wimdock.servicing.mounts.holders import holders

    return bool(holders(folder))
