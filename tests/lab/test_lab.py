"""The lab holds what it says, and what wimlib-imagex gives back is what it captured."""

from __future__ import annotations

import json
from pathlib import Path

import pefile
import pytest

from tests.lab import hive
from tests.lab.entry import REPARSE_POINT, LabFile
from tests.lab.hive_reader import by_hivexregedit, by_regipy
from tests.lab.identity import LabIdentity, file_value
from tests.lab.image import RECIPES, apply, listing, verify
from tests.lab.lab import Lab
from tests.lab.links import reparse_points, tags
from tests.lab.pe import MANIFEST_DICTIONARY_TYPE, library, servicing_stack_library
from tests.lab.snapshot import all_facts, differences, snapshot
from tests.lab.tree import package_ids
from tests.lab.volume import format_volume


def test_identities_are_those_of_microsoft(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "vectors" / "component-identities.json").read_text())
    assert len(vectors) > 50
    for vector in vectors:
        given = vector["identity"]
        identity = LabIdentity(
            given["name"],
            given["version"],
            given["processorArchitecture"],
            given["language"],
            given["publicKeyToken"],
            given.get("type", ""),
            given["versionScope"],
        )
        assert identity.key_form == vector["keyform"]
        if vector.get("components_identity"):
            assert identity.text.lower() == vector["components_identity"].lower()


def test_long_file_names_get_a_hash() -> None:
    assert file_value("Short.dll") == "f!short.dll"
    assert file_value("a name of more than 25 characters.dll").startswith(
        "f!a name of more than 25 ch_"
    )


def test_library_is_one_for_pefile() -> None:
    pe = pefile.PE(
        data=library({(16, 1, 0): b"one", (614, 1, 1033): b"D" * 5000, (614, 2, 1): b""})
    )
    types = {
        entry.struct.Id: entry.directory.entries for entry in pe.DIRECTORY_ENTRY_RESOURCE.entries
    }
    assert sorted(types) == [16, MANIFEST_DICTIONARY_TYPE]
    leaf = types[MANIFEST_DICTIONARY_TYPE][0].directory.entries[0].data.struct
    assert pe.get_data(leaf.OffsetToData, leaf.Size) == b"D" * 5000
    assert servicing_stack_library(b"dictionary")[:2] == b"MZ"


def test_hive_is_one_for_other_readers(tmp_path: Path) -> None:
    path = hive.make_hive(
        tmp_path / "SOFTWARE",
        hive.LabKey("A\\B", (hive.text("", "default"), hive.dword('quo"ted\\', 5))),
        hive.LabKey("a\\b\\C", (hive.texts("many", "one", "two"), hive.qword("q", 1 << 40))),
    )
    exported, read = by_hivexregedit(path), by_regipy(path)
    assert exported["A\\B\\C"] == {
        "many": (hive.REG_MULTI_SZ, hive.texts("", "one", "two").data),
        "q": (hive.REG_QWORD, (1 << 40).to_bytes(8, "little")),
    }
    assert exported["A\\B"]['quo"ted\\'] == (hive.REG_DWORD, b"\x05\0\0\0")
    assert {key: set(values) for key, values in exported.items()} == {
        key: set(values) for key, values in read.items()
    }
    assert read["A\\B\\C"] == {"many": ["one", "two"], "q": 1 << 40}


def test_volume_holds_every_kind_of_reparse_point(lab: Lab) -> None:
    facts = lab.snapshot()
    assert len(tags()) >= 12
    for entry in reparse_points():
        found = facts[entry.path]
        if entry.reparse is not None:
            assert found.attributes & REPARSE_POINT
            assert found.reparse == entry.reparse
        if entry.times is not None:
            assert found.times == entry.times
        if entry.security is not None:
            assert found.security == entry.security
        assert found.short_name == entry.short_name
        assert len(found.streams) == len(entry.streams)
        assert isinstance(entry, LabFile) == (found.attributes & 0x10 == 0)
    special = lab.snapshot("special")
    raw = {facts.reparse for facts in special.values() if facts.reparse}
    assert {bytes([low, 0, 0, 0x80, 0, 0, 0, 0]) for low in (0x23, 0x24, 0x25, 0x26)} <= raw


@pytest.mark.parametrize("recipe", RECIPES)
def test_image_passes_other_programs(lab: Lab, recipe: str) -> None:
    verify(lab.image(recipe))


def test_applied_image_equals_the_volume(lab: Lab, tmp_path: Path) -> None:
    volume = apply(lab.image("lzx"), format_volume(tmp_path / "applied.img"))
    assert list(differences(lab.snapshot(), snapshot(volume))) == []
    found = differences(lab.snapshot(), snapshot(volume), all_facts())
    # Whatever wimlib's capture does not keep of a volume is known by name.
    assert {(fact, path) for path, fact, _, _ in found} <= {
        ("size", "ProgramData/Lab/marks/dedup.bin")
    }


def test_packages_are_registered(lab: Lab) -> None:
    assert any(
        name.startswith("Microsoft-Windows-Client-Features-Package~") for name in package_ids()
    )
    text = listing(lab.image("xpress"))
    for package in package_ids():
        assert f"/Windows/servicing/Packages/{package}.mum" in text
