"""Giving a file its name when it is whole: never over another one, and never half."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from wimdock.files import Disk, open_file, storage_error

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def put_in_place(unfinished: Path, place: Path, disk: Disk | None = None) -> None:
    """Flush a file and give it the name `place`; its own name goes with `unlink`, or by itself.

    FileExistsError where there is one of that name already, StorageError where it cannot be done.
    """
    disk = disk or Disk()
    fd = open_file(unfinished)
    try:
        disk.flush(fd)
    finally:
        os.close(fd)
    try:
        place.hardlink_to(unfinished)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise storage_error(error, place) from error
        os.close(os.open(place, os.O_CREAT | os.O_EXCL, 0o600))  # from here on the name is ours
        disk.replace(unfinished, place)
    disk.flush_folder(place.parent)
