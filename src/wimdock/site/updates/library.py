"""The files of the update library: `updates/<first two digits>/<SHA-256>/<file name>`.

A file is written below `updates/incoming` and flushed, then renamed to its place; only a row in the
database makes it count. What a crash leaves (a folder below `incoming` whose lock nobody holds, a
file that no row names) the next import takes away. `updates/library.lock` is held while a file
gets its place and its row, and while files without a row are looked for.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wimdock.errors import CorruptPackage, StorageError
from wimdock.files import Disk, open_file, storage_error
from wimdock.site.models import UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.facts import digest_of

INCOMING = "incoming"
LOCK = "library.lock"

_AGAIN = "Import the file again: wimdock update import FILE."
_LONGEST_NAME = 120
_LONGEST_ENDING = 8
_UNWANTED = re.compile(r"[^\w.()+-]+", re.ASCII)
_DIGITS = re.compile("[0-9a-f]{64}")
_PREFIX = 2
# Every worker may read it, whoever it runs as; nobody changes it by accident.
_MODE = 0o444


def stored_name(name: str) -> str:
    """Give the name under which a file is kept: of letters, digits and a few signs, not too long.

    The ending stays. What is no such sign becomes `_`; the name begins with a letter, a digit or
    `_`.
    """
    plain = _UNWANTED.sub("_", name)
    stem, dot, ending = plain.rpartition(".")
    if not dot or not ending or len(ending) > _LONGEST_ENDING:
        stem, dot, ending = plain, "", ""
    stem = stem[: _LONGEST_NAME - len(ending) - len(dot)]
    if not stem or not (stem[0].isalnum() or stem[0] == "_"):
        stem = f"_{stem[1:]}"
    return f"{stem}{dot}{ending}"


def place_of(site: Site, sha256: str, name: str) -> Path:
    """Give the path of a file of the library, whether it is there or not."""
    return site.library / sha256[:_PREFIX] / sha256 / name


def file_of_update(site: Site, row: UpdateRow) -> Path:
    """Give the file of an update; StorageError where it is not there or not as long as it was."""
    path = place_of(site, row.sha256, row.file_name)
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        message = f"the file of update {row.id} is not in the library: {path}"
        raise StorageError(message, hint=_AGAIN, hresult=0x80070002) from error
    except OSError as error:
        raise storage_error(error, path) from error
    if size != row.size:
        message = f"the file of update {row.id} has {size} bytes, and {row.size} were imported"
        raise CorruptPackage(message, hint=_AGAIN)
    return path


def verify_update(site: Site, row: UpdateRow) -> Path:
    """Give the file of an update after hashing it anew; CorruptPackage where it is another."""
    path = file_of_update(site, row)
    if digest_of(path) != row.sha256:
        message = f"the file of update {row.id} is not what was imported: {path}"
        raise CorruptPackage(message, hint=_AGAIN)
    return path


def is_whole(site: Site, row: UpdateRow) -> bool:
    """Tell whether the file of an update is there as it was imported."""
    try:
        verify_update(site, row)
    except (StorageError, CorruptPackage):
        return False
    return True


@contextmanager
def library_lock(site: Site) -> Iterator[None]:
    """Hold the lock of the library, waiting for whoever has it; held for moments only."""
    path = site.library / LOCK
    fd = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError as error:
            raise storage_error(error, path) from error
        yield
    finally:
        os.close(fd)


def prepare(site: Site) -> Path:
    """Make the folders of the library where they are missing; give that of incoming files."""
    incoming = site.library / INCOMING
    try:
        incoming.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, incoming) from error
    return incoming


def put(site: Site, copy: Path, sha256: str, name: str, disk: Disk) -> Path:
    """Bring a flushed copy to its place. The caller holds the lock."""
    target = place_of(site, sha256, name)
    try:
        copy.chmod(_MODE)
        for folder in (target.parent.parent, target.parent):
            if not folder.is_dir():
                folder.mkdir()
                disk.flush_folder(folder.parent)
    except OSError as error:
        raise storage_error(error, target) from error
    disk.replace(copy, target)
    return target


def remove_file(site: Site, sha256: str, disk: Disk) -> int:
    """Take the files of a SHA-256 out of the library; give how many bytes they had."""
    folder = site.library / sha256[:_PREFIX] / sha256
    fd = _open_folder(folder)
    if fd is None:
        return 0
    freed = 0
    try:
        with os.scandir(fd) as entries:
            found = [(each.name, each.stat(follow_symlinks=False).st_size) for each in entries]
        for name, size in found:
            disk.remove(fd, name, is_folder=False)
            freed += size
    except OSError as error:
        raise storage_error(error, folder) from error
    finally:
        os.close(fd)
    parent = _open_folder(folder.parent)
    if parent is not None:
        try:
            disk.remove(parent, folder.name, is_folder=True)
        finally:
            os.close(parent)
    return freed


def strays(site: Site, known: Collection[str]) -> Iterator[str]:
    """Give the SHA-256 of every folder of the library that is not among the known ones."""
    for prefix in site.library.glob("[0-9a-f]" * _PREFIX):
        with suppress(OSError):
            for folder in prefix.iterdir():
                if _DIGITS.fullmatch(folder.name) and folder.name not in known:
                    yield folder.name


def _open_folder(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, folder) from error
