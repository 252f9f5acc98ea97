"""What servicing records."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.cbs.component_text import values_below
from tests.cbs.made_update import component, deployment, identity, package
from tests.cbs.planning import FakeHive
from wimdock.cbs.component_manifest import ComponentFile, ComponentManifest
from wimdock.cbs.component_store import Thumbprints
from wimdock.cbs.registration import (
    COMPONENTS,
    DEPLOYMENTS,
    SERVICING,
    Reference,
    component_edits,
    deployment_edits,
    owner_edit,
    package_edits,
    superseded_edit,
)
from wimdock.registry import encode_string

_MOMENT = datetime(2024, 5, 1, tzinfo=UTC)


def test_a_permanent_package() -> None:
    entry = package("Lab", permanence="permanent")
    edits = list(package_edits(entry, ["Owner"], "lab.cab", _MOMENT, visible=True))
    values = values_below(edits, f"{SERVICING}\\Packages\\{entry.id}")
    assert values["CurrentState"] == (4, b"\x80\0\0\0")
    assert values["InstallClient"] == (1, encode_string("wimdock"))
    owners = values_below(edits, f"{SERVICING}\\Packages\\{entry.id}\\Owners")
    assert owners == {"Owner": (4, b"\x80\0\x02\0")}


def test_a_component_names_its_deployments_and_files() -> None:
    name = "a-file-name-that-is-longer-than-this.dll"
    manifest = ComponentManifest(
        identity("Lab"), files=(ComponentFile("a.dll"), ComponentFile(name))
    )
    entry = component(manifest)
    first, second = deployment("First"), deployment("Second")
    values = values_below(
        list(component_edits(entry, [first, second])), f"{COMPONENTS}\\{entry.key_form}"
    )
    assert values["S256H"] == (3, bytes(32))
    text = (
        "Lab, Culture=neutral, Version=1.0.0.1, PublicKeyToken=31bf3856ad364e35, "
        "ProcessorArchitecture=amd64, versionScope=NonSxS"
    )
    assert values["identity"] == (3, text.encode())
    assert values["f!a.dll"] == (4, b"\1\0\0\0")
    [long] = [value for value in values if value.startswith("f!a-file")]
    assert len(long) == 2 + 25 + 1 + 16
    links = sorted(value for value in values if value.startswith("c!"))
    assert links == sorted(f"c!{entry.identity.deployment_key}" for entry in (first, second))
    assert all(values[link] == (3, b"") for link in links)


def test_a_reference_is_the_package_and_its_update(tmp_path: Path) -> None:
    catalog = tmp_path / "lab.cat"
    catalog.write_bytes(b"catalog")
    manifest = ComponentManifest(identity("Lab"), is_deployment=True)
    entry = component(manifest, catalog=catalog)
    reference = Reference("Lab-Package~t~amd64~~1.0.0.1", "abc")
    key = f"{DEPLOYMENTS}\\{entry.identity.deployment_key}"
    edits = list(deployment_edits(entry, [reference], FakeHive(), Thumbprints()))
    values = values_below(edits, key)
    text = b"Lab-Package~t~amd64~~1.0.0.1.abc"
    marks = {name[0]: data for name, (_, data) in values.items() if "!CBS_lab-package" in name}
    assert marks == dict.fromkeys("psi", len(text).to_bytes(4, "little") + bytes(4) + text)
    assert "CatalogThumbprint" in values

    known = FakeHive()
    known.make(key).set("CatalogThumbprint", 1, encode_string("f00"))
    again = values_below(list(deployment_edits(entry, [reference], known, Thumbprints())), key)
    assert "CatalogThumbprint" not in again


def test_one_more_owner_and_a_superseded_package() -> None:
    assert owner_edit("A", "B").key == f"{SERVICING}\\Packages\\A\\Owners"
    edit = superseded_edit("A")
    assert (edit.name, edit.data) == ("CurrentState", b"\x50\0\0\0")
