"""Reads a .mum file into a PackageManifest."""

from __future__ import annotations

from collections.abc import Iterator

from wimdock.cbs.assembly import Surprises, describe, read_assembly, read_inner_identity
from wimdock.cbs.assembly import read_identity as _identity
from wimdock.cbs.element import Element
from wimdock.cbs.identity import Identity
from wimdock.cbs.package_manifest import ChildPackage, PackageManifest, PackageUpdate, Parent
from wimdock.errors import MalformedPackage

_PACKAGE = frozenset(
    (
        "identifier",
        "releaseType",
        "restart",
        "permanence",
        "selfUpdate",
        "applicabilityEvaluation",
        # Of mobile Windows: the partition that the package was made for.
        "targetPartition",
        "binaryPartition",
    )
)
_PACKAGE_CHILDREN = frozenset(
    (
        "parent",
        "update",
        "localizedStrings",
        "declareCapability",
        "packageExtended",
        "customInformation",
        "installerAssembly",
    )
)
_PARENT = frozenset(
    (
        "versionCompare",
        "buildCompare",
        "revisionCompare",
        "serviceCompare",
        "distributionCompare",
        "disposition",
        "integrate",
    )
)
_UNEVALUATED = ("serviceCompare", "distributionCompare")
_ANY_LANGUAGE = "*"
_COMPARISONS = frozenset(("EQ", "GE"))
_DISPOSITIONS = frozenset(("detect", "staged"))
_UPDATE = frozenset(("name", "displayName", "description", "restart"))
_UPDATE_CHILDREN = frozenset(("package", "component", "driver", "applicable"))
_CHILD = frozenset(("integrate", "contained"))
_INNER = frozenset(("assemblyIdentity",))
_UPDATED_COMPONENT = frozenset(("elevate",))


def parse_package(data: bytes, what: str) -> PackageManifest:
    """Read a .mum file; `what` names it in MalformedPackage. Surprises are in `.unknown`."""
    surprises = Surprises()
    root, identity = read_assembly(data, what, surprises)
    children = frozenset(("assemblyIdentity", "package"))
    known = list(surprises.children(root, "assembly", children))
    packages = [child for child in known if child.name == "package"]
    if len(packages) != 1:
        message = f"{what} is no package manifest: it has {len(packages)} package elements"
        raise MalformedPackage(message)
    package, path = packages[0], "assembly/package"
    surprises.attributes(package, path, _PACKAGE)
    inside = list(surprises.children(package, path, _PACKAGE_CHILDREN))
    reader = _PackageReader(what, surprises)
    return PackageManifest(
        identity=identity,
        identifier=package.get("identifier"),
        release_type=package.get("releaseType"),
        restart=package.get("restart"),
        permanence=package.get("permanence"),
        self_update=package.flag("selfUpdate"),
        deep=package.get("applicabilityEvaluation").lower() == "deep",
        display_name=root.get("displayName"),
        description=root.get("description"),
        support=root.get("supportInformation"),
        parents=tuple(reader.parent(e) for e in inside if e.name == "parent"),
        updates=tuple(reader.update(e) for e in inside if e.name == "update"),
        capabilities=tuple(reader.capabilities(inside)),
        installer=reader.installer(inside),
        package_size=_size(inside),
        custom=tuple(e for e in inside if e.name == "customInformation"),
        unknown=surprises.found(),
    )


