"""The manifest of a component or deployment (.manifest, decoded): all that it asks to install."""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.cbs.element import Element, Unknown
from wimdock.cbs.identity import Identity


@dataclass(frozen=True, slots=True)
class FileDigest:
    """The hash of a payload file: algorithm "sha1", "sha256", …, and its bytes."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class ComponentFile:
    r"""A `file` element.

    `destination` is its folder at run time, still with `$(runtime.…)`, with no trailing separator;
    "" where the file lives only in the store. `name` is its name there; `source` the name in the
    package's payload folder and in WinSxS (nearly always the same; may hold a `\`). `security`
    names a SecurityDefinition.
    """

    name: str
    destination: str = ""
    source: str = ""
    security: str = ""
    digest: FileDigest | None = None
    writeable_type: str = ""
    attributes: str = ""


@dataclass(frozen=True, slots=True)
class ComponentDirectory:
    """A `directory` element: a folder that must exist at run time."""

    destination: str
    owner: bool = False
    security: str = ""


@dataclass(frozen=True, slots=True)
class ManifestValue:
    """A `registryValue` element as written: `type` such as "REG_SZ", `value` still text.

    `hint` is operationHint ("replace", "append", …), `mutable` whether others may change it.
    """

    name: str
    type: str
    value: str = ""
    hint: str = ""
    owner: bool = False
    mutable: bool = False


@dataclass(frozen=True, slots=True)
class ManifestKey:
    r"""A `registryKey` element: `key` begins with HKEY_LOCAL_MACHINE\ and the like.

    `overridable` names values that another component may override; it sets none itself.
    """

    key: str
    owner: bool = False
    security: str = ""
    values: tuple[ManifestValue, ...] = ()
    overridable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dependency:
    """A `dependency` element. Only type "install" makes the other one part of the deployment."""

    identity: Identity
    type: str = ""
    discoverable: bool = False
    resource_type: str = ""


@dataclass(frozen=True, slots=True)
class SecurityDefinition:
    """A security descriptor that the manifest defines by name, in SDDL."""

    name: str
    sddl: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A `serviceData` element as written; numbers and lists still text.

    `attributes` are all of it, also those that have a field.
    """

    name: str
    display_name: str = ""
    description: str = ""
    type: str = ""
    start: str = ""
    error_control: str = ""
    image_path: str = ""
    group: str = ""
    object_name: str = ""
    depend_on_service: str = ""
    depend_on_group: str = ""
    required_privileges: str = ""
    sid_type: str = ""
    security: str = ""
    failure_actions: Element | None = None
    triggers: tuple[Element, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()

    def get(self, attribute: str) -> str:
        """Give an attribute as written, or ""."""
        return dict(self.attributes).get(attribute, "")


@dataclass(frozen=True, slots=True)
class Membership:
    """A `categoryMembership` element.

    `type_name` such as "Service" or "BootCritical", `instances` its categoryInstance elements.
    """

    category: str
    type_name: str
    version: str = ""
    token: str = ""
    instances: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalString:
    """An entry of a string table of `localization`."""

    culture: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ComponentManifest:
    """A decoded .manifest file.

    `extensions` are top-level elements outside what servicing itself carries out (advanced
    installers, instrumentation, migration, configuration …): support.py judges them.
    """

    identity: Identity
    is_deployment: bool = False
    dependencies: tuple[Dependency, ...] = ()
    files: tuple[ComponentFile, ...] = ()
    directories: tuple[ComponentDirectory, ...] = ()
    keys: tuple[ManifestKey, ...] = ()
    services: tuple[Service, ...] = ()
    memberships: tuple[Membership, ...] = ()
    security: tuple[SecurityDefinition, ...] = ()
    strings: tuple[LocalString, ...] = ()
    extensions: tuple[Element, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    def security_of(self, name: str) -> SecurityDefinition | None:
        """Find a security definition by name, without regard to case."""
        wanted = name.lower()
        return next((entry for entry in self.security if entry.name.lower() == wanted), None)
