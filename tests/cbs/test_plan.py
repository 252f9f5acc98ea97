"""Plans of real packages and of small ones, against a stand-in for an image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cbs.planning import FakeImage
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, LabPayload, LabRegistryKey, LabService
from tests.lab.package import package_files, write_cabinet
from wimdock.cbs.opening import open_update
from wimdock.cbs.plan import Plan, make_plan
from wimdock.cbs.update import Update
from wimdock.cbs.winner import WINNERS
from wimdock.clock import FixedClock, to_filetime
from wimdock.errors import NotApplicable, UnsupportedPackage
from wimdock.image.change_set import (
    HiveName,
    PutDirectory,
    PutFile,
    PutLinks,
    SetValue,
)
from wimdock.paths import ImagePath
from wimdock.registry import encode_string

MOMENT = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
CLOCK = FixedClock(MOMENT)
_CBS = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing"
Opener = Callable[[str], Update]


@pytest.fixture
def real(shared_data: Path, tmp_path: Path, manifest_dictionary: bytes) -> Opener:
    def open_real(name: str) -> Update:
        path = shared_data / "packages" / f"{name}.cab"
        return open_update(path, tmp_path / name, dictionary=lambda: manifest_dictionary)

    return open_real


@pytest.fixture
def lab(tmp_path: Path) -> Callable[[LabPackage], Update]:
    def open_lab(package: LabPackage) -> Update:
        number = len(list(tmp_path.iterdir()))
        cabinet = tmp_path / f"lab{number}.cab"
        write_cabinet(cabinet, package_files(package))
        return open_update(cabinet, tmp_path / f"lab{number}")

    return open_lab


LabOpener = Callable[[LabPackage], Update]


def put(plan: Plan) -> dict[ImagePath, PutFile]:
    return {edit.path: edit for edit in plan.change_set.files if isinstance(edit, PutFile)}


def package(version: str, content: bytes = b"content", **changes: object) -> LabPackage:
    component = LabComponent(
        LabIdentity("Lab-Component", version),
        payloads=(LabPayload("lab.dll", content),),
        registry=(
            LabRegistryKey("HKEY_LOCAL_MACHINE\\SOFTWARE\\Lab", (("Version", "REG_SZ", version),)),
        ),
    )
    made = LabPackage(LabIdentity("Lab-Package", version), components=(component,))
    return replace(made, **changes)  # type: ignore[arg-type]


def lab_image() -> FakeImage:
    image = FakeImage()
    for parent in LabPackage(LabIdentity("x", "1.0.0.0")).parents:
        image.register(parent.package_id)
    return image


def test_every_file_of_openssh_is_put_with_the_hash_of_its_manifest(real: Opener) -> None:
    update = real("OpenSSH-Client-19041")
    files = put(make_plan(update, FakeImage(), CLOCK))
    checked = 0
    for component in update.components:
        for file in component.manifest.files:
            edit = files[ImagePath("Windows\\WinSxS") / component.key_form / file.source]
            assert file.digest is not None
            assert isinstance(edit.source, Path)
            assert hashlib.sha256(edit.source.read_bytes()).digest() == file.digest.value
            assert len(edit.links) == 1
            assert edit.links[0].is_below(ImagePath("Windows\\System32"))
            assert edit.security is not None
            checked += 1
    assert checked == 8


def test_the_store_of_openssh(real: Opener) -> None:
    update = real("OpenSSH-Client-19041")
    plan = make_plan(update, FakeImage(), CLOCK)
    files = put(plan)
    for component in update.components:
        path = ImagePath("Windows\\WinSxS\\Manifests") / f"{component.key_form}.manifest"
        assert files[path].source == component.delivered
    for entry in update.packages:
        packages = ImagePath("Windows\\servicing\\Packages")
        assert files[packages / f"{entry.id}.mum"].source == entry.mum
        assert entry.catalog is not None
        digest = hashlib.sha256(entry.catalog.read_bytes()).hexdigest()
        root = "Windows\\System32\\CatRoot\\{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"
        for path in (
            packages / f"{entry.id}.cat",
            ImagePath("Windows\\WinSxS\\Catalogs") / f"{digest}.cat",
            ImagePath(root) / f"{entry.id}.cat",
        ):
            source = files[path].source
            assert isinstance(source, Path)
            assert source.read_bytes() == entry.catalog.read_bytes()
    assert plan.packages[0] == update.root.id
    assert len(plan.packages) == 4
    first = plan.change_set.files[0]
    assert isinstance(first, PutDirectory)
    assert first.path == ImagePath("Windows\\System32\\OpenSSH")
    assert first.security is not None


def test_the_registration_of_openssh(real: Opener) -> None:
    update = real("OpenSSH-Client-19041")
    image = FakeImage()
    image.apply(make_plan(update, image, CLOCK).change_set)
    components = image.hives[HiveName.COMPONENTS]
    for component in update.components:
        key = components.open_key(f"DerivedData\\Components\\{component.key_form}")
        assert key is not None
        identity = key.value("identity")
        assert identity is not None
        assert identity.data == component.identity.components_text.encode()
        digest = key.value("S256H")
        assert digest is not None
        assert digest.data == hashlib.sha256(component.decoded).digest()
        marks = [value for value in key.values() if value.name.startswith("c!")]
        assert len(marks) == 1
        deployment = components.open_key(f"CanonicalData\\Deployments\\{marks[0].name[2:]}")
        assert deployment is not None
        assert deployment.value("appid") is not None
        thumbprint = deployment.value("CatalogThumbprint")
        assert thumbprint is not None
        catalog = thumbprint.data.decode("utf-16-le").rstrip("\0")
        assert components.open_key(f"CanonicalData\\Catalogs\\{catalog}") is not None
        marks = [v for v in deployment.values() if v.name[1:].startswith("!CBS_")]
        assert sorted(mark.name[0] for mark in marks) == ["i", "p", "s"]
        for mark in marks:
            length = int.from_bytes(mark.data[:4], "little")
            assert mark.data[4:8] == bytes(4)
            assert len(mark.data) == 8 + length
    moment = to_filetime(MOMENT)
    for number, entry in enumerate(update.packages):
        key_name = f"{_CBS}\\Packages\\{entry.id}"
        expected = {
            "InstallName": encode_string(f"{entry.id}.mum"),
            "InstallLocation": encode_string("OpenSSH-Client-19041.cab"),
            "InstallTimeHigh": (moment >> 32).to_bytes(4, "little"),
            "InstallTimeLow": (moment & 0xFFFFFFFF).to_bytes(4, "little"),
            "CurrentState": b"\x70\0\0\0",
            "Visibility": bytes((1 if number == 0 else 2, 0, 0, 0)),
            "SelfUpdate": bytes(4),
        }
        for name, data in expected.items():
            assert image.data(HiveName.SOFTWARE, key_name, name) == data
        owners = f"{key_name}\\Owners"
        assert image.data(HiveName.SOFTWARE, owners, update.root.id) == b"\x70\0\x02\0"
        family = entry.id.rpartition("~")[0] + "~0.0.0.0"
        index = f"{_CBS}\\PackageIndex\\{family}"
        assert image.data(HiveName.SOFTWARE, index, entry.id) == bytes(4)


def test_a_second_update_sees_what_the_first_one_left(real: Opener) -> None:
    image = FakeImage()
    client = make_plan(real("OpenSSH-Client-19041"), image, CLOCK)
    image.apply(client.change_set)
    update = real("OpenSSH-Server-19041")
    server = make_plan(update, image, CLOCK)
    assert server.packages == (
        update.root.id,
        "Microsoft-OneCore-OpenSSH-ServerOnly-Package~31bf3856ad364e35~amd64~~10.0.19041.1",
    )
    assert len(server.notes) == 2
    assert all("installed already" in note for note in server.notes)
    assert not put(client).keys() & put(server).keys()
    shared = "Microsoft-OneCore-LibreSSL-Package~31bf3856ad364e35~amd64~~10.0.19041.1"
    image.apply(server.change_set)
    owners = f"{_CBS}\\Packages\\{shared}\\Owners"
    assert image.data(HiveName.SOFTWARE, owners, update.root.id) == b"\x70\0\x02\0"
    with pytest.raises(NotApplicable, match="installed already"):
        make_plan(update, image, CLOCK)


def test_a_plan_is_the_same_every_time(real: Opener) -> None:
    update = real("OpenSSH-Server-19041")
    assert make_plan(update, FakeImage(), CLOCK) == make_plan(update, FakeImage(), CLOCK)


def test_counts_of_openssh(real: Opener) -> None:
    counts = make_plan(real("OpenSSH-Server-19041"), FakeImage(), CLOCK).counts
    assert counts.links == 9
    assert counts.services == 2
    assert counts.directories == 1
    assert counts.bytes > 5_000_000


def test_an_image_without_its_parents_is_refused(real: Opener) -> None:
    image = FakeImage("x86")
    with pytest.raises(NotApplicable) as caught:
        make_plan(real("OpenSSH-Client-19041"), image, CLOCK)
    assert caught.value.hresult == 0x800F081E


def test_a_newer_version_takes_over_the_runtime_path(lab: LabOpener) -> None:
    image = lab_image()
    image.apply(make_plan(lab(package("1.0.0.1", b"old")), image, CLOCK).change_set)
    plan = make_plan(lab(package("1.0.0.2", b"new")), image, CLOCK)
    component = next(entry for entry in plan.components if not entry.is_deployment)
    assert component.winner
    assert "newer than version 1.0.0.1" in component.why
    [edit] = [edit for path, edit in put(plan).items() if path.name == "lab.dll"]
    assert edit.links == (ImagePath("Windows\\System32\\lab.dll"),)
    image.apply(plan.change_set)
    assert image.data(HiveName.SOFTWARE, "Lab", "Version") == encode_string("1.0.0.2")


def test_an_older_component_goes_into_the_store_only(lab: LabOpener) -> None:
    image = lab_image()
    image.apply(make_plan(lab(package("1.0.0.5", b"new")), image, CLOCK).change_set)
    other = replace(package("1.0.0.2", b"old"), identity=LabIdentity("Lab-Other", "1.0.0.2"))
    plan = make_plan(lab(other), image, CLOCK)
    component = next(entry for entry in plan.components if not entry.is_deployment)
    assert not component.winner
    [edit] = [edit for path, edit in put(plan).items() if path.name == "lab.dll"]
    assert edit.links == ()
    image.apply(plan.change_set)
    assert image.data(HiveName.SOFTWARE, "Lab", "Version") == encode_string("1.0.0.5")
    family = component.identity.versionless_key
    line = f"{WINNERS}\\{family}\\1.0"
    assert image.data(HiveName.SOFTWARE, line, "") == encode_string("1.0.0.5")
    assert image.data(HiveName.SOFTWARE, line, "1.0.0.2") == b"\x01"


def test_a_component_that_is_in_the_store_only_is_linked(lab: LabOpener) -> None:
    image = lab_image()
    first = make_plan(lab(package("1.0.0.1")), image, CLOCK)
    image.paths.update(path for path in put(first) if path.is_below(ImagePath("Windows\\WinSxS")))
    plan = make_plan(lab(package("1.0.0.1")), image, CLOCK)
    [edit] = [edit for edit in plan.change_set.files if isinstance(edit, PutLinks)]
    assert edit.path.name == "lab.dll"
    assert edit.links == (ImagePath("Windows\\System32\\lab.dll"),)


def test_a_wow64_component_is_redirected(lab: LabOpener) -> None:
    made = package("1.0.0.1")
    [component] = made.components
    redirected = replace(component, identity=replace(component.identity, architecture="wow64"))
    plan = make_plan(lab(replace(made, components=(redirected,))), lab_image(), CLOCK)
    [edit] = [edit for path, edit in put(plan).items() if path.name == "lab.dll"]
    assert edit.links == (ImagePath("Windows\\SysWOW64\\lab.dll"),)
    keys = [edit.key for edit in plan.change_set.registry if isinstance(edit, SetValue)]
    assert "WOW6432Node\\Lab" in keys


def test_every_reason_is_said_at_once(lab: LabOpener) -> None:
    made = package("1.0.0.1")
    [component] = made.components
    spoiled = replace(
        component,
        payloads=(LabPayload("lab.dll", b"x", destination="$(runtime.nowhere)\\"),),
        registry=(
            LabRegistryKey("HKEY_CURRENT_USER\\Lab", ()),
            LabRegistryKey("HKEY_LOCAL_MACHINE\\SOFTWARE\\Lab", (("a", "REG_ODD", "1"),)),
        ),
        services=(LabService("lab", (("type", "kernelDriver"), ("oddity", "1"))),),
    )
    image = lab_image()
    with pytest.raises(UnsupportedPackage) as caught:
        make_plan(lab(replace(made, components=(spoiled,))), image, CLOCK)
    text = "\n".join(caught.value.reasons)
    for why in ("nowhere", "HKEY_CURRENT_USER", "REG_ODD", "oddity"):
        assert why in text
    assert len(caught.value.reasons) == 4


def test_the_drive_letter_is_that_of_the_image(lab: LabOpener) -> None:
    made = package("1.0.0.1")
    [component] = made.components
    key = LabRegistryKey(
        "HKEY_LOCAL_MACHINE\\SOFTWARE\\Lab",
        (("Path", "REG_SZ", "$(runtime.system32)\\lab.dll"),),
    )
    update = lab(replace(made, components=(replace(component, registry=(key,)),)))
    image = lab_image()
    software = image.hives[HiveName.SOFTWARE]
    software.make("Microsoft\\Windows NT\\CurrentVersion").set(
        "SystemRoot", 1, encode_string("D:\\Windows")
    )
    image.apply(make_plan(update, image, CLOCK).change_set)
    expected = encode_string("D:\\Windows\\System32\\lab.dll")
    assert image.data(HiveName.SOFTWARE, "Lab", "Path") == expected
