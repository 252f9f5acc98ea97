"""A registry key, as people see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from wimdock.clock import from_filetime
from wimdock.errors import RegistryError
from wimdock.registry.layout import KEY_IS_LINK, LINK_VALUE, KeyNode
from wimdock.registry.node import node_class, node_name, read_child, read_node
from wimdock.registry.store import Store
from wimdock.registry.subkeys import subkey_cells
from wimdock.registry.value import Value
from wimdock.registry.value_data import read_data
from wimdock.registry.values import read_value, value_cells


class Key:
    """A key of an open hive. Names are compared without regard to case.

    Every use reads the hive, so a Key sees all edits; one whose key was deleted raises
    RegistryError. Reading raises MalformedHive where the hive is damaged.
    """

    __slots__ = ("_cell", "_life", "_store")

    def __init__(self, store: Store, cell: int) -> None:
        """Wrap the key in a cell; keys are got from a Hive or from another Key."""
        self._store = store
        self._cell = cell
        self._life = store.deaths.get(cell, 0)

    def _node(self) -> KeyNode:
        if self._store.deaths.get(self._cell, 0) != self._life:
            message = "the registry key was deleted"
            raise RegistryError(message)
        return read_node(self._store.cells, self._cell)

    @property
    def name(self) -> str:
        """The name, as written."""
        return node_name(self._store.cells, self._cell, self._node())

    @property
    def path(self) -> str:
        r"""The path from the hive's root, such as `Microsoft\Windows`; "" for the root."""
        self._node()
        return "\\".join(self._store.ancestry(self._cell))

    @property
    def last_written(self) -> datetime | None:
        """When the key was last changed (UTC); None for a time that is none."""
        return from_filetime(self._node().written)

    @property
    def class_name(self) -> str:
        """The class name; "" where it has none."""
        return node_class(self._store.cells, self._node())

    @property
    def security(self) -> bytes:
        """The self-relative security descriptor; nothing where it has none."""
        return self._store.security.descriptor(self._node().security)

    @property
    def flags(self) -> int:
        """The flags, as stored (layout.KEY_...)."""
        return self._node().flags

    @property
    def is_link(self) -> bool:
        """Tell whether the key is a symbolic link; links are never followed here."""
        return bool(self.flags & KEY_IS_LINK)

    @property
    def subkey_count(self) -> int:
        """How many subkeys there are."""
        return len(subkey_cells(self._store.cells, self._node()))

    @property
    def value_count(self) -> int:
        """How many values there are."""
        return len(value_cells(self._store.cells, self._node()))

    def subkeys(self) -> Iterator[Key]:
        """Give the subkeys that there are at this moment, ordered as stored."""
        store, cell = self._store, self._cell
        cells = subkey_cells(store.cells, self._node())
        for sub in cells:
            read_child(store.cells, sub, cell)
        return iter([Key(store, sub) for sub in cells])

    def subkey(self, name: str) -> Key | None:
        """Give the subkey of that name (a name, not a path)."""
        self._node()
        cell = self._store.subkeys(self._cell).find(name)
        return None if cell is None else Key(self._store, cell)

    def values(self) -> Iterator[Value]:
        """Give the values that there are at this moment, in the order of their making."""
        cells = self._store.cells
        found = []
        for cell in value_cells(cells, self._node()):
            name, type_, place = read_value(cells, cell)
            found.append(Value(name, type_, read_data(cells, place)))
        return iter(found)

    def value(self, name: str = "") -> Value | None:
        """Give the value of that name; "" is the default one."""
        self._node()
        return self._store.values(self._cell).find(name)

    def set_value(self, name: str, type: int, data: bytes) -> None:  # noqa: A002
        """Make a value or replace it; one that is so already is left as it is.

        RegistryError for a key that is a symbolic link: it holds where it leads and nothing else.
        """
        if self.is_link and name != LINK_VALUE:
            message = f"the registry key {self.path} is a symbolic link: nothing is put into it"
            raise RegistryError(message)
        self._store.set_value(self._cell, name, type, bytes(data))

    def delete_value(self, name: str) -> bool:
        """Take a value away; tell whether it was there."""
        self._node()
        return self._store.delete_value(self._cell, name)

    def create_subkey(self, name: str, security: bytes | None = None) -> Key:
        """Give the subkey of that name, made where it is missing.

        A new one gets the self-relative descriptor given, or shares that of this key.
        """
        self._node()
        cell = self._store.subkeys(self._cell).find(name)
        if cell is None:
            cell = self._store.create(self._cell, name, security)
        return Key(self._store, cell)

    def delete_subkey(self, name: str) -> bool:
        """Take a subkey away with all that is below it; tell whether it was there."""
        self._node()
        cell = self._store.subkeys(self._cell).find(name)
        if cell is None:
            return False
        self._store.delete(cell)
        return True

    def set_security(self, descriptor: bytes) -> None:
        """Replace the descriptor by another self-relative one."""
        self._node()
        self._store.set_security(self._cell, bytes(descriptor))

    def set_class_name(self, class_name: str) -> None:
        """Set the class name, or take it away with ""."""
        self._node()
        self._store.set_class(self._cell, class_name)

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same key of the same open hive."""
        return (
            isinstance(other, Key)
            and other._store is self._store
            and (other._cell, other._life) == (self._cell, self._life)
        )

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash((id(self._store), self._cell, self._life))

    def __repr__(self) -> str:
        """Name the cell: the name may be unreadable."""
        return f"<Key at 0x{self._cell:X}>"
