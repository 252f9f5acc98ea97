"""The room that a run needs on the image's disk, known before the first write."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from wimdock.errors import StorageError
from wimdock.files import storage_error
from wimdock.image.change_set import PutFile, PutLinks
from wimdock.image.staging import StagedImage, content_size
from wimdock.wim import Archive

# Content and metadata are counted before compression. What is not counted one by one (the sidecar,
# the growth of XML and integrity table) stays far below the margin.
_MARGIN = 4 << 20
_PER_NAME = 1 << 10


def need_space(archive: Archive, staged: Sequence[StagedImage]) -> None:
    """Refuse before the first write what the disk cannot hold: StorageError 0x80070070."""
    header = archive.header
    needed = _MARGIN + len(archive.blobs.data) + 2 * (header.xml.size + header.integrity.size)
    for image in staged:
        edits = image.file_edits()
        links = (e.links for e in edits if isinstance(e, PutFile | PutLinks))
        needed += content_size(edits) + _PER_NAME * (len(edits) + sum(map(len, links)))
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
