"""Reads a decoded .manifest file into a ComponentManifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wimdock.cbs.assembly import Surprises, describe, read_assembly, read_inner_identity
from wimdock.cbs.component_manifest import (
    ComponentDirectory,
    ComponentFile,
    ComponentManifest,
    Dependency,
    LocalString,
    ManifestKey,
    ManifestValue,
    Membership,
    SecurityDefinition,
    Service,
)
from wimdock.cbs.element import ASM_V3, Element
from wimdock.cbs.file_digest import read_digest

# Of a file: where the build took it from, and what only other tools use.
_FILE = frozenset(
    (
        "name",
        "destinationPath",
        "destinationName",
        "sourceName",
        "sourcePath",
        "importPath",
        "writeableType",
        "attributes",
        "buildFilter",
        "cabpath",
    )
)
_FILE_CHILDREN = frozenset(("securityDescriptor", "hash", "signatureInfo"))
_DIRECTORY = frozenset(("destinationPath", "owner"))
_KEY = frozenset(("keyName", "owner"))
_KEY_CHILDREN = frozenset(("registryValue", "securityDescriptor", "overridable"))
_OVERRIDABLE = frozenset(("name", "type", "scope"))
_VALUE = frozenset(("name", "valueType", "value", "operationHint", "owner", "mutable"))
_DEPENDENCY = frozenset(("discoverable", "optional", "resourceType"))
_DEPENDENT = frozenset(("dependencyType",))
# Components of older systems name their resources without a type; a deployment installs.
_DEPENDENCY_TYPES = {
    False: frozenset(("", "install", "prerequisite")),
    True: frozenset(("install", "prerequisite")),
}
_DEFINITION = frozenset(("name", "sddl", "operationHint", "description"))
_SECURITY = frozenset(("securityDescriptor",))
_SERVICE_CHILDREN = frozenset(("securityDescriptor", "failureActions", "serviceTrigger"))
_MEMBERSHIP_CHILDREN = frozenset(("id", "categoryInstance"))
_INSTANCE = frozenset(("subcategory",))
_CATEGORY_ID = frozenset(
    (
        "name",
        "version",
        "publicKeyToken",
        "typeName",
        "processorArchitecture",
        "language",
        "buildType",
        "versionScope",
    )
)


def parse_component(data: bytes, what: str) -> ComponentManifest:
    """Read a decoded manifest; `what` names it in MalformedPackage. Surprises are in `.unknown`."""
    surprises = Surprises()
    root, identity = read_assembly(data, what, surprises)
    is_deployment = root.first("deployment") is not None
    reader = _ComponentReader(what, surprises, is_deployment=is_deployment)
    for element in root.children:
        reader.read(element)
    return ComponentManifest(
        identity=identity,
        is_deployment=is_deployment,
        dependencies=tuple(reader.dependencies),
        files=tuple(reader.files),
        directories=tuple(reader.directories),
        keys=tuple(reader.keys),
        services=tuple(reader.services),
        memberships=tuple(reader.memberships),
        security=tuple(reader.security),
        strings=tuple(reader.strings),
        extensions=tuple(reader.extensions),
        unknown=surprises.found(),
    )


class _ComponentReader:
    """Takes the top-level elements of one manifest, each to the list of its kind."""

    def __init__(self, what: str, surprises: Surprises, *, is_deployment: bool) -> None:
        self.what = what
        self.surprises = surprises
        self.is_deployment = is_deployment
        self.dependencies: list[Dependency] = []
        self.files: list[ComponentFile] = []
        self.directories: list[ComponentDirectory] = []
        self.keys: list[ManifestKey] = []
        self.services: list[Service] = []
        self.memberships: list[Membership] = []
        self.security: list[SecurityDefinition] = []
        self.strings: list[LocalString] = []
        self.extensions: list[Element] = []
        self._readers: dict[str, Callable[[Element], None]] = {
            "dependency": self._dependency,
            "file": self._file,
            "directories": self._directories,
            "registryKeys": self._registry_keys,
            "memberships": self._memberships,
            "trustInfo": self._trust_info,
            "localization": self._localization,
        }

    def read(self, element: Element) -> None:
        reader = self._readers.get(element.name)
        if reader is not None and element.namespace == ASM_V3:
            reader(element)
        elif element.name == "deployment":
            self.surprises.leaf(element, "assembly/deployment", frozenset())
        elif element.name != "assemblyIdentity":
            self.extensions.append(element)

    def _dependency(self, element: Element) -> None:
        path = "assembly/dependency"
        self.surprises.attributes(element, path, _DEPENDENCY)
        known = frozenset(("dependentAssembly",))
        for child in self.surprises.children(element, path, known):
            inner = f"{path}/{child.name}"
            self.surprises.attributes(child, inner, _DEPENDENT)
            identity = read_inner_identity(child, self.what, inner, self.surprises)
            for _ in self.surprises.children(child, inner, frozenset(("assemblyIdentity",))):
                pass
            kind = child.get("dependencyType")
            if kind not in _DEPENDENCY_TYPES[self.is_deployment]:
                self.surprises.add(f"{inner}@dependencyType", kind or "none is given")
            if identity is not None:
                self.dependencies.append(
                    Dependency(
                        identity,
                        child.get("dependencyType"),
                        element.flag("discoverable"),
                        element.get("resourceType"),
                    )
                )

    def _file(self, element: Element) -> None:
        path = "assembly/file"
        self.surprises.attributes(element, path, _FILE)
        children = list(self.surprises.children(element, path, _FILE_CHILDREN))
        name = element.get("name")
        self.files.append(
            ComponentFile(
                name=element.get("destinationName") or name,
                destination=element.get("destinationPath").rstrip("\\"),
                source=name,
                security=_security_name(children),
                digest=read_digest(children, name, self.what, self.surprises),
                writeable_type=element.get("writeableType"),
                attributes=element.get("attributes"),
            )
        )

    def _directories(self, element: Element) -> None:
        path = "assembly/directories"
        self.surprises.attributes(element, path, frozenset())
        for child in self.surprises.children(element, path, frozenset(("directory",))):
            self.surprises.attributes(child, f"{path}/directory", _DIRECTORY)
            inside = list(self.surprises.children(child, f"{path}/directory", _SECURITY))
            destination = child.get("destinationPath").rstrip("\\")
            self.directories.append(
                ComponentDirectory(destination, child.flag("owner"), _security_name(inside))
            )

    def _registry_keys(self, element: Element) -> None:
        path = "assembly/registryKeys"
        self.surprises.attributes(element, path, frozenset())
        for child in self.surprises.children(element, path, frozenset(("registryKey",))):
            inner = f"{path}/registryKey"
            self.surprises.attributes(child, inner, _KEY)
            inside = list(self.surprises.children(child, inner, _KEY_CHILDREN))
            values = [self._value(e) for e in inside if e.name == "registryValue"]
            self.keys.append(
                ManifestKey(
                    child.get("keyName"),
                    child.flag("owner"),
                    _security_name(inside),
                    tuple(values),
                    tuple(self._overridable(inside, inner)),
                )
            )

    def _overridable(self, inside: list[Element], path: str) -> Iterator[str]:
        for element in (e for e in inside if e.name == "overridable"):
            self.surprises.leaf(element, f"{path}/overridable", _OVERRIDABLE)
            yield element.get("name")

    def _value(self, element: Element) -> ManifestValue:
        self.surprises.leaf(element, "assembly/registryKeys/registryKey/registryValue", _VALUE)
        return ManifestValue(
            element.get("name"),
            element.get("valueType"),
            element.get("value"),
            element.get("operationHint"),
            element.flag("owner"),
            element.flag("mutable"),
        )

    def _memberships(self, element: Element) -> None:
        path = "assembly/memberships"
        self.surprises.attributes(element, path, frozenset())
        for child in self.surprises.children(element, path, frozenset(("categoryMembership",))):
            inner = f"{path}/categoryMembership"
            self.surprises.attributes(child, inner, frozenset())
            inside = list(self.surprises.children(child, inner, _MEMBERSHIP_CHILDREN))
            category = next((e for e in inside if e.name == "id"), Element("id"))
            self.surprises.leaf(category, f"{inner}/id", _CATEGORY_ID)
            instances = tuple(e for e in inside if e.name == "categoryInstance")
            for instance in instances:
                self.surprises.attributes(instance, f"{inner}/categoryInstance", _INSTANCE)
            self.memberships.append(
                Membership(
                    category.get("name"),
                    category.get("typeName"),
                    category.get("version"),
                    category.get("publicKeyToken"),
                    instances,
                )
            )
            for instance in instances:
                self.services.extend(self._service(e) for e in instance.all("serviceData"))

    def _service(self, element: Element) -> Service:
        path = "assembly/memberships/categoryMembership/categoryInstance/serviceData"
        inside = list(self.surprises.children(element, path, _SERVICE_CHILDREN))
        return Service(
            name=element.get("name"),
            display_name=element.get("displayName"),
            description=element.get("description"),
            type=element.get("type"),
            start=element.get("start"),
            error_control=element.get("errorControl"),
            image_path=element.get("imagePath"),
            group=element.get("group"),
            object_name=element.get("objectName"),
            depend_on_service=element.get("dependOnService"),
            depend_on_group=element.get("dependOnGroup"),
            required_privileges=element.get("requiredPrivileges"),
            sid_type=element.get("sidType"),
            security=_security_name(inside),
            failure_actions=element.first("failureActions"),
            triggers=tuple(element.all("serviceTrigger")),
            attributes=element.attributes,
        )

    def _trust_info(self, element: Element) -> None:
        path = "assembly/trustInfo"
        inside = element
        for name in ("security", "accessControl", "securityDescriptorDefinitions"):
            found = list(self.surprises.children(inside, path, frozenset((name,))))
            if not found:
                return
            for other in found[1:]:
                self.surprises.add(f"{path}/{name}", f"another one: {describe(other)}")
            inside, path = found[0], f"{path}/{name}"
        known = frozenset(("securityDescriptorDefinition",))
        for child in self.surprises.children(inside, path, known):
            self.surprises.leaf(child, f"{path}/{child.name}", _DEFINITION)
            self.security.append(
                SecurityDefinition(child.get("name"), child.get("sddl"), child.get("operationHint"))
            )

    def _localization(self, element: Element) -> None:
        for resources in element.all("resources"):
            for entry in (e for e in resources.walk() if e.name == "string"):
                self.strings.append(
                    LocalString(resources.get("culture"), entry.get("id"), entry.get("value"))
                )


def _security_name(children: list[Element] | Iterator[Element]) -> str:
    found = next((child for child in children if child.name == "securityDescriptor"), None)
    return "" if found is None else found.get("name")
