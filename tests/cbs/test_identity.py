"""Identities and the keys made of them, against values that Windows made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.identity import LabIdentity
from wimdock.cbs.identity import (
    Identity,
    Version,
    file_value_name,
    reference_value_name,
    shorten,
)
from wimdock.errors import MalformedPackage

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
COMPONENTS: list[dict[str, Any]] = json.loads((VECTORS / "component-identities.json").read_text())
WINNERS: list[dict[str, Any]] = json.loads((VECTORS / "sidebyside-winners.json").read_text())


def identity_of(values: dict[str, str]) -> Identity:
    return Identity(
        values["name"],
        Version.parse(values["version"]),
        values["processorArchitecture"],
        values["language"],
        values["publicKeyToken"],
        values.get("type", ""),
        values["versionScope"],
    )


@pytest.mark.parametrize("vector", COMPONENTS, ids=lambda vector: str(vector["keyform"])[-16:])
def test_windows_makes_the_same_keys(vector: dict[str, Any]) -> None:
    identity = identity_of(vector["identity"])
    assert identity.key_form == vector["keyform"]
    assert identity.components_text == vector["components_identity"]


def test_windows_records_winners_under_the_same_keys() -> None:
    families = {identity_of(vector["identity"]).versionless_key for vector in COMPONENTS}
    assert {winner["key"].partition("\\")[0] for winner in WINNERS} <= families


def test_names_of_the_values_of_components() -> None:
    assert file_value_name("SSHD.exe") == "f!sshd.exe"
    long = file_value_name("A-very-long-name-of-a-file.dll")
    assert long.startswith("f!a-very-long-name-of-a-fil_")
    assert len(long.rpartition("_")[2]) == 16
    reference = reference_value_name("Name~token~amd64~~1.0.0.0", "update")
    assert reference.startswith("i!CBS_name~token~amd64~~1.0.0.0.update_")


def test_a_package_id_is_read_and_written() -> None:
    text = "OpenSSH-Server-Package~31bf3856ad364e35~amd64~~10.0.19041.1"
    identity = Identity.parse_id(text)
    assert (identity.name, identity.arch) == ("OpenSSH-Server-Package", "amd64")
    assert identity.version == Version(10, 0, 19041, 1)
    assert identity.language == "neutral"
    assert identity.package_id == str(identity) == text
    assert identity.package_family == "OpenSSH-Server-Package~31bf3856ad364e35~amd64~"
    assert Identity.parse_id("L~t~x86~de-DE~1.2").package_id == "L~t~x86~de-DE~1.2.0.0"


@pytest.mark.parametrize(
    "text",
    ["", "a", "a~b~c~d", "a~b~c~d~e", "a~b~c~~1.2.3.4.5", "a\\b~t~amd64~~1.0", "~t~a~~1.0"],
)
def test_what_is_no_package_id_is_refused(text: str) -> None:
    with pytest.raises(MalformedPackage):
        Identity.parse_id(text)


@pytest.mark.parametrize("text", ["", "1.", "1..2", "a.b", "1.2.3.4.5", "-1.0", "1.4294967296"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(MalformedPackage):
        Version.parse(text)


def test_versions_are_ordered_as_numbers() -> None:
    texts = ["6.1.7601.17514", "10.0.9.0", "10.0.10.0", "10.0.10.2", "10.1"]
    versions = [Version.parse(text) for text in texts]
    assert versions == sorted(versions)


def test_case_and_the_spelling_of_neutral_do_not_matter() -> None:
    one = Identity("Name", Version(1), "AMD64", "neutral", "TOKEN", "", "nonSxS")
    two = Identity("nAME", Version(1), "amd64", "", "token", "", "NonSxS")
    assert one.same_as(two)
    assert one.key_form == two.key_form
    assert not one.same_as(two.with_version(Version(2)))


@given(
    name=st.text("abcdefghijklmnopqrstuvwxyzABC-_.0123456789", min_size=1, max_size=80),
    version=st.tuples(*[st.integers(0, 99999)] * 4),
    language=st.sampled_from(["neutral", "de-DE", "en-us"]),
    kind=st.sampled_from(["", "win32", "typed"]),
)
def test_another_writer_of_the_formulas_agrees(
    name: str, version: tuple[int, int, int, int], language: str, kind: str
) -> None:
    ours = Identity(name, Version(*version), "amd64", language, "31bf3856ad364e35", kind, "NonSxS")
    lab = LabIdentity(name, str(ours.version), language=language, type=kind)
    assert ours.key_form == lab.key_form
    assert ours.versionless_key == lab.family
    assert ours.deployment_key == lab.deployment_key
    assert ours.package_id == lab.package_id
    assert ours.components_text == lab.text
    assert Identity.parse_id(ours.package_id).package_id == ours.package_id


@given(st.text(max_size=60), st.integers(4, 40))
def test_a_shortened_name_fits(name: str, limit: int) -> None:
    short = shorten(name, limit)
    assert len(short) <= limit
    assert short == name or ".." in short
