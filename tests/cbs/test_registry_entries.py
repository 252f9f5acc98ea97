"""Values of every type, and keys with their descriptors."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cbs.test_security import WRP_REGKEY
from wimdock.cbs.component_reader import parse_component
from wimdock.cbs.refusal import Refusals
from wimdock.cbs.registry_entries import registry_edits, value_data
from wimdock.cbs.registry_place import RegistryMap
from wimdock.cbs.security import ObjectKind, assigned_descriptor
from wimdock.errors import UnsupportedPackage
from wimdock.image.change_set import CreateKey, HiveName, SetValue

MANIFEST = f"""<?xml version="1.0" encoding="utf-8"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0">
  <assemblyIdentity name="Lab" version="1.0.0.0" processorArchitecture="amd64"
    language="neutral" publicKeyToken="31bf3856ad364e35" versionScope="nonSxS" />
  <registryKeys>
    <registryKey keyName="HKEY_LOCAL_MACHINE\\SOFTWARE\\Lab\\">
      <registryValue name="" valueType="REG_SZ" value="$(windows)\\x" />
      <registryValue name="n" valueType="REG_DWORD" value="0x0000002a" operationHint="replace" />
      <securityDescriptor name="wrp_regkey_default_sddl" />
    </registryKey>
    <registryKey keyName="HKEY_CURRENT_USER\\Lab" />
    <registryKey keyName="HKEY_CLASSES_ROOT\\.lab">
      <registryValue name="bad" valueType="REG_ODD" value="1" />
      <registryValue name="add" valueType="REG_SZ" value="1" operationHint="append" />
      <registryValue name="good" valueType="REG_NONE" value="" />
      <securityDescriptor name="WRP_REGKEY_DEFAULT_SDDL" />
    </registryKey>
    <registryKey keyName="HKLM\\SYSTEM\\CurrentControlSet\\Lab">
      <securityDescriptor name="NOWHERE" />
    </registryKey>
  </registryKeys>
  <trustInfo><security><accessControl><securityDescriptorDefinitions>
    <securityDescriptorDefinition name="WRP_REGKEY_DEFAULT_SDDL" sddl="{WRP_REGKEY}" />
  </securityDescriptorDefinitions></accessControl></security></trustInfo>
</assembly>"""


def same(text: str) -> str:
    return text


@pytest.mark.parametrize(
    "kind, text, number, data",
    [
        ("REG_SZ", "aé", 1, "61 00 e9 00 00 00"),
        ("reg_expand_sz", "", 2, "00 00"),
        ("REG_BINARY", "0102fF", 3, "01 02 ff"),
        ("REG_BINARY", "01,02", 3, "01 02"),
        ("REG_BINARY", "", 3, ""),
        ("REG_DWORD", "0x00000001", 4, "01 00 00 00"),
        ("REG_DWORD", "0xFFFFFFFF", 4, "ff ff ff ff"),
        ("REG_DWORD", "0", 4, "00 00 00 00"),
        ("REG_MULTI_SZ", '"a","b"', 7, "61 00 00 00 62 00 00 00 00 00"),
        ("REG_MULTI_SZ", "", 7, "00 00"),
        ("REG_MULTI_SZ", '""', 7, "00 00"),
        # As real manifests have it: the bytes in the order of the hive, here 5 GiB.
        ("REG_QWORD", "0000004001000000", 11, "00 00 00 40 01 00 00 00"),
        ("REG_QWORD", "0x0000000140000000", 11, "00 00 00 40 01 00 00 00"),
        ("REG_NONE", "0001", 0, "00 01"),
        ("0xFFFF0012", "ab", 0xFFFF0012, "ab"),
        ("hex(b)", "ab", 11, "ab"),
    ],
)
def test_types(kind: str, text: str, number: int, data: str) -> None:
    assert value_data(kind, text, same) == (number, bytes.fromhex(data))


@pytest.mark.parametrize(
    "kind, text",
    [
        ("REG_ODD", ""),
        ("", ""),
        ("REG_LINK", "00"),
        ("REG_DWORD", ""),
        ("REG_DWORD", "12"),
        ("REG_DWORD", "0x100000000"),
        ("REG_DWORD", "one"),
        ("REG_QWORD", "00"),
        ("REG_BINARY", "0"),
        ("REG_BINARY", "zz"),
        ("REG_MULTI_SZ", "a,b"),
        ("REG_MULTI_SZ", '"a" "b"'),
        ("REG_MULTI_SZ", '"a","",“b"'),
        ("REG_MULTI_SZ", '"a",'),
    ],
)
def test_what_is_not_understood_is_refused(kind: str, text: str) -> None:
    with pytest.raises(UnsupportedPackage):
        value_data(kind, text, same)


@given(st.lists(st.text(alphabet="abc, ;\\é", min_size=1, max_size=8), max_size=5))
def test_lists(strings: list[str]) -> None:
    written = ",".join(f'"{text}"' for text in strings)
    data = value_data("REG_MULTI_SZ", written, same)[1]
    assert data.decode("utf-16-le") == "".join(f"{text}\0" for text in strings) + "\0"


@given(st.sampled_from(["REG_SZ", "REG_DWORD", "REG_QWORD", "REG_MULTI_SZ", "hex(7)"]), st.text())
def test_any_text_is_translated_or_refused(kind: str, text: str) -> None:
    with contextlib.suppress(UnsupportedPackage):
        value_data(kind, text.replace("\0", ""), same)


def test_keys_of_a_manifest() -> None:
    manifest = parse_component(MANIFEST.encode(), "lab")
    refusals = Refusals()

    def substitute(text: str) -> str:
        return text.replace("$(windows)", "C:\\Windows")

    edits = list(registry_edits(manifest, RegistryMap("ControlSet001"), substitute, refusals))
    security = assigned_descriptor(WRP_REGKEY, ObjectKind.KEY)
    assert edits == [
        CreateKey(HiveName.SOFTWARE, "Lab", security),
        SetValue(HiveName.SOFTWARE, "Lab", "", 1, "C:\\Windows\\x\0".encode("utf-16-le")),
        SetValue(HiveName.SOFTWARE, "Lab", "n", 4, bytes((42, 0, 0, 0))),
        CreateKey(HiveName.SOFTWARE, "Classes\\.lab", security),
        SetValue(HiveName.SOFTWARE, "Classes\\.lab", "good", 0, b""),
    ]
    assert len(refusals.reasons) == 4
    assert "HKEY_CURRENT_USER" in refusals.reasons[0]
    assert "REG_ODD" in refusals.reasons[1]
    assert "append" in refusals.reasons[2]
    assert "NOWHERE" in refusals.reasons[3]
