"""The table of tags against [MS-FSCC] 2.1.2.1, copied here by hand in decimal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.reparse import TAGS, tag_named, tag_of
from wimdock.reparse.hosts import (
    SERVER_2012,
    SERVER_2012_R2,
    SERVER_2016,
    SERVER_2019,
    SERVER_2022,
    Build,
)
from wimdock.reparse.tags import CLOUD_TAGS, DIRECTORY, MICROSOFT, NAME_SURROGATE, THIRD_PARTY_NAMES

SPECIFIED = {
    "MOUNT_POINT": 2_684_354_563,
    "HSM": 3_221_225_476,
    "DRIVE_EXTENDER": 2_147_483_653,
    "HSM2": 2_147_483_654,
    "SIS": 2_147_483_655,
    "WIM": 2_147_483_656,
    "CSV": 2_147_483_657,
    "DFS": 2_147_483_658,
    "FILTER_MANAGER": 2_147_483_659,
    "SYMLINK": 2_684_354_572,
    "IIS_CACHE": 2_684_354_576,
    "DFSR": 2_147_483_666,
    "DEDUP": 2_147_483_667,
    "APPXSTRM": 3_221_225_492,
    "NFS": 2_147_483_668,
    "FILE_PLACEHOLDER": 2_147_483_669,
    "DFM": 2_147_483_670,
    "WOF": 2_147_483_671,
    "WCI": 2_147_483_672,
    "WCI_1": 2_415_923_224,
    "GLOBAL_REPARSE": 2_684_354_585,
    "CLOUD": 2_415_919_130,
    "CLOUD_1": 2_415_923_226,
    "CLOUD_2": 2_415_927_322,
    "CLOUD_3": 2_415_931_418,
    "CLOUD_4": 2_415_935_514,
    "CLOUD_5": 2_415_939_610,
    "CLOUD_6": 2_415_943_706,
    "CLOUD_7": 2_415_947_802,
    "CLOUD_8": 2_415_951_898,
    "CLOUD_9": 2_415_955_994,
    "CLOUD_A": 2_415_960_090,
    "CLOUD_B": 2_415_964_186,
    "CLOUD_C": 2_415_968_282,
    "CLOUD_D": 2_415_972_378,
    "CLOUD_E": 2_415_976_474,
    "CLOUD_F": 2_415_980_570,
    "APPEXECLINK": 2_147_483_675,
    "PROJFS": 2_415_919_132,
    "LX_SYMLINK": 2_684_354_589,
    "STORAGE_SYNC": 2_147_483_678,
    "STORAGE_SYNC_FOLDER": 2_415_919_143,
    "WCI_TOMBSTONE": 2_684_354_591,
    "UNHANDLED": 2_147_483_680,
    "ONEDRIVE": 2_147_483_681,
    "PROJFS_TOMBSTONE": 2_684_354_594,
    "AF_UNIX": 2_147_483_683,
    "LX_FIFO": 2_147_483_684,
    "LX_CHR": 2_147_483_685,
    "LX_BLK": 2_147_483_686,
    "WCI_LINK": 2_684_354_599,
    "WCI_LINK_1": 2_684_358_695,
}
NOT_SPECIFIED = {"DATALESS_CIM": 0xA0000028}  # only the SDK's winnt.h names it


def test_table_is_that_of_the_specification() -> None:
    assert {tag.name: value for value, tag in TAGS.items()} == SPECIFIED | NOT_SPECIFIED


def test_every_tag_stands_under_its_own_value_and_is_microsofts() -> None:
    for value, tag in TAGS.items():
        assert tag.value == value
        assert tag.is_microsoft
        assert tag.is_listed
        assert tag.purpose


def test_bits_say_what_the_names_say() -> None:
    surrogates = {tag.name for tag in TAGS.values() if tag.is_name_surrogate}
    assert {"SYMLINK", "MOUNT_POINT", "LX_SYMLINK", "WCI_LINK", "GLOBAL_REPARSE"} <= surrogates
    assert not {"APPEXECLINK", "WOF", "CLOUD", "DEDUP"} & surrogates
    folders = {tag.name for tag in TAGS.values() if tag.may_have_children}
    assert {"CLOUD", "CLOUD_6", "WCI_1", "PROJFS", "STORAGE_SYNC_FOLDER"} <= folders
    assert not {"SYMLINK", "MOUNT_POINT", "APPEXECLINK"} & folders


def test_cloud_has_sixteen_variants() -> None:
    assert len(CLOUD_TAGS) == 16
    assert all(TAGS[value].name.startswith("CLOUD") for value in CLOUD_TAGS)


@pytest.mark.parametrize(
    "host,highest",
    [(SERVER_2012, 0x14), (SERVER_2012_R2, 0x17)],
    ids=["2012", "2012 R2"],
)
def test_rule_of_thumb_for_old_servers(host: Build, highest: int) -> None:
    for tag in TAGS.values():
        assert tag.is_known_to(host) == (tag.value & 0xFFFF <= highest), tag


def test_newer_hosts_know_more() -> None:
    known = [
        sum(tag.is_known_to(host) for tag in TAGS.values())
        for host in (SERVER_2012, SERVER_2012_R2, SERVER_2016, SERVER_2019, SERVER_2022)
    ]
    assert known == sorted(known)
    assert known[-1] == len(TAGS)


def test_third_parties_tags() -> None:
    assert all(not value & MICROSOFT for value in THIRD_PARTY_NAMES)
    assert len(THIRD_PARTY_NAMES) == 79 + 16
    dropbox = tag_of(0x44)
    assert dropbox.name == "DROPBOX_HSM"
    assert dropbox.is_listed
    assert not dropbox.is_known_to(SERVER_2022)
    assert tag_of(0x2000004C).name == "ALERTBOOT"
    assert tag_of(0x2000004C).is_name_surrogate


def test_unlisted_tags_are_named_after_their_number() -> None:
    assert tag_of(0x90001234).name == "MICROSOFT_90001234"
    assert not tag_of(0x90001234).is_known_to(SERVER_2022)
    assert tag_of(0x00004321).name == "THIRD_PARTY_00004321"
    assert not tag_of(0x00004321).is_listed


@pytest.mark.parametrize(
    "name,value",
    [
        ("symlink", 0xA000000C),
        ("IO_REPARSE_TAG_APPEXECLINK", 0x8000001B),
        ("0x80000017", 0x80000017),
        ("9000601A", 0x9000601A),
        ("dropbox_hsm", 0x44),
    ],
)
def test_tags_are_found_by_name_and_number(name: str, value: int) -> None:
    tag = tag_named(name)
    assert tag is not None
    assert tag.value == value


@pytest.mark.parametrize("name", ["", "nonsense", "0x", "0x123456789", "-1"])
def test_other_names_find_nothing(name: str) -> None:
    assert tag_named(name) is None


@given(st.integers(0, 0xFFFFFFFF))
def test_every_number_has_a_tag(value: int) -> None:
    tag = tag_of(value)
    assert tag.value == value
    assert tag.is_microsoft == bool(value & MICROSOFT)
    assert tag.is_name_surrogate == bool(value & NAME_SURROGATE)
    assert tag.may_have_children == bool(value & DIRECTORY)
    assert tag_named(tag.name) == tag or not tag.is_listed
