"""Security descriptors are stored once and counted."""

from __future__ import annotations

import struct

import pytest

from tests.registry.consistency import check
from tests.registry.model import descriptor
from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry import Hive


def test_a_new_key_shares_its_parents_descriptor_or_has_its_own() -> None:
    hive = Hive.empty("X")
    root = hive.root.security
    assert hive.create_key("A").security == root
    assert hive.create_key(r"B\C", descriptor(1)).security == descriptor(1)
    assert hive.create_key("B").security == root
    assert hive.create_key(r"B\C\D").security == descriptor(1)
    assert hive.create_key(r"B\C", descriptor(2)).security == descriptor(1)
    check(hive.to_bytes())


def test_equal_descriptors_are_stored_once_also_in_a_reopened_hive() -> None:
    hive = Hive.empty("X")
    for number in range(40):
        hive.create_key(f"A{number}", descriptor(number % 4))
    hive = Hive.parse(hive.to_bytes())
    for number in range(40):
        hive.create_key(f"B{number}", descriptor(number % 4))
        hive.root.set_security(descriptor(number % 4))
    data = hive.to_bytes()
    check(data)
    assert data.count(b"sk\0\0") == 4


def test_the_last_key_takes_its_descriptor_along() -> None:
    hive = Hive.empty("X")
    for number in range(10):
        hive.create_key(f"A{number}", descriptor(number))
    for number in range(10):
        hive.delete_key(f"A{number}")
    assert len(check(hive.to_bytes()).used) == 2


def test_the_roots_descriptor_can_go() -> None:
    hive = Hive.empty("X")
    hive.root.set_security(descriptor(1))
    hive.create_key("A", descriptor(2))
    data = hive.to_bytes()
    check(data)
    assert Hive.parse(data).root.security == descriptor(1)


@pytest.mark.parametrize("wrong", [b"", b"abc", bytes(40), descriptor(1)[:30], b"\2" + bytes(60)])
def test_what_is_no_descriptor_is_refused_before_anything_changes(wrong: bytes) -> None:
    hive = Hive.empty("X")
    with pytest.raises(RegistryError):
        hive.create_key("A", wrong)
    with pytest.raises(RegistryError):
        hive.root.set_security(wrong)
    assert not hive.modified
    assert hive.open_key("A") is None


@pytest.mark.parametrize("field", [4, 8])
def test_a_broken_circle_is_found(field: int) -> None:
    hive = Hive.empty("X")
    for number in range(3):
        hive.create_key(f"A{number}", descriptor(number))
    data = bytearray(hive.to_bytes())
    second = data.index(b"sk\0\0", data.index(b"sk\0\0", 4096) + 1)
    struct.pack_into("<I", data, second + field, second - 4 - 4096)
    with pytest.raises(MalformedHive):
        Hive.parse(data).create_key("B", descriptor(9))
