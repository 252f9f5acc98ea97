"""Subkey lists of any size and kind."""

from __future__ import annotations

import random
import struct

import pytest

from tests.registry.consistency import check
from wimdock.errors import MalformedHive
from wimdock.registry import Hive
from wimdock.registry.base_block import checksum
from wimdock.registry.layout import MAX_LEAF


def names_of(hive: Hive) -> list[str]:
    return [key.name for key in hive.root.subkeys()]


@pytest.mark.parametrize("order", ["up", "down", "mixed"])
def test_many_keys_in_any_order(order: str) -> None:
    names = [f"Key {number:05}" for number in range(3 * MAX_LEAF)]
    adding = {"up": names, "down": names[::-1], "mixed": random.Random(1).sample(names, len(names))}
    hive = Hive.empty("X")
    for name in adding[order]:
        hive.root.create_subkey(name)
    data = hive.to_bytes()
    check(data)
    assert names_of(Hive.parse(data)) == names
    for name in random.Random(2).sample(names, len(names)):
        assert hive.root.delete_subkey(name)
        assert not hive.root.delete_subkey(name)
    checker = check(hive.to_bytes())
    assert len(checker.used) == 2


def test_keys_added_in_order_fill_their_leaves() -> None:
    hive = Hive.empty("X")
    for number in range(5 * MAX_LEAF):
        hive.root.create_subkey(f"{number:05}")
    data = hive.to_bytes()
    leaves = data.count(b"lh" + (MAX_LEAF - 1).to_bytes(2, "little"))
    assert leaves >= 4


def test_a_deleted_key_is_noticed() -> None:
    hive = Hive.empty("X")
    key = hive.create_key("A\\B")
    hive.delete_key("A")
    again = hive.create_key("A\\B")
    assert again.name == "B"
    assert key != again
    with pytest.raises(Exception, match="was deleted"):
        _ = key.name


def test_iterating_while_deleting() -> None:
    hive = Hive.empty("X")
    for number in range(50):
        hive.root.create_subkey(str(number))
    for key in hive.root.subkeys():
        hive.root.delete_subkey(key.name)
    assert hive.root.subkey_count == 0


def list_at(data: bytearray) -> int:
    """Give where the content of the root's list lies."""
    root = struct.unpack_from("<I", data, 36)[0]
    return 4096 + 4 + int.from_bytes(data[4096 + root + 32 : 4096 + root + 36], "little")


def rewritten(hive: Hive, signature: bytes, entries: bytes, count: int) -> bytes:
    """Replace the root's only list by one made by hand."""
    data = bytearray(hive.to_bytes())
    at = list_at(data)
    content = signature + struct.pack("<H", count) + entries
    data[at : at + len(content)] = content
    return bytes(data)


def three_keys() -> tuple[Hive, list[int]]:
    hive = Hive.empty("X")
    cells = [hive.root.create_subkey(name)._cell for name in "abc"]
    return hive, cells


def test_a_plain_list_is_read_and_edited() -> None:
    hive, cells = three_keys()
    data = rewritten(hive, b"li", struct.pack("<3I", *cells), 3)
    check(data)
    opened = Hive.parse(data)
    opened.create_key("aa")
    opened.delete_key("b")
    result = opened.to_bytes()
    check(result)
    assert names_of(Hive.parse(result)) == ["a", "aa", "c"]


def test_an_unsorted_list_is_read_and_sorted_by_the_first_addition() -> None:
    hive, cells = three_keys()
    data = rewritten(hive, b"li", struct.pack("<3I", *cells[::-1]), 3)
    opened = Hive.parse(data)
    assert names_of(opened) == ["c", "b", "a"]
    assert opened.open_key("B")
    opened.delete_key("b")
    opened.create_key("bb")
    result = opened.to_bytes()
    check(result)
    assert names_of(Hive.parse(result)) == ["a", "bb", "c"]


@pytest.mark.parametrize("change", ["twice", "short", "long", "root in root", "none", "stranger"])
def test_lists_that_cannot_be(change: str) -> None:
    hive, cells = three_keys()
    deeper = hive.create_key(r"a\deeper")._cell
    data = bytearray(hive.to_bytes())
    row = list_at(data)
    if change == "twice":
        struct.pack_into("<I", data, row + 4, cells[1])
    elif change == "short":
        struct.pack_into("<H", data, row + 2, 2)
    elif change == "long":
        struct.pack_into("<H", data, row + 2, 0xFFFF)
    elif change == "root in root":
        data[row : row + 2] = b"ri"
        for number in range(3):
            struct.pack_into("<I", data, row + 4 + 4 * number, row - 4 - 4096)
    elif change == "none":
        data[row : row + 2] = b"xx"
    else:
        struct.pack_into("<I", data, row + 4, deeper)
    with pytest.raises(MalformedHive):
        list(Hive.parse(data).root.subkeys())


def test_a_hive_of_version_1_3_gets_hints_not_hashes() -> None:
    data = bytearray(Hive.empty("X").to_bytes())
    data[24] = 3
    data[508:512] = checksum(data).to_bytes(4, "little")
    hive = Hive.parse(data)
    for number in range(1500):
        hive.root.create_subkey(f"Key {number}")
    hive.root.set_value("big", 3, bytes(100_000))
    result = hive.to_bytes()
    check(result)
    assert b"lf" in result
    assert b"lh" not in result
    value = Hive.parse(result).root.value("big")
    assert value
    assert len(value.data) == 100_000
