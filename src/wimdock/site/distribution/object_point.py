"""A distribution point that is an S3-compatible object store.

An object is immutable: whoever reads it meanwhile gets the old one to its end. Order: an upload is
begun; its parts are sent, each with its hashes, which the store checks, or copied by the store from
the object as it was; then it is completed, which is the commit. At last what was sent is read back
and compared. A crash leaves the old object or the new one, and an upload that the next transfer
goes on with.

Idempotent by content: parts that an interrupted upload holds and whose hash is that of the source
are not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from wimdock.site.distribution.folder_transfer import arrived_otherwise
from wimdock.site.distribution.location import Location
from wimdock.site.distribution.object_parts import PART, plan_parts
from wimdock.site.distribution.object_store import ObjectStore
from wimdock.site.distribution.object_upload import ObjectUpload
from wimdock.site.distribution.route import Held, Way
from wimdock.site.distribution.store import Job
from wimdock.wim import layout


class ObjectPoint:
    """A prefix of a bucket; each file is one object below it."""

    def __init__(self, name: str, location: Location, part: int = PART) -> None:
        """Take the location; nothing is connected to."""
        self._name = name
        self._prefix = f"{location.prefix}/" if location.prefix else ""
        self._part = part
        self._store = ObjectStore(name, location)

    def close(self) -> None:
        """Close the connections."""
        self._store.close()

    def check(self) -> None:
        """Make sure that the bucket is there."""
        self._store.check()

    def look(self, name: str) -> Held | None:
        """Give what lies under a name."""
        found = self._store.head(self._prefix + name)
        if found is None:
            return None
        size, tag = found
        return Held(self.read(name, 0, layout.HEADER_SIZE) if size else b"", size, tag)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Give so many bytes; fewer at the end."""
        return b"".join(self._store.stream(self._prefix + name, offset, offset + size))

    def pieces(self, name: str, end: int) -> Iterator[bytes]:
        """Give the first `end` bytes of an object."""
        return self._store.stream(self._prefix + name, 0, end)

    def send(self, job: Job) -> str:
        """Make the object anew, of what the store has and what it is sent."""
        base = 0 if job.route.way is Way.WHOLE else job.route.base
        key = self._prefix + job.name
        parts = plan_parts(job.state.length, base, self._part)
        upload = ObjectUpload(self._store, key, job, parts, job.tag)
        upload.fill()
        is_whole = not any(part.copied for part in parts)
        job.watch.committing(upload.sha256 if is_whole else "")
        upload.complete()
        after = self.look(job.name)
        if after is None or (after.header, after.size) != (job.state.header, job.state.length):
            raise arrived_otherwise(self._name, job.name)
        self._read_back(job, upload)
        return after.tag

    def _read_back(self, job: Job, upload: ObjectUpload) -> None:
        for part, digest in upload.digests.items():
            found = hashlib.sha256()
            for piece in self._store.stream(self._prefix + job.name, part.start, part.end):
                job.watch.alive()
                found.update(piece)
            if found.digest() != digest:
                raise arrived_otherwise(self._name, job.name)

    def remove(self, name: str) -> None:
        """Remove an object, and the uploads of it that never ended."""
        key = self._prefix + name
        for upload in self._store.uploads(key):
            self._store.abort(key, upload)
        self._store.delete(key)
