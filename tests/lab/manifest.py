"""Component and package manifests in Microsoft's XML, from plain values."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from tests.lab.identity import LabIdentity

ASM3 = "urn:schemas-microsoft-com:asm.v3"
_ASM2 = "urn:schemas-microsoft-com:asm.v2"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_HEAD = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'
_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"

FILE_SDDL = (
    f"O:{_INSTALLER}G:{_INSTALLER}D:P(A;;FA;;;{_INSTALLER})(A;;GRGX;;;BA)(A;;GRGX;;;SY)"
    "(A;;GRGX;;;BU)(A;;GRGX;;;S-1-15-2-1)(A;;GRGX;;;S-1-15-2-2)S:(AU;FASA;0x000D0116;;;WD)"
)
KEY_SDDL = (
    f"O:{_INSTALLER}G:{_INSTALLER}D:P(A;CI;GA;;;{_INSTALLER})(A;CI;GR;;;SY)(A;CI;GR;;;BA)"
    "(A;CI;GR;;;BU)(A;CI;GR;;;S-1-15-2-1)"
)
DEFINITIONS = (("WRP_FILE_DEFAULT_SDDL", FILE_SDDL), ("WRP_REGKEY_DEFAULT_SDDL", KEY_SDDL))


@dataclass(frozen=True, slots=True)
class LabPayload:
    r"""A file of a component.

    `destination` is None for a file that lives only in the store. `shipped`, where given, is what
    the cabinet holds instead of `content`, whose hash the manifest names; `absent` files are in
    the manifest and not in the cabinet. `extra` is XML inside the file element.
    """

    name: str
    content: bytes
    destination: str | None = "$(runtime.system32)\\"
    source_name: str = ""
    security: str = "WRP_FILE_DEFAULT_SDDL"
    shipped: bytes | None = None
    absent: bool = False
    extra: str = ""


@dataclass(frozen=True, slots=True)
class LabRegistryKey:
    """A registry key of a component with (name, type, value) as the manifest spells them."""

    key: str
    values: tuple[tuple[str, str, str], ...] = ()
    security: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True)
class LabService:
    """A service of a component; `attributes` are those of the serviceData element."""

    name: str
    attributes: tuple[tuple[str, str], ...] = (
        ("displayName", "Lab Service"),
        ("errorControl", "normal"),
        ("start", "demand"),
        ("type", "win32OwnProcess"),
        ("description", "A service of the lab."),
        ("imagePath", r"%SystemRoot%\System32\lab.exe"),
        ("objectName", "LocalSystem"),
    )
    extra: str = ""


@dataclass(frozen=True, slots=True)
class LabComponent:
    """A component: its files, folders, keys and services; `extra` is XML inside the assembly."""

    identity: LabIdentity
    payloads: tuple[LabPayload, ...] = ()
    registry: tuple[LabRegistryKey, ...] = ()
    services: tuple[LabService, ...] = ()
    folders: tuple[str, ...] = ()
    extra: str = ""
    definitions: tuple[tuple[str, str], ...] = DEFINITIONS

    def manifest_hash(self) -> bytes:
        """Give the SHA-256 of the manifest, as COMPONENTS holds it."""
        return hashlib.sha256(self.manifest()).digest()

    def manifest(self) -> bytes:
        """Give the component's manifest."""
        parts = [identity_element(self.identity)]
        if self.folders:
            parts += ["<directories>"]
            parts += [f"<directory destinationPath={quoteattr(path)} />" for path in self.folders]
            parts += ["</directories>"]
        parts += [_file_element(payload) for payload in self.payloads]
        parts += [_service_element(service) for service in self.services]
        if self.registry:
            parts += ["<registryKeys>", *map(_key_element, self.registry), "</registryKeys>"]
        parts += [self.extra] if self.extra else []
        if self.definitions:
            parts += ["<trustInfo><security><accessControl><securityDescriptorDefinitions>"]
            parts += [
                f"<securityDescriptorDefinition name={quoteattr(name)} sddl={quoteattr(sddl)}"
                ' operationHint="replace" />'
                for name, sddl in self.definitions
            ]
            parts += ["</securityDescriptorDefinitions></accessControl></security></trustInfo>"]
        return assembly(*parts)


