"""An update file opened: its packages and components, extracted and with every hash verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wimdock.cbs.component_manifest import ComponentManifest
from wimdock.cbs.contents import Content
from wimdock.cbs.identity import Identity
from wimdock.cbs.package_manifest import PackageManifest


@dataclass(frozen=True, slots=True)
class UpdatePackage:
    """One package of an update: its manifest, its .mum and .cat as extracted.

    `catalogued` tells whether a catalog of the update holds the hash of the .mum.
    """

    manifest: PackageManifest
    mum: Path
    catalog: Path | None
    catalogued: bool

    @property
    def identity(self) -> Identity:
        """Its identity."""
        return self.manifest.identity

    @property
    def id(self) -> str:
        """Its package ID."""
        return self.manifest.identity.package_id


@dataclass(frozen=True, slots=True)
class UpdateComponent:
    r"""One component (or deployment) of an update.

    `delivered` is the manifest as it goes into WinSxS\Manifests (it may still be DCM-compressed),
    `decoded` its XML, `digest` the SHA-256 of that. `files` gives the extracted payload by source
    name in lower case. `catalog` is the catalog that holds the manifest's hash.
    """

    identity: Identity
    key_form: str
    delivered: Content
    decoded: bytes
    digest: bytes
    manifest: ComponentManifest
    files: Mapping[str, Content]
    catalog: Path | None

    @property
    def catalogued(self) -> bool:
        """Tell whether a catalog of the update holds its hash."""
        return self.catalog is not None

    def file(self, source: str) -> Content | None:
        """Find a payload file by its source name."""
        return self.files.get(source.lower().replace("/", "\\"))


@dataclass(frozen=True, slots=True)
class Update:
    """An update file, extracted into a workspace.

    `packages` holds the root package first, then its children in the order in which they are named.
    `components` holds deployments and components, each once. `catalogued` tells whether catalogs
    cover every package and component: their hashes were verified, the signature was not.
    `verified` counts the hashes that were compared. `reasons` lists what cannot be made or found.
    """

    path: Path
    size: int
    sha256: str
    packages: tuple[UpdatePackage, ...]
    components: tuple[UpdateComponent, ...]
    catalogued: bool
    verified: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def root(self) -> UpdatePackage:
        """The package that the update installs."""
        return self.packages[0]

    def component(self, identity: Identity) -> UpdateComponent | None:
        """Find a component by identity (key form)."""
        key_form = identity.key_form
        return next((entry for entry in self.components if entry.key_form == key_form), None)

    def package(self, identity: Identity) -> UpdatePackage | None:
        """Find a package by identity."""
        wanted = identity.package_id.lower()
        return next((entry for entry in self.packages if entry.id.lower() == wanted), None)
