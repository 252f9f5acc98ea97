"""Bytes on their way into an open file at a folder point: sent, flushed, read back, compared."""

from __future__ import annotations

import hashlib
import os

from wimdock.errors import ContentMismatch
from wimdock.files import Disk, read_at
from wimdock.site.distribution.source import PIECE
from wimdock.site.distribution.store import Job
from wimdock.site.distribution.trouble import at_point
from wimdock.wim import layout

SEGMENT = 64 << 20
"""So many bytes are sent before they are flushed, read back and compared."""


class FolderTransfer:
    """One transfer into an open file."""

    def __init__(self, point: str, disk: Disk, fd: int, job: Job, segment: int) -> None:
        """Take a file that is open for reading and writing."""
        self._point = point
        self._disk = disk
        self._fd = fd
        self._job = job
        self._segment = segment
        self._whole = hashlib.sha256(job.state.header)

    @property
    def sha256(self) -> str:
        """That of the header and all that `body` went over: of the file, where it began there."""
        return self._whole.hexdigest()

    def body(self, start: int) -> None:
        """Make the file the same as the source from `start` to the committed end, and end there."""
        end = self._job.state.length
        at = self._go_over(start, end)
        with at_point(self._point):
            if os.fstat(self._fd).st_size > at:
                self._job.watch.alive()
                self._disk.truncate(self._fd, at)
        while at < end:
            stop = min(at + self._segment, end)
            self._send(at, stop)
            at = stop
            self._job.watch.passed(at, end)

    def header(self) -> None:
        """Write the header in one write, flush it and read it back."""
        self._job.watch.alive()
        header = self._job.state.header
        with at_point(self._point):
            self._disk.write_at(self._fd, header, 0)
            self._disk.flush(self._fd)
            self._job.watch.sent(len(header))
            self._forget(0, layout.HEADER_SIZE)
            found = read_at(self._fd, layout.HEADER_SIZE, 0)
        if found != header:
            raise arrived_otherwise(self._point, self._job.name)

    def _go_over(self, start: int, end: int) -> int:
        """Give how far the file is the same as the source already, segment by segment."""
        with at_point(self._point):
            size = os.fstat(self._fd).st_size
        self._forget(start, size - start)
        at = start
        while at < min(size, end):
            stop = min(at + self._segment, size, end)
            before = self._whole.copy()
            if self._from_source(at, stop) != self._from_point(at, stop):
                self._whole = before
                break
            self._job.watch.reused(stop - at)
            at = stop
            self._job.watch.passed(at, end)
        return at

    def _send(self, start: int, stop: int) -> None:
        ours = hashlib.sha256()
        at = start
        for piece in self._job.source.pieces(start, stop):
            ours.update(piece)
            self._whole.update(piece)
            self._job.watch.alive()
            with at_point(self._point):
                self._disk.write_at(self._fd, piece, at)
            at += len(piece)
            self._job.watch.sent(len(piece))
        with at_point(self._point):
            self._disk.flush(self._fd)
        self._forget(start, stop - start)
        if self._from_point(start, stop) != ours.digest():
            raise arrived_otherwise(self._point, self._job.name)

    def _from_source(self, start: int, stop: int) -> bytes:
        ours = hashlib.sha256()
        for piece in self._job.source.pieces(start, stop):
            self._job.watch.alive()
            ours.update(piece)
            self._whole.update(piece)
        return ours.digest()

    def _from_point(self, start: int, stop: int) -> bytes:
        theirs = hashlib.sha256()
        for offset in range(start, stop, PIECE):
            self._job.watch.alive()
            with at_point(self._point):
                theirs.update(read_at(self._fd, min(PIECE, stop - offset), offset))
        return theirs.digest()

    def _forget(self, offset: int, length: int) -> None:
        """Let what is read next come from the point, not from this machine's memory of it."""
        if length > 0:
            with at_point(self._point):
                os.posix_fadvise(self._fd, offset, length, os.POSIX_FADV_DONTNEED)


def arrived_otherwise(point: str, name: str) -> ContentMismatch:
    """Give the error for what reads back otherwise than it was sent."""
    return ContentMismatch(f"distribution point {point}: what was sent of {name} reads otherwise")
