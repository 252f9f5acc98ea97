"""A folder that an edit has read into objects: its entries in stored order, found by name."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from wimdock.upcase import fold
from wimdock.wim.dentry import Entry


@dataclass(slots=True, eq=False)
class Item:
    """An entry of a folder that was read; `folder` is set where its own list was read too."""

    entry: Entry
    changed: bool = False
    folder: OpenFolder | None = None


class OpenFolder:
    """The entries of a folder that was read, in stored order, found by name at once."""

    __slots__ = ("_by_name", "_keys", "items")

    def __init__(self, entries: list[Entry]) -> None:
        """Take the entries as they were read."""
        self.items = [Item(entry) for entry in entries]
        self._keys = [_collation(entry.name) for entry in entries]
        self._by_name: dict[str, list[Item]] = {}
        for item in self.items:
            self._by_name.setdefault(fold(item.entry.name), []).append(item)

    def find(self, name: str) -> Item | None:
        """Give the item with a name: an exact match, else the first that differs by case only."""
        found = self._by_name.get(fold(name), [])
        exact = (item for item in found if item.entry.name == name)
        return next(exact, found[0] if found else None)

    def insert(self, item: Item) -> None:
        """Put it where its name belongs; the order of what is there already stays."""
        key = _collation(item.entry.name)
        at = bisect_left(self._keys, key)
        self._keys.insert(at, key)
        self.items.insert(at, item)
        self._by_name.setdefault(fold(item.entry.name), []).append(item)

    def remove(self, item: Item) -> None:
        """Take it out."""
        # Mostly a folder is in order; one of another producer need not be.
        at = bisect_left(self._keys, _collation(item.entry.name))
        if at == len(self.items) or self.items[at] is not item:
            at = next(index for index, other in enumerate(self.items) if other is item)
        del self.items[at], self._keys[at]
        self._by_name[fold(item.entry.name)].remove(item)


def _collation(name: str) -> tuple[bytes, bytes]:
    return (
        fold(name).encode("utf-16-be", "surrogatepass"),
        name.encode("utf-16-be", "surrogatepass"),
    )
