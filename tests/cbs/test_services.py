"""Services: the keys of a real Windows beside the manifests of the same services."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cbs.component_text import component, membership, values_below
from tests.cbs.planning import FakeHive
from wimdock.cbs.component_manifest import ComponentManifest
from wimdock.cbs.opening import open_update
from wimdock.cbs.refusal import Refusals
from wimdock.cbs.services import service_edits
from wimdock.image.change_set import CreateKey, DeleteKey, HiveName, RegistryEdit
from wimdock.registry import Hive

_SERVICES = "ControlSet001\\Services"

# The attributes with which Windows itself brings this service.
MESSAGING = """<serviceData name="MessagingService"
  displayName="@%SystemRoot%\\system32\\MessagingService.dll,-100" errorControl="ignore"
  start="demand" type="win32UserShareProcess"
  description="@%SystemRoot%\\system32\\MessagingService.dll,-101"
  imagePath="%SystemRoot%\\system32\\svchost.exe -k UnistackSvcGroup" objectName="LocalSystem"
  requiredPrivileges="SeChangeNotifyPrivilege,SeCreateGlobalPrivilege" sidType="unrestricted">
  <serviceTrigger action="start" subtype="WNF_STATE_CHANGE" type="WnfStateEvent">
    <triggerData type="binary" value="7518BCA33E039513" />
  </serviceTrigger>
  <failureActions resetPeriod="86400"><actions>
    <action delay="10000" type="restartService" /><action delay="10000" type="restartService" />
    <action delay="10000" type="restartService" /><action delay="10000" type="none" />
  </actions></failureActions>
