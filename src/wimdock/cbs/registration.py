r"""Registration: how servicing comes to know what was installed.

SOFTWARE: `Component Based Servicing\Packages\<package id>` and `PackageIndex\<family>~0.0.0.0`.
COMPONENTS: `DerivedData\Components\<key form>`, `CanonicalData\Deployments\<deployment key>`,
`CanonicalData\Catalogs\<SHA-256>`.

Only values whose meaning is known are written; docs/internals/component-store.md lists them with
their sources, and what is left alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from wimdock.cbs.component_store import Thumbprints
from wimdock.cbs.identity import Version, file_value_name, reference_value_name
from wimdock.cbs.target import TargetHive
from wimdock.cbs.update import UpdateComponent, UpdatePackage
from wimdock.clock import to_filetime
from wimdock.image.change_set import CreateKey, HiveName, RegistryEdit, SetValue
from wimdock.registry.value_type import ValueType, encode_dword, encode_string

SERVICING = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
COMPONENTS = "DerivedData\\Components"
DEPLOYMENTS = "CanonicalData\\Deployments"
CATALOGS = "CanonicalData\\Catalogs"
CLIENT = "wimdock"

STATE_INSTALLED = 0x70
STATE_PERMANENT = 0x80
STATE_SUPERSEDED = 0x50
_VISIBLE = 1
_HIDDEN = 2
# The upper half of an owner's number as real images show it; the lower half is the state.
_OWNER = 0x0002_0000
_SYSTEM_SID = "S-1-5-18"
_FILE_PRESENT = 1
_REFERENCE = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Reference:
    """The update element of a package that installs a deployment."""

    package_id: str
    update_name: str

    @property
    def text(self) -> str:
        """The reference as COMPONENTS spells it."""
        return f"{self.package_id}.{self.update_name}"


def package_edits(
    package: UpdatePackage, owners: Sequence[str], source: str, at: datetime, *, visible: bool
) -> Iterator[RegistryEdit]:
    """Give the edits that register a package as installed.

    `owners` are the IDs of the packages on whose behalf it is there (its own for the package that
    was asked for), `source` the name of the update file.
    """
    permanent = package.manifest.permanence.lower() == "permanent"
    state = STATE_PERMANENT if permanent else STATE_INSTALLED
    key = f"{SERVICING}\\Packages\\{package.id}"
    moment = to_filetime(at)
    texts = (
        ("InstallName", f"{package.id}.mum"),
        ("InstallLocation", source),
        ("InstallClient", CLIENT),
        ("InstallUser", _SYSTEM_SID),
    )
    numbers = (
        ("InstallTimeHigh", moment >> 32),
        ("InstallTimeLow", moment & 0xFFFFFFFF),
        ("CurrentState", state),
        ("SelfUpdate", int(package.manifest.self_update)),
        ("Visibility", _VISIBLE if visible else _HIDDEN),
    )
    for name, text in texts:
        yield _software(key, name, ValueType.REG_SZ, encode_string(text))
    for name, number in numbers:
        yield _software(key, name, ValueType.REG_DWORD, encode_dword(number))
    for owner in owners:
        data = encode_dword(_OWNER | state)
        yield _software(f"{key}\\Owners", owner, ValueType.REG_DWORD, data)
    family = package.identity.with_version(Version()).package_id
    index = f"{SERVICING}\\PackageIndex\\{family}"
    yield _software(index, package.id, ValueType.REG_DWORD, encode_dword(0))


def owner_edit(package_id: str, owner: str) -> SetValue:
    """Give the edit that makes a package that is installed already be there for one more owner."""
    key = f"{SERVICING}\\Packages\\{package_id}\\Owners"
    return _software(key, owner, ValueType.REG_DWORD, encode_dword(_OWNER | STATE_INSTALLED))


def superseded_edit(package_id: str) -> SetValue:
    """Give the edit that marks a package as superseded by a newer one of its family."""
    data = encode_dword(STATE_SUPERSEDED)
    return _software(
        f"{SERVICING}\\Packages\\{package_id}", "CurrentState", ValueType.REG_DWORD, data
    )


def component_edits(
    component: UpdateComponent, deployments: Iterable[UpdateComponent]
) -> Iterator[RegistryEdit]:
    """Give the edits that make a component known; `deployments` are those that install it."""
    key = f"{COMPONENTS}\\{component.key_form}"
    identity = component.identity.components_text.encode("ascii", errors="replace")
    yield _components(key, "identity", identity)
    yield _components(key, "S256H", component.digest)
    for deployment in deployments:
        yield _components(key, f"c!{deployment.identity.deployment_key}", b"")
    for file in component.manifest.files:
        name = file_value_name(file.source or file.name)
        data = encode_dword(_FILE_PRESENT)
        yield SetValue(HiveName.COMPONENTS, key, name, ValueType.REG_DWORD, data)


def deployment_edits(
    deployment: UpdateComponent,
    references: Iterable[Reference],
    hive: TargetHive | None,
    thumbprints: Thumbprints,
) -> Iterator[RegistryEdit]:
    """Give the edits that make a deployment known as planned, staged and installed.

    A deployment that the image knows already keeps its catalog.
    """
    name = deployment.identity.deployment_key
    key = f"{DEPLOYMENTS}\\{name}"
    known = hive.open_key(key) if hive else None
    has_catalog = known is not None and known.value("CatalogThumbprint") is not None
    appid = deployment.identity.components_text.encode("ascii", errors="replace")
    yield _components(key, "appid", appid)
    if deployment.catalog is not None and not has_catalog:
        thumbprint = thumbprints.of(deployment.catalog)
        data = encode_string(thumbprint)
        yield SetValue(HiveName.COMPONENTS, key, "CatalogThumbprint", ValueType.REG_SZ, data)
        yield CreateKey(HiveName.COMPONENTS, f"{CATALOGS}\\{thumbprint}")
        yield _components(f"{CATALOGS}\\{thumbprint}", f"c!{name}", b"")
    for reference in references:
        installed = reference_value_name(reference.package_id, reference.update_name)
        text = reference.text.encode("ascii", errors="replace")
        # Length of the reference, length of data that goes with it (none), the reference.
        data = _REFERENCE.pack(len(text), 0) + text
        for mark in "psi":
            yield _components(key, mark + installed[1:], data)


def _software(key: str, name: str, kind: ValueType, data: bytes) -> SetValue:
    return SetValue(HiveName.SOFTWARE, key, name, kind, data)


def _components(key: str, name: str, data: bytes) -> SetValue:
    return SetValue(HiveName.COMPONENTS, key, name, ValueType.REG_BINARY, data)
