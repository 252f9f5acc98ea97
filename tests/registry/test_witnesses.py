"""Two registry readers by other people see exactly what was changed, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import regipy.registry

from tests.conftest import skip_or_fail
from tests.registry.consistency import Checker, check
from tests.registry.model import descriptor
from wimdock.registry import Hive, encode_dword, encode_qword, encode_string, encode_strings

Export = dict[str, frozenset[str]]


def exported(data: bytes, folder: Path) -> Export:
    """Give for each key the lines that hivexregedit (libhivex) writes for it."""
    if not shutil.which("hivexregedit"):
        skip_or_fail("no hivexregedit: install libhivex-bin")
    hive = folder / "hive"
    hive.write_bytes(data)
    command = ["hivexregedit", "--export", "--prefix", "X", str(hive), "\\"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    # Latin-1 names are written as they are stored.
    text = raw.decode("utf-8", "surrogateescape")
    found: Export = {}
    for section in text.split("\n\n[")[1:]:
        key, *lines = section.strip("\n").split("\n")
        found[key.rstrip("]").removeprefix("X\\")] = frozenset(lines)
    return found


def hexed(type_: int, data: bytes) -> str:
    return f"hex({type_:x}):" + data.hex(",")


def edit(hive: Hive) -> None:
    """Make one edit of every kind."""
    key = hive.create_key(r"Wimdock\New key", descriptor(3))
    key.set_value("", 1, encode_string("default"))
    key.set_value("dword", 4, encode_dword(0x12345678))
    key.set_value("qword", 11, encode_qword(7))
    key.set_value("several", 7, encode_strings(["a", "ü"]))
    key.set_value("empty", 3, b"")
    key.set_value("big", 3, bytes(range(250)) * 200)
    key.set_class_name("Class")
    for number in range(1200):
        hive.create_key(rf"Wimdock\Many\{number * 7919 % 1200:04}")
    hive.create_key("7-Zip").set_value("Path", 2, encode_string("%ProgramFiles%"))
    hive.create_key(r"7-Zip\FM").delete_value("Panels")
    hive.delete_key(r"7-Zip\FM\Columns")


def expected(before: Export) -> Export:
    """Give what the edits must make of an export."""
    after = dict(before)
    after["Wimdock"] = frozenset()
    after[r"Wimdock\New key"] = frozenset(
        {
            "@=" + hexed(1, encode_string("default")),
            '"dword"=dword:12345678',
            '"qword"=' + hexed(11, encode_qword(7)),
            '"several"=' + hexed(7, encode_strings(["a", "ü"])),
            '"empty"=' + hexed(3, b""),
            '"big"=' + hexed(3, bytes(range(250)) * 200),
        }
    )
    after[r"Wimdock\Many"] = frozenset()
    for number in range(1200):
        after[rf"Wimdock\Many\{number:04}"] = frozenset()
    lines = {line for line in before["7-Zip"] if not line.startswith('"Path"=')}
    after["7-Zip"] = frozenset(lines | {'"Path"=' + hexed(2, encode_string("%ProgramFiles%"))})
    lines = {line for line in before[r"7-Zip\FM"] if not line.startswith('"Panels"=')}
    after[r"7-Zip\FM"] = frozenset(lines)
    for key in before:
        if key == r"7-Zip\FM\Columns" or key.startswith("7-Zip\\FM\\Columns\\"):
            del after[key]
    return after


def test_hivexregedit_sees_exactly_the_change(software_hive: bytes, tmp_path: Path) -> None:
    hive = Hive.parse(software_hive)
    edit(hive)
    data = hive.to_bytes()
    check(data)
    before = exported(software_hive, tmp_path)
    assert len(before) == 6396
    assert exported(data, tmp_path) == expected(before)


Seen = dict[str, tuple[tuple[str, str, str], ...]]


def seen_by_regipy(data: bytes, folder: Path) -> Seen:
    """Give for each key what regipy reads: name, type and data of its values."""
    path = folder / "hive"
    path.write_bytes(data)
    reader: Any = regipy.registry
    return {
        entry.path: tuple(sorted((v.name, v.value_type, str(v.value)) for v in entry.values))
        for entry in reader.RegistryHive(str(path)).recurse_subkeys(fetch_values=True)
    }


def test_regipy_sees_exactly_the_change(software_hive: bytes, tmp_path: Path) -> None:
    small = Hive.parse(software_hive)
    for key in list(small.root.subkeys()):
        if key.name != "7-Zip":
            small.root.delete_subkey(key.name)
    original = small.to_bytes()
    check(original)
    hive = Hive.parse(original)
    edit(hive)
    before = seen_by_regipy(original, tmp_path)
    after = seen_by_regipy(hive.to_bytes(), tmp_path)
    new = "\\Wimdock\\New key"
    assert {path for path in after if path not in before} == {
        "\\Wimdock",
        "\\Wimdock\\Many",
        new,
        *(f"\\Wimdock\\Many\\{number:04}" for number in range(1200)),
    }
    assert {path for path in before if path not in after} == {"\\7-Zip\\FM\\Columns"}
    changed = {path for path in before if path in after and before[path] != after[path]}
    assert changed == {"\\7-Zip", "\\7-Zip\\FM"}
    assert [name for name, *_ in after[new]] == [
        "(default)",
        "big",
        "dword",
        "empty",
        "qword",
        "several",
    ]
    assert ("dword", "REG_DWORD", str(0x12345678)) in after[new]


def with_six_thousand_keys(data: bytes) -> bytes:
    """Add 6,000 keys of three values each under one parent, in no order."""
    hive = Hive.parse(data)
    for number in range(6000):
        name = f"amd64_component-{number * 7919 % 6000:05}_31bf3856ad364e35_10.0.19041.1_none"
        key = hive.create_key(rf"ControlSet001\Services\Wimdock\{name}")
        key.set_value("", 1, encode_string("10.0"))
        key.set_value("identity", 3, name.encode())
        key.set_value("number", 4, encode_dword(number))
    return hive.to_bytes()


def used_bytes(data: bytes) -> int:
    """Add up the cells in use."""
    checker = Checker(data)
    checker.check_cells()
    return sum(checker.used.values())


@pytest.fixture(scope="module")
def crowded(system_hive: bytes) -> tuple[bytes, float]:
    """Give the hive with 6,000 more keys, and the seconds that it took."""
    started = time.process_time()
    data = with_six_thousand_keys(system_hive)
    return data, time.process_time() - started


def test_six_thousand_keys_cost_what_they_take(
    system_hive: bytes, crowded: tuple[bytes, float]
) -> None:
    data, seconds = crowded
    assert seconds < 10
    bins_before = int.from_bytes(system_hive[40:44], "little")
    added = used_bytes(data) - used_bytes(system_hive[: 4096 + bins_before])
    assert added > 6000 * 200
    assert len(data) - 4096 - bins_before < 3 * added
    check(data)


def test_hivexregedit_sees_six_thousand_keys_more(
    system_hive: bytes, crowded: tuple[bytes, float], tmp_path: Path
) -> None:
    before = exported(system_hive, tmp_path)
    after = exported(crowded[0], tmp_path)
    new = {key for key in after if key not in before}
    assert len(new) == 6001
    assert all(len(after[key]) == 3 for key in new if key.endswith("_none"))
    assert {key: lines for key, lines in after.items() if key not in new} == before
