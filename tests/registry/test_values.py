"""Values: every type and length, added, changed and taken away."""

from __future__ import annotations

import struct

import pytest

from tests.registry.consistency import check
from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry import (
    Hive,
    Key,
    Value,
    ValueType,
    encode_dword,
    encode_qword,
    encode_string,
    encode_strings,
)

LENGTHS = [0, 1, 3, 4, 5, 12, 13, 4000, 16344, 16345, 32688, 32689, 70_000]


def content(length: int, start: int = 0) -> bytes:
    return (bytes(range(start, 251)) * (length // 200 + 1))[:length]


def data_of(key: Key, name: str) -> bytes:
    value = key.value(name)
    assert value
    return value.data


@pytest.mark.parametrize("type_", [*ValueType, 0xFFFF0012, 0xFFFFFFFF, 12])
def test_every_type(type_: int) -> None:
    hive = Hive.empty("X")
    hive.root.set_value("value", type_, content(20))
    again = Hive.parse(hive.to_bytes()).root.value("VALUE")
    assert again == Value("value", type_, content(20))


def test_every_length_to_every_length() -> None:
    hive = Hive.empty("X")
    for before in LENGTHS:
        for after in LENGTHS:
            hive.root.set_value("value", 3, content(before))
            hive.root.set_value("other", 3, content(before, 9))
            hive.root.set_value("value", 3, content(after, 1))
            assert data_of(hive.root, "value") == content(after, 1)
            assert data_of(hive.root, "other") == content(before, 9)
        check(hive.to_bytes())
    hive.root.delete_value("value")
    hive.root.delete_value("other")
    assert len(check(hive.to_bytes()).used) == 2


def test_the_greatest_lengths_are_exact() -> None:
    hive = Hive.empty("X")
    key = hive.create_key("A")
    key.set_value("a long name", 3, content(3000))
    key.set_value("short", 3, content(10))
    key.create_subkey("A long subkey")
    key.create_subkey("Short").set_class_name("Class")

    def greatest() -> tuple[int, ...]:
        data = hive.to_bytes()
        check(data)
        return struct.unpack_from("<HHIII", data, 4096 + key._cell + 4 + 52)

    assert greatest() == (26, 0, 10, 22, 3000)
    key.set_value("a long name", 3, content(4))
    assert greatest() == (26, 0, 10, 22, 10)
    key.delete_value("a long name")
    key.delete_subkey("A long subkey")
    assert greatest() == (10, 0, 10, 10, 10)
    key.delete_subkey("Short")
    key.delete_value("short")
    assert greatest() == (0, 0, 0, 0, 0)


def test_many_values_in_one_key() -> None:
    hive = Hive.empty("X")
    for number in range(3000):
        hive.root.set_value(f"Value {number}", 4, encode_dword(number))
    for number in range(0, 3000, 3):
        assert hive.root.delete_value(f"VALUE {number}")
    data = hive.to_bytes()
    check(data)
    names = [value.name for value in Hive.parse(data).root.values()]
    assert names == [f"Value {number}" for number in range(3000) if number % 3]


def test_a_value_that_is_so_already_changes_nothing() -> None:
    hive = Hive.empty("X")
    hive.root.set_value("a", 3, content(30000))
    before = hive.to_bytes()
    hive.root.set_value("A", 3, content(30000))
    hive.create_key("")
    assert not hive.root.delete_value("b")
    assert not hive.delete_key("b")
    assert not hive.modified
    assert hive.to_bytes() == before


def test_strings_and_numbers_are_read() -> None:
    assert Value("", 1, encode_string("Ünïcode")).text() == "Ünïcode"
    assert Value("", 2, "%a%\0junk".encode("utf-16-le")).text() == "%a%"
    assert Value("", 6, "\\Registry".encode("utf-16-le")).text() == "\\Registry"
    assert Value("", 1, b"a\0b\0c").text() == "ab"
    assert Value("", 1, b"\0\xd8").text() == "\N{REPLACEMENT CHARACTER}"
    assert Value("", 7, encode_strings(["a", "b"])).texts() == ("a", "b")
    assert Value("", 7, b"\0\0").texts() == ()
    assert Value("", 7, b"").texts() == ()
    assert Value("", 7, "a\0b".encode("utf-16-le")).texts() == ("a", "b")
    assert Value("", 1, encode_string("a")).texts() == ("a",)
    assert Value("", 4, encode_dword(0xFFFFFFFF)).number() == 0xFFFFFFFF
    assert Value("", 5, b"\0\0\0\1").number() == 1
    assert Value("", 11, encode_qword(1 << 63)).number() == 1 << 63


@pytest.mark.parametrize("read", [Value.text, Value.texts, Value.number])
def test_a_value_of_another_type_is_named(read: object) -> None:
    assert callable(read)
    with pytest.raises(RegistryError, match="REG_BINARY, 3 bytes"):
        read(Value("x", 3, b"abc"))
    with pytest.raises(RegistryError, match="type 0xFFFF0012"):
        read(Value("", 0xFFFF0012, b"abc"))


def test_what_cannot_be_encoded() -> None:
    for wrong in ("a\0b", "\0"):
        with pytest.raises(RegistryError):
            encode_string(wrong)
    with pytest.raises(RegistryError):
        encode_strings(["a", ""])
    for encode in (encode_dword, encode_qword):
        for number in (-1, 1 << 64):
            with pytest.raises(RegistryError):
                encode(number)
    with pytest.raises(RegistryError):
        Hive.empty("X").root.set_value("a", 1 << 32, b"")


def test_data_in_one_cell_is_read_whatever_its_length() -> None:
    hive = Hive.empty("X")
    hive._store.minor = 3
    hive.root.set_value("big", 3, content(50_000))
    again = Hive.parse(hive.to_bytes())
    assert data_of(again.root, "big") == content(50_000)
    again.root.set_value("big", 3, content(60_000))
    check(again.to_bytes())
    assert data_of(again.root, "big") == content(60_000)


@pytest.mark.parametrize(
    "field, number",
    [(4, 0x80000005), (4, 0x7FFFFFFF), (4, 70_000), (8, 0xFFFFFFFF), (8, 32), (2, 0xFFFF)],
)
def test_a_value_that_cannot_be(field: int, number: int) -> None:
    hive = Hive.empty("X")
    hive.root.set_value("big", 3, content(60_000))
    data = bytearray(hive.to_bytes())
    at = data.index(b"vk", 4096)
    layout = "<H" if field == 2 else "<I"
    struct.pack_into(layout, data, at + field, number)
    with pytest.raises(MalformedHive):
        Hive.parse(data).root.value("big")
    with pytest.raises(MalformedHive):
        list(Hive.parse(data).root.values())
