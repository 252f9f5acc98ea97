"""Updates made in memory: manifests as values, payload as files that may or may not be there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.lab.identity import TOKEN
from wimdock.cbs.component_manifest import ComponentManifest, Dependency
from wimdock.cbs.identity import Identity, Version
from wimdock.cbs.package_manifest import PackageManifest, PackageUpdate
from wimdock.cbs.update import Update, UpdateComponent, UpdatePackage

NOWHERE = Path("/nowhere")


def identity(name: str, version: str = "1.0.0.1", *, language: str = "neutral") -> Identity:
    """Give an identity of a component for amd64."""
    return Identity(name, Version.parse(version), "amd64", language, TOKEN, version_scope="nonSxS")


def component(
    manifest: ComponentManifest,
    files: Mapping[str, Path] | None = None,
    catalog: Path | None = None,
) -> UpdateComponent:
    """Give a component of an update with this manifest."""
    key_form = manifest.identity.key_form
    return UpdateComponent(
        identity=manifest.identity,
        key_form=key_form,
        delivered=NOWHERE / f"{key_form}.manifest",
        decoded=b"",
        digest=bytes(32),
        manifest=manifest,
        files=files or {},
        catalog=catalog,
    )


def deployment(name: str, *installs: Identity) -> UpdateComponent:
    """Give a deployment that installs components."""
    dependencies = tuple(Dependency(entry, "install") for entry in installs)
    return component(
        ComponentManifest(identity(name), is_deployment=True, dependencies=dependencies)
    )


def package(name: str, *updates: PackageUpdate, permanence: str = "") -> UpdatePackage:
    """Give a package without a catalog."""
    manifest = PackageManifest(identity(name), updates=updates, permanence=permanence)
    return UpdatePackage(manifest, NOWHERE / f"{name}.mum", None, catalogued=False)


def update(packages: tuple[UpdatePackage, ...], components: tuple[UpdateComponent, ...]) -> Update:
    """Give an update of these."""
    return Update(NOWHERE / "made.cab", 0, "", packages, components, catalogued=False)