</serviceData>"""
CNG = """<serviceData name="CNG" errorControl="critical" start="boot" type="kernelDriver"
  group="Core" imagePath="System32\\Drivers\\cng.sys" tag="4" />"""


def edits_of(
    manifest: ComponentManifest, system: FakeHive | None = None
) -> tuple[list[RegistryEdit], tuple[str, ...]]:
    refusals = Refusals()
    edits = list(service_edits(manifest, "ControlSet001", system, refusals))
    return edits, refusals.reasons


def real_values(hive: Hive, path: str) -> dict[str, tuple[int, bytes]]:
    key = hive.open_key(path)
    assert key is not None
    return {value.name: (int(value.type), value.data) for value in key.values()}


def lab(service: str, more: str = "") -> ComponentManifest:
    return component(membership("Service", service) + more)


@pytest.mark.parametrize("service, name", [(MESSAGING, "MessagingService"), (CNG, "CNG")])
def test_a_service_has_the_values_of_a_real_windows(
    real_system: Hive, service: str, name: str
) -> None:
    edits, reasons = edits_of(lab(service))
    assert reasons == ()
    path = f"{_SERVICES}\\{name}"
    assert values_below(edits, path) == real_values(real_system, path)


def test_a_trigger_has_the_values_of_a_real_windows(real_system: Hive) -> None:
    path = f"{_SERVICES}\\MessagingService\\TriggerInfo\\0"
    assert values_below(edits_of(lab(MESSAGING))[0], path) == real_values(real_system, path)


def test_openssh_has_the_values_of_a_real_windows(
    shared_data: Path, tmp_path: Path, manifest_dictionary: bytes, real_system: Hive
) -> None:
    cabinet = shared_data / "packages" / "OpenSSH-Server-19041.cab"
    update = open_update(cabinet, tmp_path, dictionary=lambda: manifest_dictionary)
    found: dict[str, dict[str, tuple[int, bytes]]] = {}
    for entry in update.components:
        manifest = entry.manifest
        edits, reasons = edits_of(manifest)
        assert reasons == ()
        for service in manifest.services:
            path = f"{_SERVICES}\\{service.name}"
            found[service.name] = values_below(edits, path)
            assert found[service.name] == real_values(real_system, path)
            assert CreateKey(HiveName.SYSTEM, path) in edits
            if service.security:
                below = f"{path}\\Security"
                assert values_below(edits, below) == real_values(real_system, below)
    assert sorted(found) == ["ssh-agent", "sshd"]


def test_a_service_that_is_there_keeps_its_start() -> None:
    system = FakeHive()
    system.make(f"{_SERVICES}\\CNG")
    values = values_below(edits_of(lab(CNG), system)[0], f"{_SERVICES}\\CNG")
    assert "Start" not in values
    assert "Type" in values


def test_delayed_start_and_lists() -> None:
    service = """<serviceData name="s" start="delayedAuto" type="win32OwnProcess interactiveProcess"
      dependOnService="RPCSS,Mup" dependOnGroup="TDI" sidType="restricted" />"""
    service = service.replace("win32OwnProcess interactiveProcess", "win32OwnProcess")
    values = values_below(edits_of(lab(service))[0], f"{_SERVICES}\\s")
    assert values["Start"] == (4, b"\2\0\0\0")
    assert values["DelayedAutoStart"] == (4, b"\1\0\0\0")
    assert values["ServiceSidType"] == (4, b"\3\0\0\0")
    assert values["DependOnService"] == (7, "RPCSS\0Mup\0\0".encode("utf-16-le"))
    assert values["DependOnGroup"] == (7, "TDI\0\0".encode("utf-16-le"))


def test_triggers_replace_those_before() -> None:
    service = """<serviceData name="s" type="win32OwnProcess">
      <serviceTrigger action="start" subtype="RPC_INTERFACE_EVENT" type="NetworkEndpointEvent">
        <triggerData type="string" value="6DD" /></serviceTrigger>
      <serviceTrigger action="stop" subtype="{E5323777-F976-4F5B-9B55-B94699C46E44}"
        type="DeviceInterfaceArrival" /></serviceData>"""
    edits, reasons = edits_of(lab(service))
    assert reasons == ()
    assert DeleteKey(HiveName.SYSTEM, f"{_SERVICES}\\s\\TriggerInfo") in edits
    first = values_below(edits, f"{_SERVICES}\\s\\TriggerInfo\\0")
    assert first["Data0"] == (3, "6DD\0".encode("utf-16-le"))
    assert first["DataType0"] == (4, b"\2\0\0\0")
    second = values_below(edits, f"{_SERVICES}\\s\\TriggerInfo\\1")
    assert second["GUID"] == (3, bytes.fromhex("773732e576f95b4f9b55b94699c46e44"))
    assert second["Action"] == (4, b"\2\0\0\0")


def driver(inside: str) -> str:
    return f'<serviceData name="s" type="kernelDriver">{inside}</serviceData>'


def failing(action: str) -> str:
    return driver(f"<failureActions><actions>{action}</actions></failureActions>")


def trigger(kind: str, subtype: str = "WNF_STATE_CHANGE", inside: str = "") -> str:
    attributes = f'action="start" type="{kind}" subtype="{subtype}"'
    return driver(f"<serviceTrigger {attributes}>{inside}</serviceTrigger>")


@pytest.mark.parametrize(
    "service, why",
    [
        ('<serviceData name="s" type="win32OwnProcess" launchProtected="x" />', "launchProtected"),
        ('<serviceData name="s" type="odd" />', "type"),
        ('<serviceData name="s" />', "no type"),
        ('<serviceData name="a\\b" type="kernelDriver" />', "no name"),
        ('<serviceData name="s" type="kernelDriver" start="often" />', "start"),
        ('<serviceData name="s" type="kernelDriver" tag="x" />', "number"),
        (driver('<failureActions resetPeriod="1" x="2" />'), "failureActions"),
        (failing('<action type="explode" />'), "explode"),
        (driver('<securityDescriptor name="NOWHERE" />'), "NOWHERE"),
        (trigger("odd"), "odd"),
        (trigger("WnfStateEvent", "nothing"), "nothing"),
        (trigger("WnfStateEvent", inside='<triggerData type="level" value="1" />'), "level"),
        (trigger("WnfStateEvent", inside='<triggerData type="binary" value="x" />'), "binary"),
    ],
)
def test_what_is_not_known_is_refused(service: str, why: str) -> None:
    _, reasons = edits_of(lab(service))
    assert len(reasons) == 1
    assert why in reasons[0]
