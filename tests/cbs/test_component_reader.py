"""Component manifests."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.cbs.hostile import spoiled
from tests.lab.identity import LabIdentity
from tests.lab.manifest import (
    LabComponent,
    LabPackage,
    LabPayload,
    LabRegistryKey,
    LabService,
    assembly,
    identity_element,
)
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.component_manifest import ComponentManifest, FileDigest, SecurityDefinition
from wimdock.cbs.component_reader import parse_component
from wimdock.cbs.spool import Spool
from wimdock.delta import decode_manifest
from wimdock.errors import MalformedPackage

COMPONENT = LabComponent(
    LabIdentity("Lab-Component"),
    payloads=(LabPayload("lab.exe", b"program"), LabPayload("only-here.dat", b"", None)),
    registry=(
        LabRegistryKey(
            r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab",
            (("", "REG_SZ", "default"), ("Number", "REG_DWORD", "0x00000001")),
            "WRP_REGKEY_DEFAULT_SDDL",
        ),
    ),
    services=(LabService("labsvc"),),
    folders=("$(runtime.system32)\\lab\\",),
    extra="<localization><resources culture='en-US'><stringTable><string id='name' value='Lab'/>"
    "</stringTable></resources></localization><instrumentation/><mof name='x'/>",
)
MANIFEST = COMPONENT.manifest()


def test_a_component_asks_for_files_keys_services_and_folders() -> None:
    manifest = parse_component(MANIFEST, "it")
    assert manifest.identity.key_form == COMPONENT.identity.key_form
    assert not manifest.is_deployment
    first, second = manifest.files
    assert (first.name, first.source) == ("lab.exe", "lab.exe")
    assert first.destination == "$(runtime.system32)"
    assert first.security == "WRP_FILE_DEFAULT_SDDL"
    assert first.digest == FileDigest("sha256", hashlib.sha256(b"program").digest())
    assert second.destination == ""
    assert manifest.directories[0].destination == "$(runtime.system32)\\lab"
    (key,) = manifest.keys
    assert key.key == r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab"
    assert key.security == "WRP_REGKEY_DEFAULT_SDDL"
    assert [(value.name, value.type, value.value) for value in key.values] == [
        ("", "REG_SZ", "default"),
        ("Number", "REG_DWORD", "0x00000001"),
    ]
    (service,) = manifest.services
    assert (service.name, service.type, service.start) == ("labsvc", "win32OwnProcess", "demand")
    assert service.get("objectName") == "LocalSystem"
    assert manifest.memberships[0].type_name == "Service"
    assert [(text.culture, text.value) for text in manifest.strings] == [("en-US", "Lab")]
    assert [element.name for element in manifest.extensions] == ["instrumentation", "mof"]
    definition = manifest.security_of("wrp_file_default_sddl")
    assert isinstance(definition, SecurityDefinition)
    assert manifest.security_of("none") is None
    assert manifest.unknown == ()


def test_a_deployment_names_what_it_installs() -> None:
    package = LabPackage(LabIdentity("Lab-Package"), components=(COMPONENT,))
    manifest = parse_component(package.deployment_manifest(), "it")
    assert manifest.is_deployment
    (dependency,) = manifest.dependencies
    assert dependency.type == "install"
    assert dependency.identity.key_form == COMPONENT.identity.key_form


@pytest.fixture(scope="module")
def server(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ComponentManifest:
    packages = shared_data / "packages"
    contents = extract_cabinet(
        packages / "OpenSSH-Server-19041.cab",
        Spool(tmp_path_factory.mktemp("server")),
        lambda name: name.startswith("amd64_openssh-server") and name.endswith(".manifest"),
    )
    dictionary = (packages / "manifest-dictionary.bin").read_bytes()
    file = next(iter(contents))
    return parse_component(decode_manifest(file.read(1 << 30), dictionary), file.name)


def test_the_real_openssh_server(server: ComponentManifest) -> None:
    assert [file.name for file in server.files] == [
        "sftp-server.exe",
        "sshd.exe",
        "ssh-shellhost.exe",
        "sshd_config_default",
    ]
    assert {file.destination for file in server.files} == {"$(runtime.System32)\\OpenSSH"}
    assert all(file.digest is not None for file in server.files)
    (service,) = server.services
    assert service.name == "sshd"
    assert service.image_path == r"%SystemRoot%\System32\OpenSSH\sshd.exe"
    assert service.required_privileges.count(",") == 4
    assert server.keys[0].overridable == ("ImagePath",)
    assert [element.name for element in server.extensions] == ["firewallRule"]
    assert server.unknown == ()


def manifest_with(inside: str) -> bytes:
    return assembly(identity_element(LabIdentity("Lab-Component")), inside)


def test_what_is_not_known_is_recorded_with_its_path() -> None:
    data = manifest_with(
        "<file name='a' frob='1'><infFile/></file>"
        "<registryKeys><registryKey keyName='k' magic='2'><registryValue name='v'><x/>"
        "</registryValue></registryKey></registryKeys>"
        "<directories><directory destinationPath='d'><y/></directory></directories>"
        "<dependency><dependentAssembly/></dependency>"
        "<trustInfo><security><requestedPrivileges/></security></trustInfo>"
    )
    assert {entry.path for entry in parse_component(data, "it").unknown} == {
        "assembly/file@frob",
        "assembly/file/infFile",
        "assembly/registryKeys/registryKey@magic",
        "assembly/registryKeys/registryKey/registryValue/x",
        "assembly/directories/directory/y",
        "assembly/dependency/dependentAssembly",
        "assembly/trustInfo/security/requestedPrivileges",
    }


def test_a_hash_of_an_unknown_kind_is_recorded() -> None:
    data = MANIFEST.replace(b"HashTransforms.Identity", b"HashTransforms.Other")
    manifest = parse_component(data, "it")
    assert all(file.digest is None for file in manifest.files)
    assert len(manifest.unknown) == 2


@pytest.mark.parametrize(
    "data",
    [b"", b"<a/>", assembly("<file name='a'/>"), MANIFEST.replace(b"<dsig:DigestValue>", b"\\0*")],
)
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPackage):
        parse_component(data, "it")


def test_a_hash_that_is_no_base64_is_refused() -> None:
    digest = b"<dsig:DigestValue>"
    with pytest.raises(MalformedPackage, match="hash"):
        parse_component(MANIFEST.replace(digest, digest + b"*"), "it")


@settings(max_examples=200, deadline=None)
@given(spoiled(MANIFEST))
def test_spoiled_manifests_raise_only_our_errors(data: bytes) -> None:
    try:
        parse_component(data, "it")
    except MalformedPackage:
        return
