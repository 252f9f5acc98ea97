"""Which catalog of an update vouches for which manifest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wimdock.cbs.catalog import MAX_CATALOG, digests_of, parse_catalog
from wimdock.cbs.contents import Contents, fold_name
from wimdock.cbs.spool import on_disk
from wimdock.errors import CorruptPackage, MalformedPackage


class Coverage:
    """The hashes that the catalogs of an update list, each with the catalogs that list it.

    `all_covered` tells whether every manifest asked for so far was listed, `verified` counts them.
    """

    __slots__ = ("_listed", "_readable", "all_covered", "unreadable", "verified")

    def __init__(self, contents: Contents) -> None:
        """Read every .cat file; one that cannot be read is in `unreadable` with its reason."""
        self._listed: dict[bytes, dict[str, Path]] = {}
        self._readable = 0
        self.unreadable: dict[str, str] = {}
        self.verified = 0
        self.all_covered = True
        for file in contents.ending(".cat"):
            try:
                catalog = parse_catalog(file.read(MAX_CATALOG), file.name)
            except MalformedPackage as error:
                self.unreadable[file.name] = error.message
            else:
                self._readable += 1
                for digest in catalog.usable:
                    self._listed.setdefault(digest, {})[fold_name(file.name)] = on_disk(file)

    @property
    def any(self) -> bool:
        """Tell whether there is a catalog at all, readable or not."""
        return bool(self._readable or self.unreadable)

    def find(self, data: bytes, what: str, preferred: Iterable[str] = ()) -> Path | None:
        """Give the catalog that lists the hash of `data`: a preferred one, or any.

        None where the update has no catalogs, or some that cannot be read; CorruptPackage where all
        could be read and none lists it.
        """
        for digest in digests_of(data) if self._readable else ():
            catalogs = self._listed.get(digest)
            if catalogs:
                self.verified += 1
                names = (fold_name(name) for name in (*preferred, *catalogs))
                return next(catalogs[name] for name in names if name in catalogs)
        if self._readable and not self.unreadable:
            message = f"{what} has a hash that no catalog of the package lists"
            raise CorruptPackage(message)
        self.all_covered = False
        return None
