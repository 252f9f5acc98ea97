"""Cabinets extracted safely, as a stream, with libarchive doing the decompression.

Order: the directory is read and judged, the free space checked, then the files go one by one into
the caller's spool. Nothing of it is kept after a run, so nothing is flushed; what an error or a
crash leaves lies in the spool's folder alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from wimdock.cbs.cabinet_directory import CabinetDirectory, read_directory
from wimdock.cbs.contents import Contents
from wimdock.cbs.spool import Spool
from wimdock.errors import MalformedPackage, MissingLibrary
from wimdock.files import open_file, storage_error

_SILENCE = logging.NullHandler()


def extract_cabinet(
    path: Path, spool: Spool, wanted: Callable[[str], bool] = lambda _name: True
) -> Contents:
    """Extract the files of a cabinet whose names are wanted into `spool`.

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
        spool.make_room(chosen.total)
        _rewind(descriptor, path)
        with _our_errors(library, path):
            return _extract(library, descriptor, directory, spool, wanted)
    finally:
        os.close(descriptor)


def _read_directory(file: BinaryIO, size: int, path: Path) -> CabinetDirectory:
    try:
        return read_directory(file, size)
    except OSError as error:
        raise storage_error(error, path) from error


def _extract(
    library: Any,
    descriptor: int,
    directory: CabinetDirectory,
    spool: Spool,
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
                contents.add(spool.put(declared.name, declared.size, entry.get_blocks()))
    if next(expected, None) is not None:
        message = "the cabinet ends before its last file"
        raise MalformedPackage(message)
    return contents


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
        message = f"{path.name} is a damaged cabinet: {str(error.msg)[:200]}"
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
