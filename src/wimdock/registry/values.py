"""The value list of a key, read and edited in place.

The list is a row of offsets to value cells (`vk`), in the order in which they were made. It is kept
with some slack.
"""

from __future__ import annotations

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.allocator import Allocator
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    KEY_MAX_VALUE_DATA,
    KEY_MAX_VALUE_NAME,
    KEY_PREDEFINED,
    KEY_VALUE_COUNT,
    KEY_VALUE_LIST,
    NIL,
    VALUE,
    VALUE_ASCII_NAME,
    VALUE_SIGNATURE,
    VALUE_SIZE,
    KeyNode,
)
from wimdock.registry.names import check_value_name, decode_name, encode_name, utf16_size
from wimdock.registry.node import field, read_node
from wimdock.registry.value import Value
from wimdock.registry.value_data import (
    DataPlace,
    free_data,
    read_data,
    rewrite_data,
    write_data,
)
from wimdock.upcase import fold

_MAX_TYPE = 0xFFFF_FFFF


def value_cells(cells: Cells, node: KeyNode) -> list[int]:
    """Give the cells of a key's values, in order; what they hold is not checked."""
    if not node.value_count or node.flags & KEY_PREDEFINED:
        return []
    if node.value_count > cells.size // VALUE.size:
        message = f"a key states {node.value_count} values, more than the hive can hold"
        raise MalformedHive(message)
    at, _ = cells.place(node.value_list, 4 * node.value_count, "value list")
    found = cells.offsets(at, node.value_count)
    if len(set(found)) != len(found):
        message = f"the value list at 0x{node.value_list:X} names a value twice"
        raise MalformedHive(message)
    return found


def read_value(cells: Cells, cell: int) -> tuple[str, int, DataPlace]:
    """Read a value's cell: name, type, and where its data lies."""
    at, room = cells.place(cell, VALUE.size, "value")
    signature, length, size, offset, type_, flags, _ = VALUE.unpack_from(cells.data, at)
    if signature != VALUE_SIGNATURE or length > room - VALUE.size:
        message = f"no valid value at 0x{cell:X}"
        raise MalformedHive(message)
    raw = cells.data[at + VALUE.size : at + VALUE.size + length]
    return decode_name(raw, bool(flags & VALUE_ASCII_NAME)), type_, DataPlace(size, offset)


class ValueIndex:
    """The values of one key by name, kept in step with the list in the hive."""

    __slots__ = ("_allocator", "_by_name", "_cells", "_key", "_listed", "_minor", "_node")

    def __init__(self, cells: Cells, allocator: Allocator, minor: int, key: int) -> None:
        """Read the list of the key at cell `key`; `minor` is the version of the hive."""
        self._cells = cells
        self._allocator = allocator
        self._minor = minor
        self._key = key
        node = read_node(cells, key)
        self._listed = value_cells(cells, node)
        self._by_name: dict[str, int] = {}
        for cell in self._listed:
            self._by_name.setdefault(fold(read_value(cells, cell)[0]), cell)
        if len(self._by_name) != len(self._listed):
            message = f"the key at 0x{key:X} has two values of one name"
            raise MalformedHive(message)

    def find(self, name: str) -> Value | None:
        """Give the value of that name."""
        cell = self._by_name.get(fold(name))
        if cell is None:
            return None
        stored, type_, place = read_value(self._cells, cell)
        return Value(stored, type_, read_data(self._cells, place))

    def set(self, name: str, type_: int, data: bytes) -> bool:
        """Make or change a value; tell whether anything had to be written."""
        check_value_name(name)
        if not 0 <= type_ <= _MAX_TYPE:
            message = f"{type_} is no type of a registry value"
            raise RegistryError(message)
        if read_node(self._cells, self._key).flags & KEY_PREDEFINED:
            message = "a predefined registry key has no values of its own"
            raise RegistryError(message)
        cell = self._by_name.get(fold(name))
        if cell is None:
            self._add(name, type_, data)
        else:
            _, old_type, place = read_value(self._cells, cell)
            if old_type == type_ and read_data(self._cells, place) == data:
                return False
            place = rewrite_data(self._cells, self._allocator, self._minor, place, data)
            at, _ = self._cells.place(cell, VALUE.size, "value")
            self._cells.put_u32(at + VALUE_SIZE, place.size)
            self._cells.put_u32(at + VALUE_SIZE + 4, place.offset)
            self._cells.put_u32(at + VALUE_SIZE + 8, type_)
        self._raise(KEY_MAX_VALUE_DATA, len(data))
        return True

    def delete(self, name: str) -> bool:
        """Take a value away; tell whether it was there."""
        folded = fold(name)
        cell = self._by_name.get(folded)
        if cell is None:
            return False
        position = self._listed.index(cell)
        node = read_node(self._cells, self._key)
        count = len(self._listed)
        free_value(self._cells, self._allocator, cell)
        if count == 1:
            self._allocator.give_back(node.value_list)
            self._cells.put_u32(field(self._key, KEY_VALUE_LIST), NIL)
        else:
            at, _ = self._cells.place(node.value_list, 4 * count, "value list")
            tail = self._cells.data[at + 4 * position + 4 : at + 4 * count]
            self._cells.put(at + 4 * position, tail + bytes(4))
        self._cells.put_u32(field(self._key, KEY_VALUE_COUNT), count - 1)
        del self._listed[position], self._by_name[folded]
        return True

    def _add(self, name: str, type_: int, data: bytes) -> None:
        raw, latin_1 = encode_name(name)
        # The default value carries no flag, having no characters.
        flags = VALUE_ASCII_NAME if latin_1 and name else 0
        place = write_data(self._allocator, self._minor, data)
        cell = self._allocator.put(
            VALUE.pack(VALUE_SIGNATURE, len(raw), place.size, place.offset, type_, flags, 0) + raw
        )
        node = read_node(self._cells, self._key)
        count = len(self._listed)
        if not count:
            listed = self._allocator.take(4)
        else:
            listed = node.value_list
            _, room = self._cells.place(listed, 4 * count, "value list")
            if room < 4 * (count + 1):
                listed = self._allocator.resize(listed, 4 * (count + 1 + count // 4))
        at, _ = self._cells.place(listed, 4 * (count + 1), "value list")
        self._cells.put_u32(at + 4 * count, cell)
        self._cells.put_u32(field(self._key, KEY_VALUE_LIST), listed)
        self._cells.put_u32(field(self._key, KEY_VALUE_COUNT), count + 1)
        self._listed.append(cell)
        self._by_name[fold(name)] = cell
        self._raise(KEY_MAX_VALUE_NAME, utf16_size(name))

    def _raise(self, offset: int, length: int) -> None:
        """Make a greatest length of the key's at least `length`."""
        at = field(self._key, offset)
        if self._cells.u32(at) < length:
            self._cells.put_u32(at, length)


def free_value(cells: Cells, allocator: Allocator, cell: int) -> None:
    """Give back the cells of a value and of its data."""
    _, _, place = read_value(cells, cell)
    free_data(cells, allocator, place)
    allocator.give_back(cell)
