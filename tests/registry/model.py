"""A registry as plain dictionaries: what random edits are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field

from wimdock.registry import Hive, Key
from wimdock.upcase import fold


@dataclass
class Node:
    """One key: names as written, everything by folded name."""

    name: str
    security: bytes
    class_name: str = ""
    values: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    subkeys: dict[str, Node] = field(default_factory=dict)

    def open(self, path: tuple[str, ...]) -> Node | None:
        """Give the key at a path."""
        node: Node | None = self
        for part in path:
            node = node.subkeys.get(fold(part)) if node else None
        return node

    def create(self, path: tuple[str, ...], security: bytes | None = None) -> Node:
        """Make the keys of a path where they are missing."""
        node = self
        for number, part in enumerate(path, 1):
            given = security if number == len(path) else None
            node = node.subkeys.setdefault(fold(part), Node(part, given or node.security))
        return node


def snapshot(key: Key) -> Node:
    """Read a key and all below it."""
    node = Node(key.name, key.security, key.class_name)
    for value in key.values():
        node.values[fold(value.name)] = (value.name, value.type, value.data)
    for sub in key.subkeys():
        node.subkeys[fold(sub.name)] = snapshot(sub)
    return node


def snapshot_of(data: bytes) -> Node:
    """Read a whole hive."""
    return snapshot(Hive.parse(data).root)


def descriptor(number: int) -> bytes:
    """Make a self-relative descriptor whose content depends on a number."""
    sid = bytes.fromhex("010100000000000512000000")
    ace = (8 + len(sid)).to_bytes(2, "little") + number.to_bytes(4, "little") + sid
    acl = b"\2\0" + (8 + 2 + len(ace)).to_bytes(2, "little") + b"\1\0\0\0" + b"\0\2" + ace
    head = b"\1\0\4\x80" + (20).to_bytes(4, "little") + (32).to_bytes(4, "little")
    return head + bytes(4) + (44).to_bytes(4, "little") + sid + sid + acl