@dataclass(frozen=True, slots=True)
class LabPackage:
    """A package: what it needs, the components that it deploys, the packages that it holds.

    `extra` is XML inside the package element.
    """

    identity: LabIdentity
    components: tuple[LabComponent, ...] = ()
    children: tuple[LabPackage, ...] = ()
    parents: tuple[LabIdentity, ...] = field(
        default=(LabIdentity("Microsoft-Windows-Client-Features-Package"),)
    )
    identifier: str = "KB5000001"
    release_type: str = "Update"
    parent_attributes: str = 'buildCompare="GE" revisionCompare="GE" integrate="separate"'
    extra: str = ""

    @property
    def deployment(self) -> LabIdentity:
        """The identity of the deployment that brings the components."""
        identity = self.identity
        name = identity.name.removesuffix("-Package") + "-Deployment"
        return LabIdentity(name, identity.version, identity.architecture, identity.language)

    def deployment_manifest(self) -> bytes:
        """Give the deployment's manifest: one dependency for each component."""
        parts = [identity_element(self.deployment), f'<deployment xmlns="{ASM3}" />']
        parts += [
            '<dependency discoverable="no"><dependentAssembly dependencyType="install">'
            f"{identity_element(component.identity)}</dependentAssembly></dependency>"
            for component in self.components
        ]
        return assembly(*parts)

    def manifest(self) -> bytes:
        """Give the package's manifest, the .mum."""
        parts = [
            identity_element(self.identity, scope=False),
            "<package "
            + _attributes({"identifier": self.identifier, "releaseType": self.release_type})
            + ">",
        ]
        parts += [
            f'<parent disposition="detect" {self.parent_attributes}>'
            f"{identity_element(parent, scope=False)}</parent>"
            for parent in self.parents
        ]
        parts += [self.extra] if self.extra else []
        parts += [
            f'<update name="{update_name(child.identity)}">'
            '<package contained="false" integrate="hidden">'
            f"{identity_element(child.identity, scope=False)}</package></update>"
            for child in self.children
        ]
        if self.components:
            component = f"<component>{identity_element(self.deployment)}</component>"
            parts += [f'<update name="{update_name(self.deployment)}">{component}</update>']
        parts += ["</package>"]
        return assembly(*parts)


def assembly(*parts: str) -> bytes:
    """Give a manifest with these elements."""
    inside = "\r\n  ".join(parts)
    text = (
        f'{_HEAD}<assembly xmlns="{ASM3}" manifestVersion="1.0"'
        f' copyright="The lab">\r\n  {inside}\r\n</assembly>'
    )
    return text.encode()


def update_name(identity: LabIdentity) -> str:
    """Give the name of the update that brings something: 32 hexadecimal digits."""
    return hashlib.sha256(identity.text.encode()).hexdigest()[:32]


def identity_element(identity: LabIdentity, *, scope: bool = True) -> str:
    """Give an assemblyIdentity element; packages have no scope."""
    attributes = {
        "name": identity.name,
        "version": identity.version,
        "processorArchitecture": identity.architecture,
        "language": identity.language,
        "buildType": "release",
        "publicKeyToken": identity.token,
    }
    if identity.type:
        attributes["type"] = identity.type
    if scope:
        attributes["versionScope"] = "nonSxS"
    return f"<assemblyIdentity {_attributes(attributes)} />"


def _attributes(attributes: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())


def _file_element(payload: LabPayload) -> str:
    attributes = {"name": payload.name}
    if payload.destination is not None:
        attributes["destinationPath"] = payload.destination
    attributes |= {
        "sourceName": payload.source_name or payload.name,
        "importPath": "$(build.nttree)\\",
        "sourcePath": ".\\",
    }
    digest = base64.b64encode(hashlib.sha256(payload.content).digest()).decode()
    security = f'<securityDescriptor name="{payload.security}" />' if payload.security else ""
    return (
        f"<file {_attributes(attributes)}>{security}{payload.extra}"
        f'<asmv2:hash xmlns:asmv2="{_ASM2}" xmlns:dsig="{_DSIG}"><dsig:Transforms>'
        '<dsig:Transform Algorithm="urn:schemas-microsoft-com:HashTransforms.Identity" />'
        f'</dsig:Transforms><dsig:DigestMethod Algorithm="{_DSIG}sha256" />'
        f"<dsig:DigestValue>{digest}</dsig:DigestValue></asmv2:hash></file>"
    )


def _key_element(key: LabRegistryKey) -> str:
    values = "".join(
        f"<registryValue {_attributes({'name': name, 'valueType': kind, 'value': value})} />"
        for name, kind, value in key.values
    )
    security = f'<securityDescriptor name="{key.security}" />' if key.security else ""
    return f"<registryKey keyName={quoteattr(key.key)}>{values}{security}{key.extra}</registryKey>"


def _service_element(service: LabService) -> str:
    attributes = {"name": service.name} | dict(service.attributes)
    return (
        "<memberships><categoryMembership>"
        '<id name="Microsoft.Windows.Categories.Services" version="10.0.19041.1"'
        ' publicKeyToken="31bf3856ad364e35" typeName="Service" />'
        f"<categoryInstance subcategory={quoteattr(service.name)}>"
        f"<serviceData {_attributes(attributes)}>{service.extra}</serviceData>"
        "</categoryInstance></categoryMembership></memberships>"
    )
