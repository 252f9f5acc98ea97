"""The cell of a key (`nk`): read, and made anew."""

from __future__ import annotations

from wimdock.errors import MalformedHive
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    BASE,
    CELL_HEADER,
    KEY,
    KEY_ASCII_NAME,
    KEY_IS_ROOT,
    KEY_SIGNATURE,
    NIL,
    KeyNode,
)
from wimdock.registry.names import decode_name, decode_utf16


def field(cell: int, offset: int) -> int:
    """Give where a field of a key lies in the hive's bytes."""
    return BASE + cell + CELL_HEADER + offset


def read_node(cells: Cells, cell: int) -> KeyNode:
    """Read a key's cell; raise MalformedHive unless it is one with a whole name."""
    at, size = cells.place(cell, KEY.size, "key")
    node = KeyNode._make(KEY.unpack_from(cells.data, at))
    if node.signature != KEY_SIGNATURE or not 0 < node.name_length <= size - KEY.size:
        message = f"no valid key at 0x{cell:X}"
        raise MalformedHive(message)
    return node


def new_node(*, flags: int, written: int, parent: int, security: int, name_length: int) -> KeyNode:
    """Give a key that has nothing yet: no subkeys, no values, no class."""
    return KeyNode(
        signature=KEY_SIGNATURE,
        flags=flags,
        written=written,
        access=0,
        parent=parent,
        subkey_count=0,
        volatile_count=0,
        subkey_list=NIL,
        volatile_list=NIL,
        value_count=0,
        value_list=NIL,
        security=security,
        class_name=NIL,
        max_name=0,
        extra_flags=0,
        max_class=0,
        max_value_name=0,
        max_value_data=0,
        work=0,
        name_length=name_length,
        class_length=0,
    )


def read_child(cells: Cells, cell: int, parent: int) -> KeyNode:
    """Read a key that the subkey list of `parent` names.

    The key must name that parent in return and not be a root. This makes keys a tree: no walk from
    the root down can come to a key twice, whatever the file says.
    """
    node = read_node(cells, cell)
    if node.parent != parent or node.flags & KEY_IS_ROOT:
        message = f"the key at 0x{cell:X} is listed by a key that is not its parent"
        raise MalformedHive(message)
    return node


def node_name(cells: Cells, cell: int, node: KeyNode) -> str:
    """Read the name of a key."""
    at = field(cell, KEY.size)
    raw = cells.data[at : at + node.name_length]
    return decode_name(raw, bool(node.flags & KEY_ASCII_NAME))


def node_class(cells: Cells, node: KeyNode) -> str:
    """Read the class name of a key; nothing where it has none."""
    if node.class_name == NIL or not node.class_length:
        return ""
    at, _ = cells.place(node.class_name, node.class_length, "class name")
    return decode_utf16(cells.data[at : at + node.class_length])
