"""The subkey lists of a key, read and edited in place.

A list is one leaf (`lf`, `lh`: offset and hint or hash of the name; `li`: offset alone) or a root
(`ri`) over leaves, ordered by name. Adding a key shifts the tail of one leaf, which has some slack;
a full leaf is split in two under a root. So the cost of an edit, and what it adds to the file, does
not depend on how many keys there are beside it.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.allocator import Allocator
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    BASE,
    CELL_HEADER,
    KEY,
    KEY_SUBKEY_COUNT,
    KEY_SUBKEY_LIST,
    LIST_HASHED,
    LIST_HEADER,
    LIST_HINTED,
    LIST_PLAIN,
    LIST_ROOT,
    MAX_LEAF,
    MAX_LIST,
    MINOR_WITH_HASHES,
    NIL,
    U32,
    KeyNode,
)
from wimdock.registry.names import name_hash, name_hint
from wimdock.registry.node import field, node_name, read_child, read_node
from wimdock.upcase import fold

_ENTRY_SIZES = {LIST_HASHED: 8, LIST_HINTED: 8, LIST_PLAIN: 4}
_HEADER = LIST_HEADER.size


def _read_list(cells: Cells, cell: int) -> tuple[bytes, list[int]]:
    """Give the signature of a list and the offsets in it."""
    at, size = cells.place(cell, _HEADER, "subkey list")
    signature, count = LIST_HEADER.unpack_from(cells.data, at)
    entry = U32.size if signature == LIST_ROOT else _ENTRY_SIZES.get(signature, 0)
    if not entry or count * entry > size - _HEADER:
        message = f"no valid subkey list at 0x{cell:X}"
        raise MalformedHive(message)
    words = cells.offsets(at + _HEADER, count * entry // 4)
    return signature, words if entry == U32.size else words[::2]


def _read_leaves(cells: Cells, node: KeyNode) -> tuple[int, list[tuple[int, bytes, list[int]]]]:
    """Give the root's cell (or NIL) and every leaf: its cell, its signature, its keys."""
    if not node.subkey_count:
        return NIL, []
    # A key takes 80 bytes at least: this bounds what a hostile file can make us collect.
    room = cells.size // KEY.size
    if node.subkey_count > room:
        message = f"a key states {node.subkey_count} subkeys, more than the hive can hold"
        raise MalformedHive(message)
    signature, offsets = _read_list(cells, node.subkey_list)
    if signature != LIST_ROOT:
        root, leaves = NIL, [(node.subkey_list, signature, offsets)]
    else:
        root, leaves = node.subkey_list, []
        for cell in offsets:
            signature, keys = _read_list(cells, cell)
            room -= len(keys)
            if signature == LIST_ROOT or not keys or room < 0:
                message = f"the subkey list at 0x{root:X} is not a root over leaves"
                raise MalformedHive(message)
            leaves.append((cell, signature, keys))
    total = sum(len(keys) for _, _, keys in leaves)
    if total != node.subkey_count or len({key for _, _, keys in leaves for key in keys}) != total:
        message = f"a key states {node.subkey_count} subkeys and lists others"
        raise MalformedHive(message)
    return root, leaves


def subkey_cells(cells: Cells, node: KeyNode) -> list[int]:
    """Give the cells of a key's subkeys, in order; what they hold is not checked."""
    return [key for _, _, keys in _read_leaves(cells, node)[1] for key in keys]


def list_cells(cells: Cells, node: KeyNode) -> list[int]:
    """Give the cells that a key's subkey lists take."""
    root, leaves = _read_leaves(cells, node)
    return [cell for cell, _, _ in leaves] + ([] if root == NIL else [root])


@dataclass(slots=True)
class _Leaf:
    """One leaf: its cell, and for each key its folded name and its cell."""

    cell: int
    signature: bytes
    names: list[str]
    keys: list[int]

    @property
    def entry(self) -> int:
        return _ENTRY_SIZES[self.signature]


