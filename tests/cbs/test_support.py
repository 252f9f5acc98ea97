"""What of an update is refused, left alone, or carried out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, LabPayload, LabRegistryKey, LabService
from tests.lab.package import write_package
from wimdock.cbs.opening import open_update
from wimdock.cbs.support import left_alone, unsupported
from wimdock.cbs.update import Update

COMPONENT = LabComponent(
    LabIdentity("Lab-Component"),
    payloads=(LabPayload("lab.exe", b"program"),),
    registry=(LabRegistryKey(r"HKEY_LOCAL_MACHINE\SOFTWARE\Lab", (("a", "REG_SZ", "b"),)),),
    services=(LabService("labsvc"),),
    folders=("$(runtime.system32)\\lab",),
)
PACKAGE = LabPackage(LabIdentity("Lab-Package"), components=(COMPONENT,))


DRIVER = (
    "<update name='u'><driver><assemblyIdentity name='lab.inf' version='1.0'/></driver></update>"
)


def membership(type_name: str, inside: str = "") -> str:
    instance = f"<categoryInstance subcategory='s'>{inside}</categoryInstance>" if inside else ""
    return (
        f"<memberships><categoryMembership><id name='c' typeName='{type_name}'/>{instance}"
        "</categoryMembership></memberships>"
    )


def update_with(tmp_path: Path, component_extra: str = "", package_extra: str = "") -> Update:
    component = replace(COMPONENT, extra=component_extra)
    package = replace(PACKAGE, components=(component,), extra=package_extra)
    path = write_package(tmp_path / "lab.cab", package)
    return open_update(path, tmp_path / "w")


def test_files_folders_keys_and_services_are_carried_out(tmp_path: Path) -> None:
    update = update_with(tmp_path)
    assert unsupported(update) == ()
    assert left_alone(update) == ()


@pytest.mark.parametrize("name", ["OpenSSH-Client-19041.cab", "OpenSSH-Server-19041.cab"])
def test_the_real_openssh_is_carried_out(shared_data: Path, tmp_path: Path, name: str) -> None:
    dictionary = (shared_data / "packages" / "manifest-dictionary.bin").read_bytes()
    path = shared_data / "packages" / name
    update = open_update(path, tmp_path / "w", dictionary=lambda: dictionary)
    assert unsupported(update) == ()
    (note,) = left_alone(update)
    assert "amd64_openssh-common-components-onecore" in note
    assert "instrumentation" in note


def test_all_that_kb4528069_lacks_is_listed(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "packages" / "windows6.1-kb4528069-x64.msu"
    reasons = unsupported(open_update(path, tmp_path / "w"))
    assert len(reasons) == 4
    assert any("PE transform" in reason for reason in reasons)
    assert any("ExtendedSecurityUpdatesAI (25 times)" in reason for reason in reasons)
    assert sum("shortCut" in reason for reason in reasons) == 2


@pytest.mark.parametrize(
    "extra, words",
    [
        ("<genericCommand executableName='a.exe'/>", "genericCommand"),
        ("<mof name='a.mof'/>", "mof"),
        ("<taskScheduler/>", "taskScheduler"),
        ("<configuration/>", "configuration"),
        ("<x:thing xmlns:x='urn:x'/>", "thing"),
        ("<file name='none'><infFile/></file>", "assembly/file/infFile"),
        ("<memberships frob='1'><unheard/></memberships>", "assembly/memberships/unheard"),
        (membership("Strange"), "the category Strange"),
        (membership("Service", "<other/>"), "the element other of category Service"),
    ],
)
def test_what_a_component_asks_for_beyond_that_is_listed(
    tmp_path: Path, extra: str, words: str
) -> None:
    reasons = unsupported(update_with(tmp_path, extra))
    assert any(words in reason for reason in reasons)
    assert all(COMPONENT.identity.key_form in reason for reason in reasons)


@pytest.mark.parametrize(
    "extra",
    [
        "<migration/>",
        "<application/>",
        "<rescache xmlns='urn:schemas-microsoft-com:rescache.v1'/>",
        "<deconstructionTool version='10.0.0.0'/>",
        "<trustInfo><security><requestedPrivileges/></security></trustInfo>",
        membership("BootCritical"),
        membership("Environment", "<path name='%SystemRoot%\\lab'/>"),
        "<localization><resources culture='en-US'/></localization>",
    ],
)
def test_what_changes_nothing_is_no_reason(tmp_path: Path, extra: str) -> None:
    update = update_with(tmp_path, extra)
    assert unsupported(update) == ()
    assert left_alone(update) == ()


@pytest.mark.parametrize(
    "extra, words",
    [
        ("<frobnicate/>", "assembly/package/frobnicate"),
        ("<update name='u'><magic/></update>", "assembly/package/update/magic"),
        (DRIVER, "the driver lab.inf"),
    ],
)
def test_what_a_package_asks_for_beyond_that_is_listed(
    tmp_path: Path, extra: str, words: str
) -> None:
    (reason,) = unsupported(update_with(tmp_path, package_extra=extra))
    assert words in reason
    assert PACKAGE.identity.package_id in reason


def test_kinds_of_packages_that_are_more_than_their_components(tmp_path: Path) -> None:
    package = replace(PACKAGE, release_type="Language Pack")
    update = open_update(write_package(tmp_path / "lab.cab", package), tmp_path / "w")
    (reason,) = unsupported(update)
    assert "Language Pack" in reason


def test_instrumentation_is_left_alone_by_name(tmp_path: Path) -> None:
    update = update_with(tmp_path, "<instrumentation><events/></instrumentation>")
    assert unsupported(update) == ()
    (note,) = left_alone(update)
    assert COMPONENT.identity.key_form in note
