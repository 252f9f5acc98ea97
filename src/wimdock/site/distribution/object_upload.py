"""An upload in parts: begun, or gone on with where an interrupted one stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from wimdock.errors import ContentMismatch
from wimdock.site.distribution.object_parts import Part
from wimdock.site.distribution.object_store import ObjectStore, StoredPart, sha256_of
from wimdock.site.distribution.store import Job
from wimdock.wim import layout


class ObjectUpload:
    """One upload; `digests` has the SHA-256 of what was sent."""

    def __init__(
        self, store: ObjectStore, key: str, job: Job, parts: Sequence[Part], tag: str
    ) -> None:
        """Take the parts; `tag` is that of the object from which parts are copied."""
        self._store = store
        self._key = key
        self._job = job
        self._parts = parts
        self._tag = tag
        self._whole = hashlib.sha256()
        self._done: list[StoredPart] = []
        self._id = ""
        self.digests: dict[Part, bytes] = {}

    @property
    def sha256(self) -> str:
        """That of all that was sent or reused, in order: of the object, where nothing is copied."""
        return self._whole.hexdigest()

    def fill(self) -> None:
        """Bring every part to the store, but for those that it has."""
        there = self._begin()
        total = self._job.state.length
        for part in self._parts:
            self._job.watch.alive()
            stored = there.get(part.number)
            self._done.append(self._copy(part, stored) if part.copied else self._send(part, stored))
            self._job.watch.passed(part.end, total)

    def complete(self) -> None:
        """Make the object of the parts: the commit."""
        self._store.complete(self._key, self._id, self._done)

    def _begin(self) -> dict[int, StoredPart]:
        kept = self._job.watch.kept
        if kept.get("upload") and kept.get("copies") == self._copies():
            there = self._store.parts(self._key, str(kept["upload"]))
            if there is not None:
                self._id = str(kept["upload"])
                return there
        # Only one transfer of a content goes on at a time: what else there is was given up.
        for upload in self._store.uploads(self._key):
            self._store.abort(self._key, upload)
        self._id = self._store.begin(self._key)
        self._job.watch.keep({"upload": self._id, "copies": self._copies()})
        return {}

    def _copies(self) -> list[Any]:
        """Give by what copied parts are known again: the object, and which bytes of it."""
        copied = [[part.number, part.start, part.end] for part in self._parts if part.copied]
        return [self._tag, copied] if copied else []

    def _copy(self, part: Part, stored: StoredPart | None) -> StoredPart:
        if stored is not None and stored.size == part.size:
            return stored
        return self._store.copy(self._key, self._id, part, self._tag)

    def _send(self, part: Part, stored: StoredPart | None) -> StoredPart:
        data = self._data(part)
        self._whole.update(data)
        self.digests[part] = hashlib.sha256(data).digest()
        if stored is not None and stored.holds(data):
            self._job.watch.reused(part.size)
            return stored
        sent = self._store.send(self._key, self._id, part.number, data)
        self._job.watch.sent(part.size)
        if sent.sha256 and sent.sha256 != sha256_of(data):
            message = f"the object store took part {part.number} of {self._key} for something else"
            raise ContentMismatch(message)
        return sent

    def _data(self, part: Part) -> bytes:
        """Give the bytes of a part; the header is that of the state, whatever the file has now."""
        source = self._job.source
        if part.start:
            return source.read(part.start, part.size)
        rest = source.read(layout.HEADER_SIZE, part.size - layout.HEADER_SIZE)
        return self._job.state.header + rest
