"""Which catalog of an update vouches for which manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wimdock.cbs.catalog import MAX_CATALOG, Catalog, parse_catalog
from wimdock.cbs.contents import Contents, fold_name, read_content
from wimdock.errors import CorruptPackage, MalformedPackage


class Coverage:
    """The catalogs of an update by name, and which of its manifests they have been asked for."""

    __slots__ = ("_catalogs", "all_covered", "unreadable", "verified")

    def __init__(self, contents: Contents) -> None:
        """Read every .cat file; one that cannot be read is in `unreadable` with its reason."""
        self._catalogs: dict[str, tuple[Path, Catalog]] = {}
        self.unreadable: dict[str, str] = {}
        self.verified = 0
        self.all_covered = True
        for file in contents.ending(".cat"):
            try:
                catalog = parse_catalog(read_content(file, MAX_CATALOG), file.name)
            except MalformedPackage as error:
                self.unreadable[file.name] = error.message
            else:
                self._catalogs[fold_name(file.name)] = (file.path, catalog)

    @property
    def any(self) -> bool:
        """Tell whether there is a catalog at all, readable or not."""
        return bool(self._catalogs or self.unreadable)

    def find(self, data: bytes, what: str, preferred: Iterable[str] = ()) -> Path | None:
        """Give the catalog that lists the hash of `data`: a preferred one, or any.

        None where the update has no catalogs, or some that cannot be read; CorruptPackage where all
        could be read and none lists it.
        """
        wanted = [self._catalogs.get(fold_name(name)) for name in preferred]
        entries = [entry for entry in wanted if entry is not None]
        for path, catalog in (*entries, *self._catalogs.values()):
            if catalog.covers(data):
                self.verified += 1
                return path
        if self._catalogs and not self.unreadable:
            message = f"{what} has a hash that no catalog of the package lists"
            raise CorruptPackage(message)
        self.all_covered = False
        return None
