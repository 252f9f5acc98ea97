"""From the root package to all packages and components of an update.

Packages are followed by the `update` elements of their manifests, components from the deployments
that these name and from dependencies of type "install". A component that the update does not hold
may be in the image already: that is for the plan to see.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wimdock.cbs.component_manifest import ComponentFile, ComponentManifest
from wimdock.cbs.component_reader import parse_component
from wimdock.cbs.contents import Content, ContentFile, fold_name
from wimdock.cbs.coverage import Coverage
from wimdock.cbs.element import MAX_XML
from wimdock.cbs.identity import Identity
from wimdock.cbs.package_manifest import PackageManifest
from wimdock.cbs.package_reader import parse_package
from wimdock.cbs.payload import ROOT_MANIFEST, Payload
from wimdock.cbs.spool import on_disk
from wimdock.cbs.update import UpdateComponent, UpdatePackage
from wimdock.delta import decode_manifest, is_compressed_manifest
from wimdock.errors import CorruptPackage, MalformedPackage

MAX_PACKAGES = 20_000
MAX_COMPONENTS = 200_000
# Folders of a component that hold deltas against what the image has, instead of files.
_DIFFERENTIALS = ("f", "r", "n")
_ANY_LANGUAGE = "*"


@dataclass(frozen=True, slots=True)
class Resolution:
    """All packages (root first) and components; `reasons` for what is missing."""

    packages: tuple[UpdatePackage, ...]
    components: tuple[UpdateComponent, ...]
    reasons: tuple[str, ...]
    verified: int


def resolve(
    payload: Payload, coverage: Coverage, dictionary: Callable[[], bytes | None]
) -> Resolution:
    """Read all manifests, follow them, and verify every hash of manifests and payload.

    Raises MalformedPackage, CorruptPackage, MissingDictionary and DeltaError.
    """
    resolver = _Resolver(payload, coverage, dictionary)
    resolver.follow_packages()
    resolver.follow_components()
    return Resolution(
        tuple(resolver.packages.values()),
        tuple(resolver.components.values()),
        tuple(dict.fromkeys(resolver.reasons)),
        resolver.verified,
    )


class _Resolver:
    """What has been found so far: packages by folded ID, components by key form."""

    def __init__(
        self, payload: Payload, coverage: Coverage, dictionary: Callable[[], bytes | None]
    ) -> None:
        self.payload = payload
        self.coverage = coverage
        self.dictionary = dictionary
        self.packages: dict[str, UpdatePackage] = {}
        self.components: dict[str, UpdateComponent] = {}
        self.reasons: list[str] = []
        self.verified = 0
        self.base: bytes | None = None
        self.has_base = False

    def follow_packages(self) -> None:
        found = self.payload.contents.get(ROOT_MANIFEST)
        if found is None:
            message = f"the package has no {ROOT_MANIFEST}"
            raise MalformedPackage(message)
        pending = [self._package(found, None)]
        while pending:
            package = pending.pop(0)
            for update in package.manifest.updates:
                for child in update.packages:
                    added = self._child(child.identity, package.id)
                    if added is not None:
                        pending.append(added)

    def _child(self, identity: Identity, parent: str) -> UpdatePackage | None:
        package_id = identity.package_id
        if fold_name(package_id) in self.packages:
            return None
        if len(self.packages) >= MAX_PACKAGES:
            message = "the update names more packages than any real one"
            raise MalformedPackage(message)
        found = self.payload.contents.get(f"{package_id}.mum")
        if found is None:
            self.reasons.append(f"package {package_id}, named by {parent}, is not in the update")
            return None
        return self._package(found, identity)

    def _package(self, file: ContentFile, expected: Identity | None) -> UpdatePackage:
        data = file.read(MAX_XML)
        manifest = parse_package(data, file.name)
        if expected is not None and not manifest.identity.same_as(expected):
            message = f"{file.name} is the manifest of {manifest.identity.package_id}"
            raise MalformedPackage(message)
        stem = file.name.removesuffix(file.name[-4:])
        names = (f"{stem}.cat", f"{manifest.identity.package_id}.cat")
        catalog = self.coverage.find(data, file.name, names)
        package = UpdatePackage(manifest, on_disk(file), catalog, catalog is not None)
        self.packages[fold_name(package.id)] = package
        return package

    def follow_components(self) -> None:
        for package in tuple(self.packages.values()):
            for update in package.manifest.updates:
                for identity in update.components:
                    self._follow_component(identity, package.manifest)

    def _follow_component(self, first: Identity, package: PackageManifest) -> None:
        catalogs = ("update.cat", f"{package.identity.package_id}.cat")
        pending = [first.key_form]
        while pending:
            key_form = pending.pop()
            if key_form in self.components:
                continue
            if len(self.components) >= MAX_COMPONENTS:
                message = "the update names more components than any real one"
                raise MalformedPackage(message)
            component = self._component(key_form, catalogs)
            if component is None:
                continue
            self.components[key_form] = component
            wanted = [
                dependency.identity
                for dependency in component.manifest.dependencies
                if dependency.type == "install"
            ]
            for identity in reversed(wanted):
                if identity.language == _ANY_LANGUAGE:
                    pending += self._in_any_language(identity)
                else:
                    pending.append(identity.check().key_form)

    def _in_any_language(self, identity: Identity) -> Iterator[str]:
        start = identity.any_language_start
        for file in self.payload.contents.ending(".manifest"):
            name = fold_name(file.name)
            if name.startswith(start):
                yield name.removesuffix(".manifest")

    def _component(self, key_form: str, catalogs: tuple[str, ...]) -> UpdateComponent | None:
        name = f"{key_form}.manifest"
        file = self.payload.contents.get(name)
        if file is None:
            if reason := self.payload.refused.get(name):
                self.reasons.append(f"component {key_form}: its manifest {reason}")
            return None
        delivered = file.read(MAX_XML)
        decoded = decode_manifest(delivered, self._base_for(delivered))
        manifest = parse_component(decoded, name)
        if manifest.identity.key_form != key_form:
            message = f"{name} is the manifest of {manifest.identity.key_form}"
            raise MalformedPackage(message)
        return UpdateComponent(
            identity=manifest.identity,
            key_form=key_form,
            delivered=file.content,
            decoded=decoded,
            digest=hashlib.sha256(decoded).digest(),
            manifest=manifest,
            files=self._files(key_form, manifest),
            catalog=self.coverage.find(decoded, name, catalogs),
        )

    def _base_for(self, delivered: bytes) -> bytes | None:
        if is_compressed_manifest(delivered) and not self.has_base:
            self.base, self.has_base = self.dictionary(), True
        return self.base

    def _files(self, key_form: str, manifest: ComponentManifest) -> dict[str, Content]:
        delivered = dict(self.payload.contents.below(key_form))
        files: dict[str, Content] = {}
        for entry in manifest.files:
            source = fold_name(entry.source)
            found = delivered.get(source)
            if found is None:
                if reason := self._why_missing(key_form, entry):
                    self.reasons.append(f"component {key_form}: file {entry.source}: {reason}")
                continue
            self._verify(found, entry, key_form)
            files[source] = found.content
        return files

    def _verify(self, file: ContentFile, entry: ComponentFile, key_form: str) -> None:
        if entry.digest is None:
            if fold_name(file.name) not in self.payload.listed:
                self.reasons.append(
                    f"component {key_form}: file {entry.source} has no hash to verify it by"
                )
            # Nothing that a catalog covers vouches for it, then.
            self.coverage.all_covered = False
            return
        digests = file.digests((entry.digest.algorithm,))
        if digests[entry.digest.algorithm] != entry.digest.value:
            message = f"{file.name} does not have the hash that its manifest lists"
            raise CorruptPackage(message)
        self.verified += 1

    def _why_missing(self, key_form: str, entry: ComponentFile) -> str:
        """Say why the update cannot give a file; "" where it just leaves it out.

        What is left out the image may have already: the plan looks there.
        """
        name = f"{key_form}\\{entry.source}"
        wanted = fold_name(name)
        for refused, reason in self.payload.refused.items():
            if fold_name(refused) == wanted:
                return reason
        for folder in _DIFFERENTIALS:
            if f"{key_form}\\{folder}\\{entry.source}" in self.payload.contents:
                return "it is delivered as a delta against the image's own file"
        return ""
