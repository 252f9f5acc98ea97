"""What a mounted image says of itself: wimlib answers through extended attributes of its root.

A process that is committing answers nothing until it has finished, and one that hangs never does.
So it is asked on a thread of its own, and not waited for longer than `patience` seconds.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PATIENCE = 2.0
_READWRITE = 1
_INT = struct.Struct("=i")
# What FUSE answers for a mount without a process, and for one that was cut off from its process.
_DEAD = frozenset({errno.ENOTCONN, errno.ECONNABORTED})
_CLOSED = frozenset({errno.EACCES, errno.EPERM})


class Life(Enum):
    """How the process behind a mount is."""

    ANSWERS = "answers"
    SILENT = "silent"
    """It says nothing, or nothing that makes sense: it may be at work, so nobody ends it."""
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
    return ask_all((directory,), patience)[directory]


def ask_all(directories: Iterable[Path], patience: float = _PATIENCE) -> dict[Path, Answer]:
    """Ask several mounts at once; all together are waited for no longer than one."""
    answers: dict[Path, Answer] = {}

    def note(directory: Path) -> None:
        answers[directory] = _ask(directory)

    # Daemon threads: where one stays blocked, it ends with the process.
    asking = {
        directory: threading.Thread(target=note, args=(directory,), daemon=True)
        for directory in directories
    }
    for thread in asking.values():
        thread.start()
    end = time.monotonic() + patience
    for thread in asking.values():
        thread.join(max(end - time.monotonic(), 0))
    return {directory: answers.get(directory, Answer(Life.SILENT)) for directory in asking}


def _ask(directory: Path) -> Answer:
    try:
        image = Path(os.fsdecode(os.getxattr(directory, "wimfs.wim_filename")))
        index = _INT.unpack(os.getxattr(directory, "wimfs.mounted_image"))[0]
        flags = _INT.unpack(os.getxattr(directory, "wimfs.mount_flags"))[0]
    except OSError as error:
        if error.errno in _DEAD:
            return Answer(Life.DEAD)
        return Answer(Life.CLOSED if error.errno in _CLOSED else Life.SILENT)
    except struct.error:
        return Answer(Life.CLOSED)
    return Answer(Life.ANSWERS, image, index, bool(flags & _READWRITE))
