"""Counting what an edit changes: references to content, and the figures in the XML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from wimdock.wim.dentry import Entry
from wimdock.wim.xml import ImageCounts


class Tally:
    """By how much references and figures have changed; `links` counts the names of every file."""

    def __init__(self, links: Counter[int], size_of: Callable[[bytes], int]) -> None:
        """Start at no change, with the names that each hard-link group has now."""
        self.references: Counter[bytes] = Counter()
        self._links = links
        self._size_of = size_of
        self._directories = self._files = self._bytes = self._link_bytes = 0

    @property
    def counts(self) -> ImageCounts:
        """The change of the figures."""
        return ImageCounts(self._directories, self._files, self._bytes, self._link_bytes)

    def count(self, entry: Entry, sign: int) -> None:
        """Count an entry that comes (1) or goes (-1)."""
        for sha1 in entry.hashes:
            self.references[sha1] += sign
        size = sum(self._size_of(sha1) for sha1 in entry.hashes)
        self._bytes += sign * size
        if entry.is_directory and not entry.is_reparse_point:  # as `counts` counts
            self._directories += sign
        else:
            self._files += sign
        group = entry.hard_link_group
        if group:
            before = max(self._links[group] - 1, 0)
            self._links[group] += sign
            self._link_bytes += (max(self._links[group] - 1, 0) - before) * size
