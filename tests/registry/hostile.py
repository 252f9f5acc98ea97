"""Damaged hives: what a test does with one, and how one is made."""

from __future__ import annotations

import random
import struct

from tests.registry.model import descriptor
from wimdock.clock import EPOCH, FixedClock
from wimdock.errors import RegistryError
from wimdock.registry import Hive, Key, encode_string
from wimdock.registry.base_block import checksum

CLOCK = FixedClock(EPOCH)


def rich_hive() -> bytes:
    """Make a small hive that holds one of everything."""
    hive = Hive.empty("SOFTWARE", clock=CLOCK)
    for number in range(12):
        key = hive.create_key(rf"List\Key {number}", descriptor(number % 3))
        key.set_value("", 1, encode_string(f"value {number}"))
        key.set_value("number", 4, bytes(4))
        key.set_value("ж", 3, bytes(range(100)))
    hive.create_key(r"A\B\C\D").set_class_name("Class")
    hive.create_key("Big").set_value("data", 3, bytes(20480))
    hive.create_key("Жук").set_value("none", 0, b"")
    hive.create_key("Gone").set_value("data", 3, bytes(3000))
    hive.delete_key("Gone")
    return hive.to_bytes()


def seal(data: bytes | bytearray) -> bytes:
    """Set the checksum right, so that a damaged base block is read at all."""
    sealed = bytearray(data)
    if len(sealed) >= 512:
        struct.pack_into("<I", sealed, 508, checksum(sealed))
    return bytes(sealed)


def damage(data: bytes, seed: int) -> bytes:
    """Change a few bytes, or exchange references to cells; repeatable by its seed."""
    chance = random.Random(seed)
    damaged = bytearray(data)
    places = [at for at in range(4096, len(data) - 4, 4) if data[at : at + 4] != bytes(4)]
    cells = [at - 4096 for at in places if at % 8 == 0 and data[at + 3] == 0xFF]
    for _ in range(chance.choice((1, 1, 2, 4, 12))):
        match chance.randrange(5):
            case 0:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            case 1:
                damaged[chance.choice(places) + chance.randrange(4)] ^= 1 << chance.randrange(8)
            case 2:
                struct.pack_into("<I", damaged, chance.choice(places), chance.choice(cells))
            case 3:
                number = chance.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFF8))
                struct.pack_into("<I", damaged, chance.choice(places), number)
            case _:
                start, target = chance.choice(places), chance.choice(places)
                damaged[target : target + 16] = damaged[start : start + 16]
    return seal(damaged[: len(data)])


def read_all(key: Key) -> int:
    """Read everything from a key down; give the number of keys."""
    count, todo = 0, [key]
    while todo:
        key = todo.pop()
        count += 1
        read = (key.name, key.class_name, key.security, key.path, key.last_written, key.values())
        assert len(read) == 6
        todo += key.subkeys()
    return count


def attempt(data: bytes) -> None:
    """Read and edit in every way; only RegistryError may come of it."""
    try:
        hive = Hive.parse(data, clock=CLOCK)
    except RegistryError:
        return
    edits = (
        lambda: read_all(hive.root),
        lambda: hive.create_key(r"List\Key 55\New", descriptor(7)),
        lambda: [hive.create_key(f"List\\More {n}") for n in range(20)],
        lambda: hive.create_key(r"List\Key 3").set_value("", 3, bytes(200)),
        lambda: hive.create_key(r"List\Key 4").set_value("new", 3, bytes(20000)),
        lambda: hive.create_key(r"List\Key 4").delete_value("number"),
        lambda: hive.create_key(r"A\B\C\D").set_class_name("Another class"),
        lambda: hive.create_key("Big").set_value("data", 3, b"longer than four"),
        lambda: hive.create_key("Big").set_security(descriptor(1)),
        lambda: hive.delete_key(r"List\Key 5"),
        lambda: hive.delete_key("A"),
        lambda: hive.delete_key("Жук"),
        lambda: [hive.root.delete_subkey(key.name) for key in hive.root.subkeys()],
        lambda: hive.create_key(r"Again\And again").set_value("", 3, bytes(5000)),
        lambda: read_all(Hive.parse(hive.to_bytes()).root),
    )
    for action in edits:
        # An edit of a damaged hive may fail half-way; the next one must still fail in our words.
        try:
            action()
        except RegistryError:
            continue
