"""The packages of an update file, read without its payload: enough to judge whom it is for.

A host that services the Microsoft way takes more kinds of updates than wimdock does, so an update
that wimdock cannot put in is still read here as far as its manifests go. What is unpacked lies in a
folder of the caller's, which is gone after the preflight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.cabinet_directory import read_directory
from wimdock.cbs.contents import Contents, fold_name
from wimdock.cbs.delta_package import LIST_NAME as DELTA_LIST
from wimdock.cbs.element import MAX_XML
from wimdock.cbs.package_reader import parse_package
from wimdock.cbs.payload import ROOT_MANIFEST, read_payload
from wimdock.cbs.spool import Spool, on_disk
from wimdock.cbs.update import Update, UpdatePackage
from wimdock.errors import MalformedPackage
from wimdock.files import storage_error

_SCAN_CABINET = "wsusscan.cab"
_STACK = "package_for_servicingstack"
_CUMULATIVE = "package_for_rollupfix"


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """What an update file holds: its size and that of all that is in it, in bytes; its packages.

    A .msu may hold several packages, as a servicing stack beside a cumulative update; `updates` has
    one for each, without components.
    """

    path: Path
    size: int
    unpacked: int
    updates: tuple[Update, ...]

    @property
    def is_stack(self) -> bool:
        """Tell whether it is a servicing stack update and nothing else."""
        return all(is_stack(update) for update in self.updates)

    @property
    def has_stack(self) -> bool:
        """Tell whether it brings a servicing stack."""
        return any(is_stack(update) for update in self.updates)

    @property
    def is_cumulative(self) -> bool:
        """Tell whether it is a cumulative update."""
        return any(is_cumulative(update) for update in self.updates)


def is_stack(update: Update) -> bool:
    """Tell whether a package updates the servicing stack."""
    manifest = update.root.manifest
    return manifest.self_update or manifest.identity.name.lower().startswith(_STACK)


def is_cumulative(update: Update) -> bool:
    """Tell whether a package is a cumulative update of Windows 10 or later."""
    return update.root.identity.name.lower() == _CUMULATIVE


def read_update_file(path: Path, folder: Path) -> UpdateFile:
    """Read the packages of a .cab or .msu file; `folder` is its own and takes what is unpacked.

    UnsupportedPackage for a kind that cannot be opened here, MalformedPackage for what is no update
    package or broken, StorageError where it cannot be read.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise storage_error(error, path) from error
    updates, unpacked = _read(path, folder)
    if not updates:
        message = f"{path.name} is no update package: there is no {ROOT_MANIFEST} in it"
        raise MalformedPackage(message, hint="Give a .cab or .msu file with a CBS package.")
    return UpdateFile(path, size, max(size, unpacked), tuple(updates))


def _read(path: Path, folder: Path, *, is_inner: bool = False) -> tuple[list[Update], int]:
    """Give the packages of a cabinet, and of those in it; and how large it is unpacked."""
    with path.open("rb") as file:
        directory = read_directory(file, path.stat().st_size)
    contents = extract_cabinet(path, Spool(folder), _is_wanted)
    if ROOT_MANIFEST not in contents and DELTA_LIST in contents:
        contents = read_payload(path, folder / "made").contents
    if ROOT_MANIFEST in contents:
        return [_update(path, contents)], directory.total
    updates: list[Update] = []
    total = directory.total
    for number, cabinet in enumerate(() if is_inner else contents.ending(".cab")):
        found, size = _read(on_disk(cabinet), folder / f"inner-{number}", is_inner=True)
        updates += found
        total += size
    return updates, total


def _is_wanted(name: str) -> bool:
    plain = fold_name(name)
    return plain == DELTA_LIST or (plain.endswith((".mum", ".cab")) and plain != _SCAN_CABINET)


def _update(path: Path, contents: Contents) -> Update:
    packages = tuple(_packages(contents))
    return Update(path, 0, "", packages, (), catalogued=False)


def _packages(contents: Contents) -> Iterator[UpdatePackage]:
    pending, seen = [ROOT_MANIFEST], {ROOT_MANIFEST}
    while pending:
        file = contents.get(pending.pop(0))
        if file is None:
            continue
        manifest = parse_package(file.read(MAX_XML), file.name)
        yield UpdatePackage(manifest, on_disk(file), None, catalogued=False)
        for part in manifest.updates:
            for child in part.packages:
                name = fold_name(f"{child.identity.package_id}.mum")
                if name not in seen:
                    seen.add(name)
                    pending.append(name)