class SubkeyIndex:
    """The subkeys of one key by name, kept in step with the lists in the hive."""

    __slots__ = ("_allocator", "_by_name", "_cells", "_key", "_leaves", "_minor", "_root", "_sound")

    def __init__(self, cells: Cells, allocator: Allocator, minor: int, key: int) -> None:
        """Read the lists of the key at cell `key`; `minor` is the version of the hive."""
        self._cells = cells
        self._allocator = allocator
        self._minor = minor
        self._key = key
        self._by_name: dict[str, int] = {}
        self._leaves: list[_Leaf] = []
        self._root, leaves = _read_leaves(cells, read_node(cells, key))
        everything: list[str] = []
        for cell, signature, keys in leaves:
            names = [fold(node_name(cells, sub, read_child(cells, sub, key))) for sub in keys]
            self._leaves.append(_Leaf(cell, signature, names, keys))
            everything += names
            for name, sub in zip(names, keys, strict=True):
                self._by_name.setdefault(name, sub)
        if len(self._by_name) != len(everything):
            message = f"the key at 0x{key:X} has two subkeys of one name"
            raise MalformedHive(message)
        self._sound = everything == sorted(everything)

    def __len__(self) -> int:
        """Count the subkeys."""
        return len(self._by_name)

    def find(self, name: str) -> int | None:
        """Give the cell of the subkey of that name."""
        return self._by_name.get(fold(name))

    def add(self, name: str, key: int) -> None:
        """List the key at cell `key` under a name that is not taken."""
        if not self._sound:
            self._sort()
        folded = fold(name)
        if self._leaves:
            number = max(0, self._leaf_of(folded))
            place = bisect_left(self._leaves[number].names, folded)
            if len(self._leaves[number].keys) >= MAX_LEAF:
                number, place = self._split(number, place)
            self._insert(number, place, name, key)
        else:
            signature = LIST_HASHED if self._minor >= MINOR_WITH_HASHES else LIST_HINTED
            self._leaves = [self._new_leaf(signature, [(name, key)])]
            self._point_at(self._leaves[0].cell)
        self._by_name[folded] = key
        self._count()

    def remove(self, name: str) -> None:
        """Take the key of that name off the lists."""
        folded = fold(name)
        key = self._by_name[folded]
        candidates = [max(0, self._leaf_of(folded))] if self._sound else range(len(self._leaves))
        for number in candidates:
            if key in self._leaves[number].keys:
                self._drop(number, self._leaves[number].keys.index(key))
                break
        del self._by_name[folded]
        self._count()

    def _leaf_of(self, folded: str) -> int:
        """Give the last leaf that begins at or before a name; -1 where there is none."""
        low, high = 0, len(self._leaves)
        while low < high:
            middle = (low + high) // 2
            if self._leaves[middle].names[0] <= folded:
                low = middle + 1
            else:
                high = middle
        return low - 1

    def _count(self) -> None:
        self._cells.put_u32(field(self._key, KEY_SUBKEY_COUNT), len(self._by_name))

    def _point_at(self, cell: int) -> None:
        self._cells.put_u32(field(self._key, KEY_SUBKEY_LIST), cell)

    def _hint(self, signature: bytes, name: str) -> bytes:
        if signature == LIST_HASHED:
            return U32.pack(name_hash(name))
        return name_hint(name) if signature == LIST_HINTED else b""

    def _new_leaf(self, signature: bytes, named: list[tuple[str, int]]) -> _Leaf:
        content = LIST_HEADER.pack(signature, len(named)) + b"".join(
            U32.pack(key) + self._hint(signature, name) for name, key in named
        )
        cell = self._allocator.put(content)
        return _Leaf(cell, signature, [fold(name) for name, _ in named], [key for _, key in named])

    def _place(self, leaf: _Leaf) -> tuple[int, int]:
        """Give where a leaf lies and its size, which holds all its keys."""
        return self._cells.place(leaf.cell, _HEADER + len(leaf.keys) * leaf.entry, "subkey list")

    def _insert(self, number: int, place: int, name: str, key: int) -> None:
        leaf = self._leaves[number]
        count = len(leaf.keys)
        at, size = self._place(leaf)
        if size < _HEADER + (count + 1) * leaf.entry:
            roomy = min(MAX_LEAF, count + 1 + count // 4)
            leaf.cell = self._allocator.resize(leaf.cell, _HEADER + roomy * leaf.entry)
            self._repoint(number)
            at = BASE + leaf.cell + CELL_HEADER
        start = at + _HEADER + place * leaf.entry
        tail = self._cells.data[start : at + _HEADER + count * leaf.entry]
        self._cells.put(start, U32.pack(key) + self._hint(leaf.signature, name) + tail)
        self._cells.put_u16(at + 2, count + 1)
        leaf.names.insert(place, fold(name))
        leaf.keys.insert(place, key)

    def _drop(self, number: int, place: int) -> None:
        leaf = self._leaves[number]
        count = len(leaf.keys)
        if count == 1:
            self._allocator.give_back(leaf.cell)
            del self._leaves[number]
            self._write_root()
            return
        at, _ = self._place(leaf)
        start = at + _HEADER + place * leaf.entry
        end = at + _HEADER + count * leaf.entry
        self._cells.put(start, self._cells.data[start + leaf.entry : end] + bytes(leaf.entry))
        self._cells.put_u16(at + 2, count - 1)
        del leaf.names[place], leaf.keys[place]

    def _split(self, number: int, place: int) -> tuple[int, int]:
        """Make two leaves of one; give where the place lies now.

        Keys that come in order fill their leaves: at the end of the last leaf a new one begins.
        """
        leaf = self._leaves[number]
        if len(self._leaves) >= MAX_LIST:
            message = "a registry key cannot take any more subkeys"
            raise RegistryError(message)
        at_end = number == len(self._leaves) - 1 and place == len(leaf.keys)
        half = len(leaf.keys) - 1 if at_end else len(leaf.keys) // 2
        at, _ = self._place(leaf)
        start = at + _HEADER + half * leaf.entry
        moved = self._cells.data[start : at + _HEADER + len(leaf.keys) * leaf.entry]
        count = len(leaf.keys) - half
        right = _Leaf(
            self._allocator.put(LIST_HEADER.pack(leaf.signature, count) + moved),
            leaf.signature,
            leaf.names[half:],
            leaf.keys[half:],
        )
        self._cells.put_u16(BASE + leaf.cell + CELL_HEADER + 2, half)
        leaf.cell = self._allocator.resize(leaf.cell, _HEADER + half * leaf.entry)
        del leaf.names[half:], leaf.keys[half:]
        self._leaves.insert(number + 1, right)
        self._write_root()
        return (number, place) if place <= half else (number + 1, place - half)

    def _repoint(self, number: int) -> None:
        """Write down that a leaf has moved."""
        if self._root == NIL:
            self._point_at(self._leaves[number].cell)
        else:
            minimum = _HEADER + 4 * len(self._leaves)
            at, _ = self._cells.place(self._root, minimum, "subkey list")
            self._cells.put_u32(at + _HEADER + 4 * number, self._leaves[number].cell)

    def _write_root(self) -> None:
        """Write the root anew after leaves came or went; a single leaf needs none."""
        count = len(self._leaves)
        if self._root == NIL and count > 1:
            self._root = self._allocator.take(_HEADER + 4 * count)
        elif self._root != NIL and not count:
            self._allocator.give_back(self._root)
            self._root = NIL
        if self._root == NIL:
            self._point_at(self._leaves[0].cell if count else NIL)
            return
        content = LIST_HEADER.pack(LIST_ROOT, count) + b"".join(
            U32.pack(leaf.cell) for leaf in self._leaves
        )
        _, size = self._cells.place(self._root, _HEADER, "subkey list")
        if size < len(content):
            self._root = self._allocator.resize(self._root, len(content) + count)
        self._cells.put(BASE + self._root + CELL_HEADER, content)
        self._point_at(self._root)

    def _sort(self) -> None:
        """Write the lists anew, in order: another program left them without."""
        keys = [key for leaf in self._leaves for key in leaf.keys]
        named = [(node_name(self._cells, key, read_node(self._cells, key)), key) for key in keys]
        named.sort(key=lambda pair: fold(pair[0]))
        signature = self._leaves[0].signature
        for leaf in self._leaves:
            self._allocator.give_back(leaf.cell)
        self._leaves = [
            self._new_leaf(signature, named[start : start + MAX_LEAF])
            for start in range(0, len(named), MAX_LEAF)
        ]
        self._write_root()
        self._sound = True
