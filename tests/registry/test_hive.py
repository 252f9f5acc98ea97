"""Hives as a whole: opening, paths, times, the base block after edits."""

from __future__ import annotations

import struct
import time
from datetime import UTC, datetime

import pytest

from tests.registry.consistency import check
from tests.registry.hostile import seal
from tests.registry.model import descriptor, snapshot_of
from wimdock.clock import FixedClock, to_filetime
from wimdock.errors import RegistryError
from wimdock.registry import Hive, encode_string
from wimdock.registry.layout import MAX_DEPTH

MOMENT = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
LATER = datetime(2025, 1, 2, tzinfo=UTC)


def test_an_empty_hive_is_sound_and_readable() -> None:
    data = Hive.empty("SOFTWARE", clock=FixedClock(MOMENT)).to_bytes()
    checker = check(data)
    assert len(data) == 8192
    assert len(checker.used) == 2
    assert data[48:64].decode("utf-16-le") == "SOFTWARE"
    root = Hive.parse(data).root
    assert (root.name, root.path, root.class_name, root.last_written) == ("ROOT", "", "", MOMENT)
    assert not root.is_link
    with pytest.raises(RegistryError):
        Hive.empty("x" * 33)


def test_paths() -> None:
    hive = Hive.empty("X")
    key = hive.create_key(r"Microsoft\Windows\CurrentVersion")
    assert key.path == r"Microsoft\Windows\CurrentVersion"
    assert hive.open_key(r"\MICROSOFT\\windows\currentversion\ ".rstrip()) == key
    assert hive.open_key("") == hive.root
    assert hive.open_key(r"Microsoft\None\CurrentVersion") is None
    assert hive.create_key(r"microsoft\windows").name == "Windows"
    assert not hive.delete_key(r"Microsoft\None\CurrentVersion")
    assert hive.delete_key(r"microsoft\WINDOWS")
    assert hive.open_key(r"Microsoft\Windows") is None
    assert len({key, hive.root, hive.create_key("Microsoft")}) == 3


def test_the_root_stays() -> None:
    with pytest.raises(RegistryError, match="root"):
        Hive.empty("X").delete_key("")


def test_keys_nest_as_deep_as_windows_allows() -> None:
    hive = Hive.empty("X")
    hive.create_key("\\".join(["a"] * (MAX_DEPTH - 1)))
    with pytest.raises(RegistryError, match="512"):
        hive.create_key("\\".join(["a"] * MAX_DEPTH))
    check(hive.to_bytes())
    assert hive.delete_key("a")


def test_an_edit_sets_the_times_of_what_it_touches() -> None:
    hive = Hive.empty("X", clock=FixedClock(MOMENT))
    hive.create_key(r"A\B")
    hive.create_key("C")
    hive = Hive.parse(hive.to_bytes(), clock=FixedClock(LATER))
    hive.create_key(r"A\B\New")
    hive.create_key("C").set_value("x", 1, encode_string("y"))

    def written(path: str) -> datetime | None:
        key = hive.open_key(path)
        assert key
        return key.last_written

    assert written("") == MOMENT
    assert written("A") == MOMENT
    assert written(r"A\B") == LATER
    assert written(r"A\B\New") == LATER
    assert written("C") == LATER


def test_the_base_block_after_edits() -> None:
    before = Hive.empty("X", clock=FixedClock(MOMENT)).to_bytes()
    hive = Hive.parse(before, clock=FixedClock(LATER))
    assert hive.to_bytes() == before
    hive.root.set_value("x", 3, bytes(9000))
    after = hive.to_bytes()
    assert hive.to_bytes() == after
    primary, secondary, written = struct.unpack_from("<IIQ", after, 4)
    assert (primary, secondary, written) == (2, 2, to_filetime(LATER))
    assert struct.unpack_from("<I", after, 40)[0] == len(after) - 4096 == hive.size - 4096
    hive.root.set_value("x", 3, b"")
    assert struct.unpack_from("<I", hive.to_bytes(), 4)[0] == 3


def test_sequence_numbers_wrap() -> None:
    data = bytearray(Hive.empty("X").to_bytes())
    struct.pack_into("<II", data, 4, 0xFFFFFFFF, 0xFFFFFFFF)
    hive = Hive.parse(seal(data))
    hive.create_key("A")
    assert struct.unpack_from("<II", hive.to_bytes(), 4) == (0, 0)


def test_what_lies_beyond_the_bins_goes_with_the_first_edit() -> None:
    data = Hive.empty("X").to_bytes()
    hive = Hive.parse(data + b"left over")
    assert hive.to_bytes() == data + b"left over"
    hive.create_key("A")
    assert len(hive.to_bytes()) == len(data)


def test_flags_of_links_volatile_and_predefined_keys_survive() -> None:
    hive = Hive.empty("X")
    for number, flags in enumerate((0x21, 0x30, 0x60)):
        key = hive.create_key(f"K{number}")
        hive._store.cells.put_u16(4096 + key._cell + 4 + 2, flags)
    opened = Hive.parse(hive.to_bytes())
    opened.create_key(r"K0\New")
    opened.create_key("K1").set_value("SymbolicLinkValue", 6, b"\\\0")
    with pytest.raises(RegistryError, match="predefined"):
        opened.create_key("K2").set_value("x", 3, b"")
    with pytest.raises(RegistryError, match="predefined"):
        opened.create_key(r"K2\New")
    again = Hive.parse(opened.to_bytes())
    assert [key.flags for key in again.root.subkeys()] == [0x21, 0x30, 0x60]
    assert [key.is_link for key in again.root.subkeys()] == [False, True, False]


def test_nothing_is_put_into_a_key_that_is_a_link() -> None:
    hive = Hive.empty("X")
    key = hive.create_key("Link")
    hive._store.cells.put_u16(4096 + key._cell + 4 + 2, 0x30)
    before = snapshot_of(hive.to_bytes())
    with pytest.raises(RegistryError, match="Link is a symbolic link"):
        hive.create_key(r"Link\New")
    with pytest.raises(RegistryError, match="Link is a symbolic link"):
        hive.create_key("Link").set_value("", 1, b"x\0")
    assert snapshot_of(hive.to_bytes()) == before


def test_a_key_that_must_not_go_keeps_all_above_it() -> None:
    hive = Hive.empty("X")
    key = hive.create_key(r"A\B\C")
    hive.create_key(r"A\D")
    hive._store.cells.put_u16(4096 + key._cell + 4 + 2, 0x28)
    before = snapshot_of(hive.to_bytes())
    with pytest.raises(RegistryError, match="must not go"):
        hive.delete_key("A")
    assert snapshot_of(hive.to_bytes()) == before


def test_the_samples_are_sound_and_open_quickly(system_hive: bytes, software_hive: bytes) -> None:
    started = time.process_time()
    hive = Hive.parse(system_hive)
    key = hive.open_key(r"ControlSet001\Services\Tcpip\Parameters")
    assert time.process_time() - started < 0.3
    assert key
    assert key.value("Domain")
    assert hive.to_bytes() == system_hive
    check(software_hive)
    hive.create_key("New", descriptor(1))
    check(hive.to_bytes())
