"""One open hive: its cells, what has been read of them, and the edits that span several cells.

Keys are named by their cells here. Edits check what they can before the first byte changes; an
edit that raises MalformedHive half-way has met a damaged hive, whose bytes must then not be kept.
"""

from __future__ import annotations

from wimdock.clock import Clock, to_filetime
from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.allocator import Allocator
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    KEY,
    KEY_ASCII_NAME,
    KEY_CLASS,
    KEY_CLASS_LENGTH,
    KEY_IS_ROOT,
    KEY_MAX_CLASS,
    KEY_MAX_NAME,
    KEY_MAX_VALUE_DATA,
    KEY_MAX_VALUE_NAME,
    KEY_NO_DELETE,
    KEY_PREDEFINED,
    KEY_SECURITY,
    KEY_WRITTEN,
    MAX_CLASS,
    MAX_DEPTH,
    NIL,
    KeyNode,
)
from wimdock.registry.names import check_key_name, encode_name, encode_utf16, utf16_size
from wimdock.registry.node import field, new_node, node_name, read_child, read_node
from wimdock.registry.security import SecurityList, check_descriptor
from wimdock.registry.subkeys import SubkeyIndex, list_cells, subkey_cells
from wimdock.registry.values import ValueIndex, free_value, read_value, value_cells


