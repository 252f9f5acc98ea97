"""Package manifests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.cbs.hostile import spoiled
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, assembly, identity_element
from wimdock.cbs.cabinet import extract_cabinet
from wimdock.cbs.identity import Version
from wimdock.cbs.package_reader import parse_package
from wimdock.cbs.spool import Spool
from wimdock.errors import MalformedPackage

CHILD = LabPackage(
    LabIdentity("Lab-Child-Package"), components=(LabComponent(LabIdentity("Lab-Component")),)
)
PACKAGE = LabPackage(LabIdentity("Lab-Package"), children=(CHILD,))
MANIFEST = PACKAGE.manifest()


def test_a_package_says_what_it_is_and_brings() -> None:
    manifest = parse_package(MANIFEST, "update.mum")
    assert manifest.identity.package_id == PACKAGE.identity.package_id
    assert (manifest.identifier, manifest.release_type) == ("KB5000001", "Update")
    (parent,) = manifest.parents
    assert parent.identities[0].name == "Microsoft-Windows-Client-Features-Package"
    assert (parent.version_compare, parent.build_compare) == ("EQ", "GE")
    (update,) = manifest.updates
    assert [child.identity.name for child in update.packages] == ["Lab-Child-Package"]
    assert not update.packages[0].contained
    assert manifest.unknown == ()
    (update,) = parse_package(CHILD.manifest(), "child.mum").updates
    assert [found.key_form for found in update.components] == [CHILD.deployment.key_form]


def test_the_real_openssh_server(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "packages" / "OpenSSH-Server-19041.cab"
    contents = extract_cabinet(path, Spool(tmp_path / "out"), lambda name: name.endswith(".mum"))
    manifests = {file.name: parse_package(file.read(1 << 30), file.name) for file in contents}
    assert all(manifest.unknown == () for manifest in manifests.values())
    root = manifests["update.mum"]
    assert root.identity.package_id == "OpenSSH-Server-Package~31bf3856ad364e35~amd64~~10.0.19041.1"
    assert root.capabilities == ("OpenSSH.Server~~~~1.0",)
    assert root.release_type == "OnDemand Pack"
    assert root.display_name == "OpenSSH Server"
    assert root.package_size == 4947215
    assert len(root.parents) == len(root.updates) == 3
    assert root.parents[0].identities[0].version == Version(10, 0, 0, 0)


def manifest_with(inside: str, attributes: str = "") -> bytes:
    identity = identity_element(LabIdentity("Lab-Package"), scope=False)
    return assembly(identity, f"<package identifier='KB1' {attributes}>{inside}</package>")


def test_what_is_not_known_is_recorded_with_its_path() -> None:
    data = manifest_with(
        "<frobnicate mode='fast'/><update name='u'><magic/></update>"
        "<parent buildCompare='LT' disposition='absent'/>",
        "psfName='a.psf'",
    )
    found = {entry.path: entry.detail for entry in parse_package(data, "it").unknown}
    assert found == {
        "assembly/package@psfName": "a.psf",
        "assembly/package/frobnicate": 'mode="fast"',
        "assembly/package/update/magic": "",
        "assembly/package/parent": "names no package",
        "assembly/package/parent@buildCompare": 'buildCompare="LT" disposition="absent"',
        "assembly/package/parent@disposition": 'buildCompare="LT" disposition="absent"',
    }


def test_conditions_of_updates_are_kept() -> None:
    component = identity_element(LabIdentity("Calc"))
    data = manifest_with(
        "<update name='u'><applicable disposition='staged'><updateComponent elevate='install'>"
        f"{component}</updateComponent></applicable></update>",
        "applicabilityEvaluation='deep' selfUpdate='true' restart='possible'",
    )
    manifest = parse_package(data, "it")
    assert manifest.deep
    assert manifest.self_update
    assert manifest.restart == "possible"
    assert [found.name for found in manifest.updates[0].updated_components] == ["Calc"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<assembly/>",
        b"<assembly xmlns='urn:schemas-microsoft-com:asm.v3'/>",
        assembly("<package/>"),
        assembly(identity_element(LabIdentity("Lab-Package"))),
        assembly(identity_element(LabIdentity("a\\b")), "<package/>"),
        assembly(identity_element(LabIdentity("a", version="")), "<package/>"),
        assembly(identity_element(LabIdentity("a", version="1.x")), "<package/>"),
        assembly(identity_element(LabIdentity("a")), "<package/>", "<package/>"),
        manifest_with(
            f"<update name='u'><package>{identity_element(LabIdentity('../a'))}</package></update>"
        ),
    ],
)
def test_what_is_no_package_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPackage):
        parse_package(data, "it")


@settings(max_examples=200, deadline=None)
@given(spoiled(MANIFEST))
def test_spoiled_manifests_raise_only_our_errors(data: bytes) -> None:
    try:
        parse_package(data, "it")
    except MalformedPackage:
        return
