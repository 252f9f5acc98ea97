"""What a run needs of the image's disk, known before the first write: room, and the right."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import storage_error
from wimdock.image.writing import PreparedImage
from wimdock.wim import Archive

# Content and metadata are counted before compression. What is not counted one by one (the sidecar,
# the growth of XML and integrity table) stays far below the margin.
_MARGIN = 4 << 20
_PER_NAME = 1 << 10


def need_space(archive: Archive, images: Sequence[PreparedImage]) -> None:
    """Refuse before the first write what the disk cannot hold: StorageError 0x80070070."""
    header = archive.header
    needed = _MARGIN + len(archive.blobs.data) + 2 * (header.xml.size + header.integrity.size)
    for image in images:
        needed += image.size + _PER_NAME * image.names
        needed += archive.metadata_blobs[image.index - 1].resource.size
    folder = archive.path.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise storage_error(error, folder) from error
    if free < needed:
        message = (
            f"{folder} has {free >> 20:,} MiB free, but the run may need {-(-needed >> 20):,} MiB"
        )
        hint = "Free space on that disk; nothing was touched."
        raise StorageError(message, hint=hint, hresult=0x80070070)


def need_folder(image: Path) -> None:
    """Refuse an image in a folder where nothing can be put beside it.

    StorageError 0x80070013 on a read-only file system, 0x80070005 where permissions forbid it.
    """
    folder = image.parent
    if not image.exists() or os.access(folder, os.W_OK | os.X_OK):
        return
    message = f"{folder} cannot be written, where the record of generations goes"
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        hint = "The file system is read-only: service a copy elsewhere."
        raise StorageError(message, hint=hint, hresult=0x80070013)
    hint = "Check the permissions of the folder, or service a copy elsewhere."
    raise StorageError(message, hint=hint, hresult=0x80070005)
