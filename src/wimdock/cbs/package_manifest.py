"""The manifest of a package (.mum): what it is, what it is for, and what it brings."""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.cbs.element import Element, Unknown
from wimdock.cbs.identity import Identity


@dataclass(frozen=True, slots=True)
class Parent:
    """A `parent` element: one of these packages must be there for the package to apply.

    The comparisons are EQ or GE: version (major.minor), build and revision of the installed parent
    against those asked for. `disposition` is the state asked for (detect, staged, …).
    `unevaluated` names comparisons that are asked for and have no effect here.
    """

    identities: tuple[Identity, ...]
    version_compare: str = "EQ"
    build_compare: str = "EQ"
    revision_compare: str = "GE"
    disposition: str = "detect"
    integrate: str = ""
    unevaluated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildPackage:
    """A package that an `update` element names."""

    identity: Identity
    integrate: str = ""
    contained: bool = True


@dataclass(frozen=True, slots=True)
class PackageUpdate:
    """An `update` element: child packages, or components (deployments).

    `updated_components` are those of its `applicable/updateComponent` conditions, where the update
    is meant only for images that have one of them.
    """

    name: str
    packages: tuple[ChildPackage, ...] = ()
    components: tuple[Identity, ...] = ()
    drivers: tuple[Identity, ...] = ()
    updated_components: tuple[Identity, ...] = ()
    restart: str = ""
    selected: bool = True


@dataclass(frozen=True, slots=True)
class PackageManifest:
    """A .mum file.

    `identifier` is the KB number or a name, `release_type` such as "Update", "OnDemand Pack",
    `restart` "possible", "required", "impossible" or "". `capabilities` are those declared, as
    `Name~~~language~version` makes them known to Windows. `permanence` is "permanent" where it
    cannot be removed. `deep` tells that it applies only where one of its child packages does.
    """

    identity: Identity
    identifier: str = ""
    release_type: str = ""
    restart: str = ""
    permanence: str = ""
    self_update: bool = False
    deep: bool = False
    display_name: str = ""
    description: str = ""
    support: str = ""
    parents: tuple[Parent, ...] = ()
    updates: tuple[PackageUpdate, ...] = ()
    capabilities: tuple[str, ...] = ()
    installer: Identity | None = None
    package_size: int = 0
    custom: tuple[Element, ...] = ()
    unknown: tuple[Unknown, ...] = ()
