"""Cabinets extracted safely, as a stream, with libarchive doing the decompression.

Order: the directory is read and judged, the free space checked, then the files are written one by
one under numbers into a folder of the caller. Nothing of it is kept after a run, so nothing is
flushed; what an error or a crash leaves lies in that folder alone.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wimdock.cbs.cabinet_directory import CabinetDirectory, CabinetEntry, read_directory
from wimdock.cbs.contents import ContentFile, Contents
from wimdock.errors import MalformedPackage, MissingLibrary
from wimdock.files import open_file, storage_error

_SPARE = 16 << 20
_SILENCE = logging.NullHandler()


def extract_cabinet(
    path: Path, folder: Path, wanted: Callable[[str], bool] = lambda _name: True
) -> Contents:
    """Extract the files of a cabinet whose names are wanted into `folder` (made if missing).

    Raises MalformedPackage for anything broken or hostile, UnsupportedPackage for a part of a set,
    StorageError where the disk refuses or lacks the space, MissingLibrary without libarchive.
    """
    library = _libarchive()
    descriptor = open_file(path)
    try:
        size = os.fstat(descriptor).st_size
        with os.fdopen(os.dup(descriptor), "rb") as file:
            directory = _read_directory(file, size, path)
        chosen = CabinetDirectory(tuple(e for e in directory.entries if wanted(e.name)))
        _make_room(folder, chosen.total)
        _rewind(descriptor, path)
        with _our_errors(library, path):
            return _extract(library, descriptor, directory, folder, wanted)
    finally:
        os.close(descriptor)


def _read_directory(file: Any, size: int, path: Path) -> CabinetDirectory:
    try:
        return read_directory(file, size)
    except OSError as error:
        raise storage_error(error, path) from error


def _extract(
    library: Any,
    descriptor: int,
    directory: CabinetDirectory,
    folder: Path,
    wanted: Callable[[str], bool],
) -> Contents:
    contents = Contents()
    expected = iter(directory.entries)
    with library.fd_reader(descriptor, "cab", "none") as archive:
        for entry in archive:
            declared = next(expected, None)
            if declared is None or entry.size != declared.size or not entry.isreg:
                message = "the cabinet's list of files is damaged"
                raise MalformedPackage(message)
            if wanted(declared.name):
                target = folder / f"{len(contents):06d}"
                _write(target, declared, entry.get_blocks())
                contents.add(ContentFile(declared.name, target, declared.size))
    if next(expected, None) is not None:
        message = "the cabinet ends before its last file"
        raise MalformedPackage(message)
    return contents


def _write(target: Path, declared: CabinetEntry, blocks: Iterator[bytes]) -> None:
    left = declared.size
    try:
        with target.open("xb") as file:
            for block in blocks:
                left -= len(block)
                if left < 0:
                    break
                file.write(block)
    except OSError as error:
        raise storage_error(error, target) from error
    if left:
        message = f"{declared.name} does not have the size that the cabinet declares"
        raise MalformedPackage(message)


def _make_room(folder: Path, total: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        room = os.statvfs(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    if room.f_bavail * room.f_frsize < total + _SPARE:
        raise storage_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), folder)


def _rewind(descriptor: int, path: Path) -> None:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        raise storage_error(error, path) from error


@contextmanager
def _our_errors(library: Any, path: Path) -> Iterator[None]:
    try:
        yield
    except library.ArchiveError as error:
        message = f"{path.name} is a damaged cabinet: {str(error)[:200]}"
        raise MalformedPackage(message) from error
    except (ValueError, TypeError, UnicodeError) as error:
        message = f"{path.name} is a damaged cabinet"
        raise MalformedPackage(message) from error


def _libarchive() -> Any:
    # The binding looks the library up while it is imported, and fails in any of these ways.
    try:
        import libarchive
    except (ImportError, OSError, AttributeError, TypeError) as error:
        message = "libarchive, which reads cabinets, is not installed"
        hint = "Install it: apt-get install libarchive13t64 (libarchive13 before Debian 13)."
        raise MissingLibrary(message, hint=hint) from error
    # It reports oddities of a file to a logger, which without a handler writes to the terminal.
    logging.getLogger("libarchive").addHandler(_SILENCE)
    return libarchive
