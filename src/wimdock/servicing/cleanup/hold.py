"""Holding a staging folder while it is cleaned up: open, unchanged, and locked against others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from wimdock.errors import ImageBusy, StorageError
from wimdock.files import exclusive_lock, storage_error
from wimdock.servicing.cleanup.ground import changed, identity, open_folder
from wimdock.servicing.cleanup.staged import StagingFolder

REHEARSAL_LOCK = ".wimdock-rehearsal.lock"
"""The file beside a staging folder on which a rehearsal keeps a lock while it runs."""


@contextmanager
def held(folder: StagingFolder) -> Iterator[tuple[int, int]]:
    """Open the folder above and the staging folder, and hold the lock on the latter."""
    above = _open(folder.path.parent, None)
    try:
        fd = _open(folder.path, above)
        try:
            if identity(os.fstat(fd)) != folder.identity:
                raise changed(folder.path)
            with _no_rehearsal(above, folder.path.parent), lock_on(fd, folder.path):
                yield above, fd
        finally:
            os.close(fd)
    finally:
        os.close(above)


@contextmanager
def _no_rehearsal(above: int, root: Path) -> Iterator[None]:
    """Hold the lock of rehearsals at this root, where there ever was one."""
    path = root / REHEARSAL_LOCK
    fd = _lock_file(above, path)
    if fd is None:
        yield
        return
    try:
        with lock_on(fd, path):
            yield
    finally:
        os.close(fd)


def _lock_file(above: int, path: Path) -> int | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path.name, flags, dir_fd=above)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, path) from error


def _open(path: Path, above: int | None) -> int:
    try:
        return open_folder(path if above is None else path.name, above)
    except OSError as error:
        raise storage_error(error, path) from error


@contextmanager
def lock_on(fd: int, path: Path) -> Iterator[None]:
    """Hold the lock; where the file system knows none, nobody else can hold it either."""
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive_lock(fd, path))
        except ImageBusy as error:
            hint = "Another clean-up or a rehearsal works there: wait until it has ended."
            raise ImageBusy(error.message, hint=hint) from error
        except StorageError:
            pass
        yield
