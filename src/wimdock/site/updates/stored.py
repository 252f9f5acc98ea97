"""The packages of an update as documents of the database, and back to what can be judged.

What applicability depends on is kept: identities, parents with their comparisons, which package
names which, whether one is judged by its children, and whether one brings components. So an update
is judged against any image from the database alone, by the same rules as in a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from wimdock.cbs.identity import Identity
from wimdock.cbs.package_manifest import ChildPackage, PackageManifest, PackageUpdate, Parent
from wimdock.cbs.update import Update, UpdatePackage
from wimdock.errors import MalformedPackage

_NOWHERE = Path("/")

Document = dict[str, Any]


def package_document(package: UpdatePackage, *, is_root: bool) -> Document:
    """Give the document of one package: {"identity", "name", …, "root", "parents", "updates"}."""
    manifest = package.manifest
    identity = manifest.identity
    return {
        "identity": identity.package_id,
        "name": identity.name,
        "architecture": identity.arch,
        "version": str(identity.version),
        "language": "" if identity.is_neutral else identity.language,
        "release_type": manifest.release_type,
        "root": is_root,
        "deep": manifest.deep,
        "catalogued": package.catalogued,
        "parents": [_parent_document(parent) for parent in manifest.parents],
        "updates": [
            {
                "packages": [child.identity.package_id for child in update.packages],
                "components": len(update.components),
            }
            for update in manifest.updates
        ],
    }


def _parent_document(parent: Parent) -> Document:
    return {
        "any_of": [identity.package_id for identity in parent.identities],
        "version": parent.version_compare,
        "build": parent.build_compare,
        "revision": parent.revision_compare,
        "disposition": parent.disposition,
    }


def stored_update(name: str, documents: Sequence[Mapping[str, Any]]) -> Update:
    """Give an update with these packages, the root first; without components, for judging only."""
    packages = tuple(_package(document) for document in documents)
    return Update(Path(name), 0, "", packages, (), catalogued=False)


def stored_updates(name: str, documents: Iterable[Mapping[str, Any]]) -> list[Update]:
    """Give the updates of a file: each root with the packages that follow it in the documents."""
    groups: list[list[Mapping[str, Any]]] = []
    for document in documents:
        if document["root"] or not groups:
            groups.append([])
        groups[-1].append(document)
    return [stored_update(name, group) for group in groups]


def _package(document: Mapping[str, Any]) -> UpdatePackage:
    identity = Identity.parse_id(document["identity"])
    manifest = PackageManifest(
        identity,
        release_type=document["release_type"],
        deep=document["deep"],
        parents=tuple(_parent(parent) for parent in document["parents"]),
        updates=tuple(
            PackageUpdate(
                "",
                packages=tuple(ChildPackage(each) for each in _identities(update["packages"])),
                components=(identity,) if update["components"] else (),
            )
            for update in document["updates"]
        ),
    )
    return UpdatePackage(manifest, _NOWHERE, None, document["catalogued"])


def _parent(document: Mapping[str, Any]) -> Parent:
    return Parent(
        identities=tuple(_identities(document["any_of"])),
        version_compare=document["version"],
        build_compare=document["build"],
        revision_compare=document["revision"],
        disposition=document["disposition"],
    )


def _identities(package_ids: Iterable[str]) -> Iterable[Identity]:
    for package_id in package_ids:
        # A parent that cannot be written as a package ID is in no image either.
        with suppress(MalformedPackage):
            yield Identity.parse_id(package_id)


def targets_of(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give what the root packages are for: each parent's family and the first three numbers of it.

    A newer update of the same family replaces an older one where it is for all that the older one
    is for; the revision, which grows with every update, says nothing of that.
    """
    found: set[str] = set()
    for document in documents:
        for parent in document["parents"]:
            for identity in _identities(parent["any_of"]):
                version = identity.version
                build = f"{version.major}.{version.minor}.{version.build}"
                found.add(f"{identity.package_family}~{build}".lower())
    return sorted(found)
