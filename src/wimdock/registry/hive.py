"""A registry hive: opened from bytes, edited in place, given back as bytes."""

from __future__ import annotations

from wimdock.clock import Clock, SystemClock, to_filetime
from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.base_block import close_base_block, read_base_block
from wimdock.registry.blank import blank_hive
from wimdock.registry.cells import Cells
from wimdock.registry.key import Key
from wimdock.registry.layout import BASE, KEY_IS_ROOT
from wimdock.registry.node import read_node
from wimdock.registry.store import Store

_CLOCK = SystemClock()


class Hive:
    r"""An open hive.

    Paths have backslashes, begin below the root (`Microsoft\Windows`), and are compared without
    regard to case; "" is the root. Nothing is written anywhere: `to_bytes` gives the result. After
    MalformedHive from an edit the hive must be thrown away.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        """Wrap an open store; use `parse` or `empty`."""
        self._store = store

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview, *, clock: Clock = _CLOCK) -> Hive:
        """Open a copy of a hive's bytes; the clock gives the times of what will be edited.

        Raises DirtyHive for one that was not closed cleanly, MalformedHive for one that is damaged.
        Keys and values are checked when they are read.
        """
        copy = bytearray(data)
        block = read_base_block(copy)
        cells = Cells(copy, BASE + block.bins_size)
        cells.bins()
        if not read_node(cells, block.root).flags & KEY_IS_ROOT:
            message = "the hive's root key is none"
            raise MalformedHive(message)
        return cls(Store(cells, block.root, block.minor, clock))

    @classmethod
    def empty(cls, name: str, *, clock: Clock = _CLOCK) -> Hive:
        """Make a hive (version 1.5) that holds a root key and nothing else.

        The root belongs to the administrators; they and the system may do all, users read. `name`
        is what the base block carries as the file's name, such as SOFTWARE.
        """
        return cls.parse(blank_hive(name, to_filetime(clock.now())), clock=clock)

    @property
    def root(self) -> Key:
        """The root key."""
        return Key(self._store, self._store.root)

    @property
    def size(self) -> int:
        """What the hive takes now, in bytes."""
        return self._store.cells.end

    @property
    def modified(self) -> bool:
        """Tell whether anything was changed since the hive was opened or last given as bytes."""
        return self._store.modified

    def open_key(self, path: str) -> Key | None:
        """Give the key at a path, or None."""
        key: Key | None = self.root
        for part in _parts(path):
            if key is None:
                break
            key = key.subkey(part)
        return key

    def create_key(self, path: str, security: bytes | None = None) -> Key:
        """Give the key at a path, made with its parents where missing.

        `security` is for the key itself when it is new; parents share the descriptors above them.
        RegistryError where a key above it is a symbolic link.
        """
        parts = _parts(path)
        key = self.root
        for number, part in enumerate(parts, 1):
            if key.is_link:
                message = f"the registry key {key.path} is a symbolic link: nothing is put into it"
                raise RegistryError(message)
            key = key.create_subkey(part, security if number == len(parts) else None)
        return key

    def delete_key(self, path: str) -> bool:
        """Take the key at a path away with all below it; tell whether it was there."""
        *parents, name = _parts(path) or [""]
        if not name:
            message = "the root key of a hive cannot be deleted"
            raise RegistryError(message)
        parent = self.open_key("\\".join(parents))
        return parent is not None and parent.delete_subkey(name)

    def to_bytes(self) -> bytes:
        """Give the hive as a file, closed cleanly.

        Without edits these are the bytes it was opened from. With edits the sequence numbers are
        one further, the time is the clock's, and what lay beyond the last bin is gone.
        """
        store = self._store
        if store.modified:
            store.settle()
            cells = store.cells
            del cells.data[cells.end :]
            close_base_block(cells.data, cells.size, to_filetime(store.clock.now()))
            store.modified = False
        return bytes(store.cells.data)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("\\") if part]