class Store:
    """An open hive. `modified` tells whether anything was written since the last time it closed.

    `deaths` counts how often the key in a cell was deleted, so that a Key that outlives its key
    notices even when the cell holds another one.
    """

    def __init__(self, cells: Cells, root: int, minor: int, clock: Clock) -> None:
        """Take checked bytes, the cell of the root key and the version of the hive."""
        self.cells = cells
        self.allocator = Allocator(cells)
        self.root = root
        self.minor = minor
        self.clock = clock
        self.security = SecurityList(cells, self.allocator, read_node(cells, root).security)
        self.modified = False
        self.deaths: dict[int, int] = {}
        self._subkeys: dict[int, SubkeyIndex] = {}
        self._values: dict[int, ValueIndex] = {}
        self._shrunk: dict[int, None] = {}

    def subkeys(self, key: int) -> SubkeyIndex:
        """Give the subkeys of a key by name, read once."""
        index = self._subkeys.get(key)
        if index is None:
            index = SubkeyIndex(self.cells, self.allocator, self.minor, key)
            self._subkeys[key] = index
        return index

    def values(self, key: int) -> ValueIndex:
        """Give the values of a key by name, read once."""
        index = self._values.get(key)
        if index is None:
            index = ValueIndex(self.cells, self.allocator, self.minor, key)
            self._values[key] = index
        return index

    def create(self, parent: int, name: str, security: bytes | None) -> int:
        """Make a key that does not exist yet; without a descriptor it shares its parent's."""
        check_key_name(name)
        if security is not None:
            check_descriptor(security)
        node = read_node(self.cells, parent)
        if node.flags & KEY_PREDEFINED:
            message = "a predefined registry key has no subkeys of its own"
            raise RegistryError(message)
        self._check_depth(parent)
        index = self.subkeys(parent)
        if security is None:
            secured = self.security.share(node.security)
        else:
            secured = self.security.acquire(security)
        raw, latin_1 = encode_name(name)
        made = new_node(
            flags=KEY_ASCII_NAME if latin_1 else 0,
            written=to_filetime(self.clock.now()),
            parent=parent,
            security=secured,
            name_length=len(raw),
        )
        key = self.allocator.put(KEY.pack(*made) + raw)
        index.add(name, key)
        self._raise_name(parent, utf16_size(name))
        self.touch(parent)
        return key

    def set_class(self, key: int, class_name: str) -> None:
        """Give a key a class name, or take it away with ""."""
        raw = encode_utf16(class_name)
        if len(raw) > MAX_CLASS:
            message = f"the class name of a registry key is too long ({len(class_name)} characters)"
            raise RegistryError(message)
        node = read_node(self.cells, key)
        cell = self.allocator.put(raw) if raw else NIL
        if node.class_name != NIL:
            self.allocator.give_back(node.class_name)
        self.cells.put_u32(field(key, KEY_CLASS), cell)
        self.cells.put_u16(field(key, KEY_CLASS_LENGTH), len(raw))
        if not node.flags & KEY_IS_ROOT:
            at = field(node.parent, KEY_MAX_CLASS)
            self.cells.put_u32(at, max(self.cells.u32(at), len(raw)))
        self.touch(key)

    def set_security(self, key: int, descriptor: bytes) -> None:
        """Give a key another descriptor."""
        node = read_node(self.cells, key)
        if self.security.descriptor(node.security) == descriptor:
            return
        secured = self.security.acquire(descriptor)
        self.security.release(node.security)
        self.cells.put_u32(field(key, KEY_SECURITY), secured)
        self.touch(key)

    def set_value(self, key: int, name: str, type_: int, data: bytes) -> None:
        """Make or change a value; nothing is written where it is so already."""
        before = self.cells.u32(field(key, KEY_MAX_VALUE_DATA))
        if self.values(key).set(name, type_, data):
            if len(data) < before:
                self._shrunk[key] = None
            self.touch(key)

    def delete_value(self, key: int, name: str) -> bool:
        """Take a value away; tell whether it was there."""
        if not self.values(key).delete(name):
            return False
        self._shrunk[key] = None
        self.touch(key)
        return True

    def delete(self, key: int) -> None:
        """Free a key and all that is below it."""
        tree = self._tree(key)
        parent = tree[0][1].parent
        self.subkeys(parent).remove(node_name(self.cells, key, tree[0][1]))
        self._shrunk[parent] = None
        self.touch(parent)
        for cell, node in tree:
            self._free_key(cell, node)

    def touch(self, key: int) -> None:
        """Note that a key was changed now."""
        self.modified = True
        self.cells.place(key, KEY.size, "key")
        self.cells.put_u64(field(key, KEY_WRITTEN), to_filetime(self.clock.now()))

    def settle(self) -> None:
        """Set the greatest lengths right in keys that lost a subkey or a value."""
        for key in self._shrunk:
            node = read_node(self.cells, key)
            names = classes = value_names = value_data = 0
            for cell in subkey_cells(self.cells, node):
                child = read_child(self.cells, cell, key)
                size = child.name_length * (2 if child.flags & KEY_ASCII_NAME else 1)
                names, classes = max(names, size), max(classes, child.class_length)
            for cell in value_cells(self.cells, node):
                name, _, place = read_value(self.cells, cell)
                value_names = max(value_names, utf16_size(name))
                value_data = max(value_data, place.length)
            self.cells.put_u16(field(key, KEY_MAX_NAME), names)
            self.cells.put_u32(field(key, KEY_MAX_CLASS), classes)
            self.cells.put_u32(field(key, KEY_MAX_VALUE_NAME), value_names)
            self.cells.put_u32(field(key, KEY_MAX_VALUE_DATA), value_data)
        self._shrunk.clear()

    def ancestry(self, key: int) -> list[str]:
        """Give the names from below the root down to a key."""
        names: list[str] = []
        while key != self.root:
            node = read_node(self.cells, key)
            names.append(node_name(self.cells, key, node))
            key = node.parent
            if len(names) > MAX_DEPTH:
                message = f"registry keys are nested more than {MAX_DEPTH} deep"
                raise MalformedHive(message)
        return names[::-1]

    def _check_depth(self, key: int) -> None:
        depth = 1
        while key != self.root:
            key = read_node(self.cells, key).parent
            depth += 1
            if depth >= MAX_DEPTH:
                message = f"registry keys cannot be nested more than {MAX_DEPTH} deep"
                raise RegistryError(message)

    def _raise_name(self, key: int, size: int) -> None:
        at = field(key, KEY_MAX_NAME)
        if self.cells.u16(at) < size:
            self.cells.put_u16(at, size)

    def _tree(self, key: int) -> list[tuple[int, KeyNode]]:
        """Give a key and all below it, parents first; refuse keys that must stay."""
        tree = [(key, read_node(self.cells, key))]
        # The list grows while it is walked, by keys that have one parent only.
        for cell, node in tree:
            if node.flags & (KEY_IS_ROOT | KEY_NO_DELETE):
                message = f"the registry key {node_name(self.cells, cell, node)!r} must not go"
                raise RegistryError(message)
            below = subkey_cells(self.cells, node)
            tree.extend((sub, read_child(self.cells, sub, cell)) for sub in below)
            if len(tree) * KEY.size > self.cells.size:
                message = f"the key at 0x{key:X} holds more keys than the hive can"
                raise MalformedHive(message)
        return tree

    def _free_key(self, cell: int, node: KeyNode) -> None:
        for value in value_cells(self.cells, node):
            free_value(self.cells, self.allocator, value)
        given = list_cells(self.cells, node)
        if node.value_count and not node.flags & KEY_PREDEFINED:
            given.append(node.value_list)
        if node.class_name != NIL:
            given.append(node.class_name)
        for other in (*given, cell):
            self.allocator.give_back(other)
        self.security.release(node.security)
        self.deaths[cell] = self.deaths.get(cell, 0) + 1
        self._subkeys.pop(cell, None)
        self._values.pop(cell, None)
        self._shrunk.pop(cell, None)
