r"""The component store: which files of an update go where in the image.

A component's payload lies in `WinSxS\<key form>\`; the winner's files are names of the same files
at their runtime paths (hard links). Manifests go to `WinSxS\Manifests` as delivered; catalogs to
`WinSxS\Catalogs` by their SHA-256 and to the catalog folder of System32; package manifests and
their catalogs to `servicing\Packages`.

What has no descriptor of its own in a manifest takes that of its folder. Sources and witnesses:
docs/internals/component-store.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from wimdock.cbs.component_manifest import ComponentFile
from wimdock.cbs.file_place import check_place, check_way
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.registry_entries import security_bytes
from wimdock.cbs.runtime_path import RuntimeFolders
from wimdock.cbs.security import ObjectKind
from wimdock.cbs.target import TargetImage
from wimdock.cbs.update import UpdateComponent, UpdatePackage
from wimdock.errors import UsageError
from wimdock.files import storage_error
from wimdock.image.change_set import (
    ATTRIBUTE_ARCHIVE,
    FileEdit,
    PutDirectory,
    PutFile,
    PutLinks,
)
from wimdock.paths import ImagePath

WINSXS = ImagePath("Windows\\WinSxS")
MANIFESTS = WINSXS / "Manifests"
CATALOGS = WINSXS / "Catalogs"
PACKAGES = ImagePath("Windows\\servicing\\Packages")
CATALOG_ROOT = ImagePath("Windows\\System32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}")

_ATTRIBUTES = {
    "readonly": 0x1,
    "hidden": 0x2,
    "system": 0x4,
    "archive": ATTRIBUTE_ARCHIVE,
    "notcontentindexed": 0x2000,
}


class Thumbprints:
    """SHA-256 of catalogs in hexadecimal: their names in the store and below COMPONENTS."""

    def __init__(self) -> None:
        """Begin with none read."""
        self._known: dict[Path, str] = {}

    def of(self, catalog: Path) -> str:
        """Give that of a catalog of the update, read once; StorageError where that fails."""
        if catalog not in self._known:
            try:
                self._known[catalog] = hashlib.sha256(catalog.read_bytes()).hexdigest()
            except OSError as error:
                raise storage_error(error, catalog) from error
        return self._known[catalog]


def manifest_path(key_form: str) -> ImagePath:
    """Give where the manifest of a component lies."""
    return MANIFESTS / f"{key_form}.manifest"


def package_files(
    package: UpdatePackage, image: TargetImage, thumbprints: Thumbprints
) -> Iterator[PutFile]:
    """Give the files that make a package known: its .mum, and its catalog in three places."""
    yield PutFile(PACKAGES / f"{package.id}.mum", package.mum)
    if package.catalog is not None:
        yield PutFile(PACKAGES / f"{package.id}.cat", package.catalog)
        yield PutFile(CATALOG_ROOT / f"{package.id}.cat", package.catalog)
        stored = CATALOGS / f"{thumbprints.of(package.catalog)}.cat"
        if image.lookup(stored) is None:
            yield PutFile(stored, package.catalog)


def manifest_files(component: UpdateComponent, image: TargetImage) -> Iterator[PutFile]:
    """Give the component's manifest, where the image does not have it."""
    path = manifest_path(component.key_form)
    if image.lookup(path) is None:
        yield PutFile(path, component.delivered)


def runtime_directories(
    component: UpdateComponent, folders: RuntimeFolders, image: TargetImage, refusals: Refusals
) -> Iterator[PutDirectory]:
    """Give the folders that a winning component asks for."""
    manifest = component.manifest
    for directory in manifest.directories:
        with refusals.about(directory.destination):
            path = folders.folder(directory.destination, component.identity.arch)
            check_place(path, image, folder=True)
            security = security_bytes(manifest, directory.security, ObjectKind.FILE)
            yield PutDirectory(path, security)


def component_files(
    component: UpdateComponent,
    folders: RuntimeFolders,
    image: TargetImage,
    refusals: Refusals,
    *,
    wins: bool,
    newly: bool,
) -> Iterator[FileEdit]:
    """Give the edits for a component's payload.

    `wins` tells whether its files are the ones in use, `newly` whether they were not before; then
    every runtime path becomes a name of the file in the store, else only missing ones do.
    """
    for file in component.manifest.files:
        with refusals.about(file.name):
            store = _store_path(component.key_form, file)
            check_way(store, image)
            links: tuple[ImagePath, ...] = ()
            if wins and file.destination:
                runtime = _runtime_path(component, file, folders)
                check_place(runtime, image)
                if newly or image.lookup(runtime) is None:
                    links = (runtime,)
            if image.lookup(store) is None:
                yield _put(component, file, store, links)
            elif links:
                yield PutLinks(store, links)


def _put(
    component: UpdateComponent, file: ComponentFile, store: ImagePath, links: tuple[ImagePath, ...]
) -> PutFile:
    source = component.file(file.source or file.name)
    if source is None:
        refuse("neither the update nor the image has this file")
    return PutFile(
        store,
        source,
        links,
        attributes=_attributes(file.attributes),
        security=security_bytes(component.manifest, file.security, ObjectKind.FILE),
    )


def _store_path(key_form: str, file: ComponentFile) -> ImagePath:
    if not (file.source and file.name):
        refuse("it has no name")
    try:
        return WINSXS / key_form / file.source
    except UsageError:
        refuse(f"{file.source[:200]!r} is no name for a file")


def _runtime_path(
    component: UpdateComponent, file: ComponentFile, folders: RuntimeFolders
) -> ImagePath:
    folder = folders.folder(file.destination, component.identity.arch)
    try:
        return folder / file.name
    except UsageError:
        refuse(f"{file.name[:200]!r} is no name for a file")


def _attributes(text: str) -> int:
    attributes = 0
    for word in text.replace(",", " ").split():
        bit = _ATTRIBUTES.get(word.lower())
        if bit is None:
            refuse(f"the file attribute {word[:80]!r} is not known")
        attributes |= bit
    return attributes or ATTRIBUTE_ARCHIVE
