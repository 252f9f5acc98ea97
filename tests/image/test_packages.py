"""Installed packages out of SOFTWARE hives."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.clock import to_filetime
from wimdock.errors import RegistryError
from wimdock.image.packages import (
    PACKAGES_KEY,
    STATE_NAMES,
    InstalledPackage,
    read_packages,
    release_type_in,
    state_number,
)
from wimdock.registry import Hive, ValueType, encode_dword, encode_string

ID = "Package_for_KB1~31bf3856ad364e35~amd64~~10.0.1.2"
WHEN = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


def software(*ids: str, state: int = 0x70) -> Hive:
    """Give a SOFTWARE hive in which these packages are registered."""
    hive = Hive.empty("SOFTWARE")
    filetime = to_filetime(WHEN)
    for package in ids:
        key = hive.create_key(f"{PACKAGES_KEY}\\{package}")
        key.set_value("CurrentState", ValueType.REG_DWORD, encode_dword(state))
        key.set_value("InstallTimeHigh", ValueType.REG_DWORD, encode_dword(filetime >> 32))
        key.set_value("InstallTimeLow", ValueType.REG_DWORD, encode_dword(filetime & 0xFFFFFFFF))
        key.set_value("Visibility", ValueType.REG_DWORD, encode_dword(1))
        key.set_value("InstallClient", ValueType.REG_SZ, encode_string("UpdateAgentLCU"))
    return hive


def test_a_package() -> None:
    (package,) = read_packages(software(ID))
    assert package.id == ID
    assert f"{package.name}~{package.token}" == "Package_for_KB1~31bf3856ad364e35"
    assert (package.arch, package.language, package.version) == ("amd64", "", "10.0.1.2")
    assert package.version_numbers == (10, 0, 1, 2)
    assert (package.state, package.state_name, package.is_installed) == (0x70, "installed", True)
    assert package.installed_at == WHEN
    assert (package.visibility, package.client) == (1, "UpdateAgentLCU")


@pytest.mark.parametrize(
    "state,name,installed",
    [
        (0x40, "staged", False),
        (0x50, "superseded", False),
        (0x65, "partially installed", False),
        (0x80, "permanent", True),
        (0x33, "state 0x33", False),
    ],
)
def test_states(state: int, name: str, installed: bool) -> None:  # noqa: FBT001
    (package,) = read_packages(software(ID, state=state))
    assert (package.state_name, package.is_installed) == (name, installed)


def test_packages_are_sorted_and_odd_names_kept() -> None:
    hive = software("b~t~amd64~~1.0.0.0", "A~t~amd64~en-US~1.0.0.0", "odd name")
    hive.create_key(f"{PACKAGES_KEY}\\empty~t~x86~~x.y")
    found = read_packages(hive)
    assert [package.name for package in found] == ["A", "b", "empty", "odd name"]
    assert found[2].installed_at is None
    assert found[2].version_numbers == ()
    assert found[3].version == ""


def test_no_packages() -> None:
    assert read_packages(Hive.empty("SOFTWARE")) == ()


def test_a_value_of_another_type_is_our_error() -> None:
    hive = software(ID)
    key = hive.create_key(f"{PACKAGES_KEY}\\{ID}")
    key.set_value("CurrentState", ValueType.REG_SZ, encode_string("installed"))
    with pytest.raises(RegistryError):
        read_packages(hive)


def test_release_types() -> None:
    manifest = '<package identifier="KB1" releaseType="Security Update">'
    assert release_type_in(manifest.encode()) == "Security Update"
    assert release_type_in(manifest.encode("utf-16")) == "Security Update"
    assert release_type_in(b"<package identifier='x' releaseType = 'Hotfix'>") == "Hotfix"
    assert release_type_in(b"<assembly/>") == ""


@given(st.binary(max_size=200))
def test_any_bytes_have_a_release_type_or_none(data: bytes) -> None:
    assert isinstance(release_type_in(b"\xff\xfe" + data), str)
    assert isinstance(release_type_in(data), str)


@pytest.mark.parametrize("number", [*STATE_NAMES, 0x71, 0x123])
def test_a_state_in_words_is_a_number_again(number: int) -> None:
    package = InstalledPackage("a~b~c~~1.0", "a", "b", "c", "", "1.0", number, None, 1, "")
    assert state_number(package.state_name) == number