class _PackageReader:
    """Reads the elements of one package; knows its name and where surprises go."""

    def __init__(self, what: str, surprises: Surprises) -> None:
        self.what = what
        self.surprises = surprises

    def parent(self, element: Element) -> Parent:
        path = "assembly/package/parent"
        self.surprises.attributes(element, path, _PARENT)
        identities = tuple(
            _identity(child, self.what, f"{path}/assemblyIdentity", self.surprises)
            for child in self.surprises.children(element, path, _INNER)
        )
        if not identities:
            self.surprises.add(path, "names no package")
        for identity in identities:
            if identity.language == _ANY_LANGUAGE:
                self.surprises.add(f"{path}/assemblyIdentity@language", _ANY_LANGUAGE)
        return Parent(
            identities=identities,
            version_compare=self._choice(element, path, "versionCompare", _COMPARISONS, "EQ"),
            build_compare=self._choice(element, path, "buildCompare", _COMPARISONS, "EQ"),
            revision_compare=self._choice(element, path, "revisionCompare", _COMPARISONS, "GE"),
            disposition=self._choice(element, path, "disposition", _DISPOSITIONS, "detect"),
            integrate=element.get("integrate"),
            unevaluated=tuple(name for name in _UNEVALUATED if element.get(name)),
        )

    def update(self, element: Element) -> PackageUpdate:
        path = "assembly/package/update"
        self.surprises.attributes(element, path, _UPDATE)
        inside = list(self.surprises.children(element, path, _UPDATE_CHILDREN))
        return PackageUpdate(
            name=element.get("name"),
            packages=tuple(self._child_packages(inside, path)),
            components=tuple(self._assemblies(inside, "component", path)),
            drivers=tuple(self._assemblies(inside, "driver", path)),
            updated_components=tuple(self._updated_components(inside, path)),
            restart=element.get("restart"),
        )

    def capabilities(self, inside: list[Element]) -> Iterator[str]:
        for declared in (e for e in inside if e.name == "declareCapability"):
            path = "assembly/package/declareCapability"
            for capability in self.surprises.children(declared, path, frozenset(("capability",))):
                known = frozenset(("capabilityIdentity",))
                for found in self.surprises.children(capability, f"{path}/capability", known):
                    attributes = frozenset(("name", "version", "language"))
                    self.surprises.leaf(found, f"{path}/capability/{found.name}", attributes)
                    language = found.get("language")
                    language = "" if language == "neutral" else language
                    yield f"{found.get('name')}~~~{language}~{found.get('version')}"

    def installer(self, inside: list[Element]) -> Identity | None:
        found = next((e for e in inside if e.name == "installerAssembly"), None)
        if found is None:
            return None
        return _identity(found, self.what, "assembly/package/installerAssembly", self.surprises)

    def _child_packages(self, inside: list[Element], path: str) -> Iterator[ChildPackage]:
        for element in (e for e in inside if e.name == "package"):
            self.surprises.attributes(element, f"{path}/package", _CHILD)
            identity = read_inner_identity(element, self.what, f"{path}/package", self.surprises)
            if identity is not None:
                contained = element.flag("contained", default=True)
                yield ChildPackage(identity.check(), element.get("integrate"), contained)

    def _assemblies(self, inside: list[Element], name: str, path: str) -> Iterator[Identity]:
        for element in (e for e in inside if e.name == name):
            self.surprises.attributes(element, f"{path}/{name}", frozenset())
            identity = read_inner_identity(element, self.what, f"{path}/{name}", self.surprises)
            if identity is not None:
                yield identity.check()

    def _updated_components(self, inside: list[Element], path: str) -> Iterator[Identity]:
        path = f"{path}/applicable"
        for element in (e for e in inside if e.name == "applicable"):
            self.surprises.attributes(element, path, frozenset(("disposition",)))
            known = frozenset(("updateComponent",))
            for child in self.surprises.children(element, path, known):
                self.surprises.attributes(child, f"{path}/{child.name}", _UPDATED_COMPONENT)
                found = read_inner_identity(
                    child, self.what, f"{path}/{child.name}", self.surprises
                )
                if found is not None:
                    yield found

    def _choice(
        self, element: Element, path: str, attribute: str, known: frozenset[str], default: str
    ) -> str:
        value = element.get(attribute) or default
        if value not in known:
            self.surprises.add(f"{path}@{attribute}", describe(element))
        return value


def _size(inside: list[Element]) -> int:
    for element in inside:
        text = element.get("packageSize")
        if element.name == "packageExtended" and text.isascii() and text.isdigit():
            return int(text[:18])
    return 0
