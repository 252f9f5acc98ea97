"""What a mounted image says of itself: wimlib answers through extended attributes of its root.

A process that is committing answers nothing until it has finished, and one that hangs never does.
So it is asked on a thread of its own, and not waited for longer than `patience` seconds.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PATIENCE = 2.0
_READWRITE = 1
_INT = struct.Struct("=i")


class Life(Enum):
    """How the process behind a mount is."""

    ANSWERS = "answers"
    SILENT = "silent"
    DEAD = "dead"
    CLOSED = "closed"
    """It lives and lets nobody but its user in."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mount told: the image file and index where it answered."""

    life: Life
    image: Path | None = None
    index: int | None = None
    writable: bool = False


def ask(directory: Path, patience: float = _PATIENCE) -> Answer:
    """Ask the mount at a folder what it is."""
    answers: list[Answer] = []
    # A daemon thread: where it stays blocked, it ends with the process.
    asking = threading.Thread(target=lambda: answers.append(_ask(directory)), daemon=True)
    asking.start()
    asking.join(patience)
    return answers[0] if answers else Answer(Life.SILENT)


def _ask(directory: Path) -> Answer:
    try:
        image = Path(os.fsdecode(os.getxattr(directory, "wimfs.wim_filename")))
        index = _INT.unpack(os.getxattr(directory, "wimfs.mounted_image"))[0]
        flags = _INT.unpack(os.getxattr(directory, "wimfs.mount_flags"))[0]
    except OSError as error:
        closed = error.errno in (errno.EACCES, errno.EPERM)
        return Answer(Life.CLOSED if closed else Life.DEAD)
    except struct.error:
        return Answer(Life.CLOSED)
    return Answer(Life.ANSWERS, image, index, bool(flags & _READWRITE))
