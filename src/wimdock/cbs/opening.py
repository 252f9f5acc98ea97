"""Opening an update file: everything about it is read and verified before an image is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from wimdock.cbs.coverage import Coverage
from wimdock.cbs.payload import read_payload
from wimdock.cbs.resolution import resolve
from wimdock.cbs.update import Update
from wimdock.files import storage_error

_PIECE = 1 << 20


def open_update(
    path: Path, workspace: Path, *, dictionary: Callable[[], bytes | None] = lambda: None
) -> Update:
    """Open a .cab or .msu file, extracting it into `workspace`, a folder for it alone.

    `dictionary` gives the manifest dictionary; it is asked once, only where a manifest needs it.
    The files of the workspace are needed as long as the update is.

    Raises UnsupportedPackage for kinds of files that are not supported at all (what is not
    supported inside a package is for `unsupported` to list), MalformedPackage for broken or hostile
    ones, CorruptPackage where a hash does not match, MissingDictionary, DeltaError, StorageError
    (disk full included) and MissingLibrary.
    """
    size, sha256 = _digest(path)
    payload = read_payload(path, workspace)
    coverage = Coverage(payload.contents)
    resolution = resolve(payload, coverage, dictionary)
    unreadable = tuple(f"catalog {name}: {why}" for name, why in coverage.unreadable.items())
    return Update(
        path=path,
        size=size,
        sha256=sha256,
        packages=resolution.packages,
        components=resolution.components,
        catalogued=coverage.any and coverage.all_covered,
        verified=payload.verified + coverage.verified + resolution.verified,
        reasons=(*unreadable, *resolution.reasons),
    )


def _digest(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
    except OSError as error:
        raise storage_error(error, path) from error
    return size, digest.hexdigest()
