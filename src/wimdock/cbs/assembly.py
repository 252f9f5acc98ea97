"""What package and component manifests share: the root, identities, a record of surprises.

A reader states which attributes and children it knows; everything else is recorded with its path,
so that nothing a manifest asks for is left out silently.
"""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.cbs.element import ASM_V2, ASM_V3, Element, Unknown, parse_xml
from wimdock.cbs.identity import Identity, Version
from wimdock.errors import MalformedPackage

_DETAIL = 120
MAX_UNKNOWN = 1000

_IDENTITY = frozenset(
    (
        "name",
        "version",
        "processorArchitecture",
        "language",
        "culture",
        "buildType",
        "publicKeyToken",
        "versionScope",
        "type",
    )
)
# What the root says about the assembly: shown to people, or of no effect on servicing.
_ROOT = frozenset(
    (
        "manifestVersion",
        "description",
        "displayName",
        "company",
        "copyright",
        "supportInformation",
        "creationTimeStamp",
        "lastUpdateTimeStamp",
    )
)


class Surprises:
    """Collects what a reader does not know, up to a bound."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[Unknown] = []

    def add(self, path: str, detail: str = "") -> None:
        """Record something at a path from the root."""
        if len(self._found) < MAX_UNKNOWN:
            self._found.append(Unknown(path, detail[:_DETAIL]))

    def attributes(self, element: Element, path: str, known: frozenset[str]) -> None:
        """Record every attribute that is not known."""
        for name, value in element.attributes:
            if name not in known:
                self.add(f"{path}@{name.rpartition('}')[2]}", value)

    def children(self, element: Element, path: str, known: frozenset[str]) -> Iterator[Element]:
        """Give the children that are known, record the others."""
        for child in element.children:
            if child.name in known and child.namespace in (ASM_V2, ASM_V3, ""):
                yield child
            else:
                self.add(f"{path}/{child.name}", describe(child))

    def leaf(self, element: Element, path: str, known: frozenset[str]) -> None:
        """Record every unknown attribute and any child at all."""
        self.attributes(element, path, known)
        for child in element.children:
            self.add(f"{path}/{child.name}", describe(child))

    def found(self) -> tuple[Unknown, ...]:
        """Give all that was recorded."""
        return tuple(self._found)


def describe(element: Element) -> str:
    """Say in short what an element holds."""
    return " ".join(f'{name}="{value}"' for name, value in element.attributes)[:_DETAIL]


def read_assembly(data: bytes, what: str, surprises: Surprises) -> tuple[Element, Identity]:
    """Read a document that must be an assembly with an identity; `what` names it in errors."""
    root = parse_xml(data, what)
    if root.name != "assembly" or root.namespace != ASM_V3:
        message = f"{what} is no assembly manifest"
        raise MalformedPackage(message)
    surprises.attributes(root, "assembly", _ROOT)
    found = root.first("assemblyIdentity")
    if found is None:
        message = f"{what} has no identity"
        raise MalformedPackage(message)
    identity = read_identity(found, what, "assembly/assemblyIdentity", surprises)
    if not found.get("version"):
        message = f"{what} has no version"
        raise MalformedPackage(message)
    return root, identity.check()


def read_identity(element: Element, what: str, path: str, surprises: Surprises) -> Identity:
    """Read an assemblyIdentity; a version that is left out or `*` counts as 0.0.0.0."""
    surprises.leaf(element, path, _IDENTITY)
    version = element.get("version")
    try:
        number = Version() if version in ("", "*") else Version.parse(version)
    except MalformedPackage as error:
        message = f"{what}: {error.message}"
        raise MalformedPackage(message) from error
    return Identity(
        name=element.get("name"),
        version=number,
        arch=element.get("processorArchitecture"),
        language=element.get("language") or element.get("culture") or "neutral",
        token=element.get("publicKeyToken"),
        type=element.get("type"),
        version_scope=element.get("versionScope"),
    )


def read_inner_identity(
    element: Element, what: str, path: str, surprises: Surprises
) -> Identity | None:
    """Read the assemblyIdentity that an element holds; None (and a record) where it has none."""
    found = element.first("assemblyIdentity")
    if found is None:
        surprises.add(path, "has no assemblyIdentity")
        return None
    return read_identity(found, what, f"{path}/assemblyIdentity", surprises)
