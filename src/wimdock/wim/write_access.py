"""The right to write an image file: its lock, and what its own header forbids."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wimdock.errors import UnsupportedImage
from wimdock.files import exclusive_lock, open_file, real_path, refuse_special
from wimdock.wim import layout
from wimdock.wim.archive import Archive


@contextmanager
def locked_archive(path: Path | str) -> Iterator[Archive]:
    """Open an image file for writing and hold the lock on it, or raise ImageBusy."""
    path = real_path(path)
    refuse_special(path)
    with ExitStack() as stack:
        fd = open_file(path, os.O_RDWR)
        stack.callback(os.close, fd)
        stack.enter_context(exclusive_lock(fd, path))
        yield Archive(fd, path)


def refuse_unwritable(archive: Archive) -> None:
    """Raise UnsupportedImage for a file whose own header says that it must not be written."""
    if archive.header.flags & layout.FLAG_READONLY:
        message = f"{archive.path} is marked read-only in its header"
        raise UnsupportedImage(message, hint="Work on an exported copy of it.")
    if archive.header.flags & layout.FLAG_WRITE_IN_PROGRESS:
        message = f"another program was stopped while it wrote {archive.path}"
        hint = "Check it with `wimdock verify`, or take it from a backup."
        raise UnsupportedImage(message, hint=hint)
