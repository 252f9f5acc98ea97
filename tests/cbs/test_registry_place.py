"""Where keys lie, with and without WOW64."""

from __future__ import annotations

import pytest

from wimdock.cbs.registry_place import RegistryMap, RegistryPlace
from wimdock.errors import UnsupportedPackage
from wimdock.image.change_set import HiveName

NATIVE = RegistryMap("ControlSet002")
WOW64 = RegistryMap("ControlSet002", redirected=True)


@pytest.mark.parametrize(
    "written, hive, key",
    [
        ("HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\A\\", HiveName.SOFTWARE, "Microsoft\\A"),
        ("HKLM\\Software\\B", HiveName.SOFTWARE, "B"),
        (
            "HKEY_LOCAL_MACHINE\\System\\CurrentControlset\\Services\\x",
            HiveName.SYSTEM,
            "ControlSet002\\Services\\x",
        ),
        ("HKEY_LOCAL_MACHINE\\SYSTEM\\Setup", HiveName.SYSTEM, "Setup"),
        ("HKEY_CLASSES_ROOT\\CLSID\\{1}", HiveName.SOFTWARE, "Classes\\CLSID\\{1}"),
        ("HKEY_USERS\\.DEFAULT\\Control Panel", HiveName.DEFAULT, "Control Panel"),
        ("HKEY_USERS\\S-1-5-18\\Software", HiveName.DEFAULT, "Software"),
    ],
)
def test_native(written: str, hive: HiveName, key: str) -> None:
    assert NATIVE.place(written) == RegistryPlace(hive, key)


@pytest.mark.parametrize(
    "written, key",
    [
        ("HKLM\\SOFTWARE\\Microsoft\\A", "WOW6432Node\\Microsoft\\A"),
        ("HKLM\\SOFTWARE\\Wow6432Node\\A", "Wow6432Node\\A"),
        ("HKLM\\SOFTWARE\\Wow6432Node\\Classes\\CLSID\\{1}", "Classes\\WOW6432Node\\CLSID\\{1}"),
        ("HKLM\\SOFTWARE\\Microsoft\\COM3", "Microsoft\\COM3"),
        ("HKLM\\SOFTWARE\\Policies\\X", "Policies\\X"),
        ("HKLM\\SOFTWARE\\PoliciesOther", "WOW6432Node\\PoliciesOther"),
        ("HKCR\\CLSID\\{1}", "Classes\\WOW6432Node\\CLSID\\{1}"),
        ("HKCR\\Interface\\{1}", "Classes\\WOW6432Node\\Interface\\{1}"),
        ("HKCR\\Wow6432Node\\CLSID\\{1}", "Classes\\Wow6432Node\\CLSID\\{1}"),
        ("HKCR\\.txt", "Classes\\.txt"),
        ("HKLM\\SOFTWARE\\Classes\\AppID\\{1}", "Classes\\AppID\\{1}"),
    ],
)
def test_wow64(written: str, key: str) -> None:
    assert WOW64.place(written) == RegistryPlace(HiveName.SOFTWARE, key)


def test_the_system_hive_is_the_same_for_wow64() -> None:
    written = "HKLM\\SYSTEM\\CurrentControlSet\\Control"
    assert WOW64.place(written) == NATIVE.place(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "HKEY_CURRENT_USER\\Software",
        "HKEY_USERS\\S-1-5-21-1\\Software",
        "HKEY_LOCAL_MACHINE\\SAM",
        "HKEY_LOCAL_MACHINE",
        "HKEY_CURRENT_CONFIG\\System",
        "HKLM\\SOFTWARE\\$(runtime.system32)",
    ],
)
def test_keys_of_other_hives_are_refused(written: str) -> None:
    with pytest.raises(UnsupportedPackage):
        NATIVE.place(written)
