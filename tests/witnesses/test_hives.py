"""The serviced hives as hivexregedit and regipy read them: exactly the change and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.lab.hive import REG_BINARY, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ
from tests.lab.hive_reader import Exported, by_hivexregedit, by_regipy, changes
from tests.lab.identity import LabIdentity
from tests.lab.product import CBS, INSTALLED, WINNERS
from tests.witnesses.serviced import HIVES, Serviced
from tests.witnesses.update_contents import UpdateContents

_ASM3 = "{urn:schemas-microsoft-com:asm.v3}"
_SERVICES = "ControlSet001\\Services\\"
_START = {"demand": 3, "disabled": 4}


@pytest.fixture(scope="module")
def changed(serviced: Serviced) -> dict[str, Exported]:
    """Give what is new or different in each hive."""
    return {
        name: changes(
            by_hivexregedit(serviced.hives_before / name),
            by_hivexregedit(serviced.hives_after / name),
        )
        for name in HIVES
    }


def _identities(contents: tuple[UpdateContents, ...], suffix: str) -> Iterator[LabIdentity]:
    for content in contents:
        for name, file in content.files.items():
            if name.endswith(suffix):
                found = etree.fromstring(file).find(f"{_ASM3}assemblyIdentity")
                assert found is not None
                yield LabIdentity(
                    found.get("name", ""),
                    found.get("version", ""),
                    found.get("processorArchitecture", ""),
                )


def _text(content: str, kind: int = REG_SZ) -> tuple[int, bytes]:
    return kind, f"{content}\0".encode("utf-16-le")


def _number(number: int) -> tuple[int, bytes]:
    return REG_DWORD, number.to_bytes(4, "little")


def test_both_readers_see_the_same_keys_and_values(serviced: Serviced) -> None:
    for name in HIVES:
        path = serviced.hives_after / name
        one, other = by_hivexregedit(path), by_regipy(path)
        assert {key: set(values) for key, values in one.items()} == {
            key: set(values) for key, values in other.items()
        }


def test_services_have_the_values_of_their_manifests(
    changed: dict[str, Exported], contents: tuple[UpdateContents, ...]
) -> None:
    services = {service["name"]: service for content in contents for service in content.services}
    assert sorted(services) == ["ssh-agent", "sshd"]
    for name, service in services.items():
        privileges = "".join(f"{word}\0" for word in service["requiredPrivileges"].split(","))
        assert changed["SYSTEM"][_SERVICES + name] == {
            "Type": _number(0x10),
            "Start": _number(_START[service["start"]]),
            "ErrorControl": _number(1),
            "ImagePath": _text(service["imagePath"], REG_EXPAND_SZ),
            "DisplayName": _text(service["displayName"]),
            "Description": _text(service["description"]),
            "ObjectName": _text(service["objectName"]),
            "RequiredPrivileges": _text(privileges, REG_MULTI_SZ),
        }


def test_nothing_else_changed_in_system_and_default(changed: dict[str, Exported]) -> None:
    known = (
        f"{_SERVICES}ssh",
        f"{_SERVICES}SharedAccess",
        "ControlSet001\\Control\\Session Manager\\Environment",
    )
    assert [key for key in changed["SYSTEM"] if not key.startswith(known)] == []
    environment = changed["SYSTEM"]["ControlSet001\\Control\\Session Manager\\Environment"]
    path = "%SystemRoot%\\system32;%SystemRoot%;%SYSTEMROOT%\\System32\\OpenSSH\\"
    assert environment == {"Path": _text(path, REG_EXPAND_SZ)}
    assert changed["DEFAULT"] == {}


def test_packages_are_registered(
    changed: dict[str, Exported], contents: tuple[UpdateContents, ...]
) -> None:
    packages = set(_identities(contents, ".mum"))
    assert len(packages) == 6
    software = changed["SOFTWARE"]
    for package in packages:
        values = software[f"{CBS}\\Packages\\{package.package_id}"]
        assert values["CurrentState"] == _number(INSTALLED)
        assert values["InstallName"] == _text(f"{package.package_id}.mum")
        index = software[f"{CBS}\\PackageIndex\\{package.package_family}"]
        assert set(index) == {package.package_id}
        assert set(software[f"{CBS}\\Packages\\{package.package_id}\\Owners"])
    named = {package.package_id for package in packages} | {
        package.package_family for package in packages
    }
    others = [key for key in software if not any(name in key for name in named)]
    assert all(key.startswith(WINNERS) for key in others)


def test_winners_are_recorded(
    changed: dict[str, Exported], contents: tuple[UpdateContents, ...]
) -> None:
    for component in set(_identities(contents, ".manifest")):
        key = f"{WINNERS}\\{component.family}"
        if component.name.endswith("-Deployment"):
            assert key not in changed["SOFTWARE"]
            continue
        assert changed["SOFTWARE"][key] == {"": _text("10.0")}
        assert changed["SOFTWARE"][f"{key}\\10.0"] == {
            "": _text(component.version),
            component.version: (REG_BINARY, b"\x01"),
        }


def test_components_carry_identity_and_hash(
    changed: dict[str, Exported], contents: tuple[UpdateContents, ...]
) -> None:
    manifests = {
        name.removesuffix(".manifest"): file
        for content in contents
        for name, file in content.files.items()
        if name.endswith(".manifest")
    }
    identities = {one.key_form: one for one in _identities(contents, ".manifest")}
    prefix = "DerivedData\\Components\\"
    found = {
        key.removeprefix(prefix): values
        for key, values in changed["COMPONENTS"].items()
        if key.startswith(prefix)
    }
    assert set(found) == set(manifests) == set(identities)
    for key_form, values in found.items():
        assert values["S256H"] == (REG_BINARY, hashlib.sha256(manifests[key_form]).digest())
        assert values["identity"] == (REG_BINARY, identities[key_form].text.encode("ascii"))
    deployments = {one for one in identities.values() if one.name.endswith("-Deployment")}
    for deployment in deployments:
        assert f"CanonicalData\\Deployments\\{deployment.deployment_key}" in changed["COMPONENTS"]
