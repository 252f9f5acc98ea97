"""What an image is, from XML and hives."""

from __future__ import annotations

import lzma
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import xor
from pathlib import Path

import pytest

from wimdock.image.change_set import HiveName
from wimdock.image.description import (
    CURRENT_VERSION,
    FIRST_CONTROL_SET,
    control_set_of,
    describe,
    description_in,
    is_complete,
)
from wimdock.registry import Hive, ValueType, encode_dword, encode_string
from wimdock.wim import ImageRecord

EMPTY = ImageRecord(
    index=1,
    name="Image",
    description="",
    display_name="",
    display_description="",
    flags="",
    directory_count=None,
    file_count=None,
    total_bytes=None,
    hard_link_bytes=None,
    created=None,
    modified=None,
    architecture="",
    product_name="",
    edition_id="",
    installation_type="",
    languages=(),
    default_language="",
    version=(),
    service_pack_level=None,
    system_root="",
)
FULL = replace(
    EMPTY,
    architecture="arm64",
    product_name="Microsoft® Windows®",
    edition_id="Professional",
    languages=("de-DE", "en-US"),
    default_language="de-DE",
    version=(10, 0, 22621, 1),
)


def software(**values: str | int) -> Hive:
    """Give a SOFTWARE hive whose CurrentVersion holds these values."""
    hive = Hive.empty("SOFTWARE")
    key = hive.create_key(CURRENT_VERSION)
    for name, value in values.items():
        if isinstance(value, int):
            key.set_value(name, ValueType.REG_DWORD, encode_dword(value))
        else:
            key.set_value(name, ValueType.REG_SZ, encode_string(value))
    return hive


def system(*languages: str, current: int = 2) -> Hive:
    """Give a SYSTEM hive with a current control set that names architecture and languages."""
    hive = Hive.empty("SYSTEM")
    hive.create_key("Select").set_value("Current", ValueType.REG_DWORD, encode_dword(current))
    control = f"ControlSet{current:03}\\Control"
    environment = hive.create_key(f"{control}\\Session Manager\\Environment")
    environment.set_value("PROCESSOR_ARCHITECTURE", ValueType.REG_SZ, encode_string("AMD64"))
    for language in languages:
        hive.create_key(f"{control}\\MUI\\UILanguages\\{language}")
    return hive


def hives(**known: Hive) -> Callable[[HiveName], Hive | None]:
    return lambda name: known.get(name.value)


def no_hives(name: HiveName) -> Hive | None:
    pytest.fail(f"{name} was asked for although the XML says everything")


def test_the_xml_alone_is_enough_where_it_is_complete() -> None:
    described = describe(FULL, no_hives)
    assert described == description_in(FULL)
    assert is_complete(described)
    assert described.version == "10.0.22621.1"


def test_hives_fill_the_gaps() -> None:
    described = describe(
        EMPTY,
        hives(
            SOFTWARE=software(
                ProductName="Windows 10 Enterprise",
                EditionID="Enterprise",
                InstallationType="Client",
                CurrentVersion="6.3",
                CurrentMajorVersionNumber=10,
                CurrentMinorVersionNumber=0,
                CurrentBuildNumber="19041",
                UBR=388,
            ),
            SYSTEM=system("en-US"),
        ),
    )
    assert described.name == "Image"
    assert described.product == "Windows 10 Enterprise"
    assert described.edition == "Enterprise"
    assert described.installation_type == "Client"
    assert described.version == "10.0.19041.388"
    assert described.architecture == "amd64"
    assert described.languages == ("en-US",)
    assert described.default_language == "en-US"


def test_windows_7_names_its_version_in_the_old_way() -> None:
    hive = software(CurrentVersion="6.1", CurrentBuild="7601", EditionID="Ultimate")
    assert describe(EMPTY, hives(SOFTWARE=hive)).version == "6.1.7601.0"


def test_the_xml_counts_where_both_say_something() -> None:
    record = replace(FULL, version=(10, 0, 22621))
    hive = software(CurrentMajorVersionNumber=10, CurrentBuild="22621", UBR=77, EditionID="Other")
    described = describe(record, hives(SOFTWARE=hive))
    assert described.version == "10.0.22621.77"
    assert described.edition == "Professional"
    other = software(CurrentMajorVersionNumber=10, CurrentBuild="19041", UBR=77)
    assert describe(record, hives(SOFTWARE=other)).version == "10.0.22621"


def test_an_image_without_windows() -> None:
    described = describe(EMPTY, hives())
    assert (described.version, described.architecture, described.languages) == ("", "", ())
    empty = hives(SOFTWARE=Hive.empty("SOFTWARE"), SYSTEM=Hive.empty("SYSTEM"))
    assert describe(EMPTY, empty) == described
    assert describe(EMPTY, hives(SOFTWARE=software(CurrentBuild="none"))).version == ""


@pytest.mark.parametrize("current,name", [(1, "ControlSet001"), (12, "ControlSet012")])
def test_control_sets(current: int, name: str) -> None:
    assert control_set_of(system(current=current)) == name


@pytest.mark.parametrize("current", [0, 1000, 0xFFFFFFFF])
def test_a_control_set_that_cannot_be(current: int) -> None:
    assert control_set_of(system(current=current)) == FIRST_CONTROL_SET


def test_no_control_set_is_named() -> None:
    assert control_set_of(None) == FIRST_CONTROL_SET
    assert control_set_of(Hive.empty("SYSTEM")) == FIRST_CONTROL_SET


def test_a_real_system_hive(shared_data: Path) -> None:
    packed = (shared_data / "hives" / "SYSTEM_WIN_10_1709.xz").read_bytes()
    data = bytearray(lzma.decompress(packed))
    # The sample was taken from a running system; its keys are whole, so it is declared closed.
    data[8:12] = data[4:8]
    words = struct.iter_unpack("<I", data[:508])
    data[508:512] = struct.pack("<I", reduce(xor, (word for (word,) in words)))
    hive = Hive.parse(data)
    assert control_set_of(hive) == "ControlSet001"
    described = describe(EMPTY, hives(SYSTEM=hive))
    assert described.architecture == "amd64"
    assert described.languages
