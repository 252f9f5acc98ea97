"""The history of an image package: what each run did with each update, as a site keeps it.

One JSON object to a line. `update_status` counts as the site's classes do (SMS_ImageUpdate…):
1 not required, 2 installed, 3 applicable (it could not be installed), 4 applicability check not
supported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from wimdock.files import Disk, open_file
from wimdock.rehearsal.report import PlayedUpdate, UpdateEnding

_STATUS = {
    UpdateEnding.SKIPPED: 1,
    UpdateEnding.INSTALLED: 2,
    UpdateEnding.FAILED: 3,
    UpdateEnding.NOT_SUPPORTED: 4,
}


def add_history(
    path: Path,
    run: tuple[datetime, str, bool],
    updates: Iterable[PlayedUpdate],
    disk: Disk,
) -> None:
    """Append a run: when it was, which provider was played, whether it succeeded, and its updates.

    StorageError where it cannot be written; a crash leaves whole lines and perhaps one that is not.
    """
    at, provider, succeeded = run
    line = {
        "time": at.isoformat().replace("+00:00", "Z"),
        "provider": provider,
        "succeeded": succeeded,
        "updates": [
            {
                "index": played.index,
                "update": played.update.name,
                "update_status": _STATUS[played.ending],
                "update_installation_status": played.hresult or 0,
            }
            for played in updates
        ],
    }
    data = (json.dumps(line) + "\n").encode()
    fd = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        disk.write_at(fd, data, os.fstat(fd).st_size)
        disk.flush(fd)
    finally:
        os.close(fd)
