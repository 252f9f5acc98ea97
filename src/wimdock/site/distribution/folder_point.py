"""A distribution point that is a folder: of this machine, or a mount of NFS or SMB.

Plain file operations only: no locks are taken there, and no extended attributes are needed. Order
of writes, tail: the appended tail behind the committed end, flushed, read back and compared; then
the 208-byte header over the old one, flushed and read back. That one write is the commit. Whole
file: all but the header into `.<name>.part` beside it, flushed, read back and compared; its header;
then the rename over the name, which is the commit. A crash leaves the old file or the new one.

Idempotent by content: what an interrupted transfer left is compared with the source, segment by
segment, and what is the same is not sent again.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wimdock.errors import DistributionError, PointDown, StorageError
from wimdock.files import Disk, read_at
from wimdock.site.distribution.folder_transfer import (
    SEGMENT,
    FolderTransfer,
    arrived_otherwise,
)
from wimdock.site.distribution.route import Held, Way
from wimdock.site.distribution.source import PIECE
from wimdock.site.distribution.store import Job
from wimdock.site.distribution.trouble import at_point
from wimdock.wim import layout

MARK_NAME = "wimdock-point.json"
"""The file by which a folder is known again: an unmounted mount is an empty folder."""

_LARGEST_MARK = 4096
# What a mount answers that cannot flush a folder: the rename is then as durable as it gets there.
_CANNOT_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


@dataclass(frozen=True, slots=True)
class Mark:
    """What is in the file: the site's UUID and code, the point's name, and a UUID of the point.

    A site that is restored from a backup has another UUID, and the same points.
    """

    site: str
    code: str
    name: str
    point: str


class FolderPoint:
    """A folder point; `mark` is what was written there when it was added, or taken over."""

    def __init__(
        self, name: str, folder: Path, mark: Mark, disk: Disk, segment: int = SEGMENT
    ) -> None:
        """Take the folder; nothing is opened."""
        self._name = name
        self._folder = folder
        self._mark = mark
        self._disk = disk
        self._segment = segment

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def check(self) -> None:
        """Make sure that the folder is there and bears the mark."""
        found = self.read_mark()
        if found is None:
            message = f"distribution point {self._name}: {self._folder} lacks {MARK_NAME}"
            raise PointDown(message, hint="Is it mounted? The file was written when it was added.")
        if found.get("point") != self._mark.point:
            message = f"{self._folder} is another distribution point than {self._name}"
            raise DistributionError(
                message, hint="Mount the right folder, or remove the point and add it again."
            )
        if found.get("site") != self._mark.site:
            message = (
                f"distribution point {self._name}: {self._folder} is served by another site: "
                "one that this one was restored from, or one that was restored from this one"
            )
            hint = f"Stop that site, then take it over: wimdock distribution enable {self._name}."
            raise DistributionError(message, hint=hint)

    def read_mark(self) -> dict[str, Any] | None:
        """Give the mark of the folder; None for a folder that has none."""
        with at_point(self._name):
            if not self._folder.is_dir():
                message = f"distribution point {self._name}: {self._folder} is no folder now"
                raise PointDown(message, hint="Make or mount it, then send again.")
            try:
                fd = os.open(self._folder / MARK_NAME, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            try:
                text = read_at(fd, _LARGEST_MARK, 0)
            finally:
                os.close(fd)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        return document if isinstance(document, dict) else {}

    def write_mark(self) -> None:
        """Mark the folder as this point of this site."""
        text = json.dumps(asdict(self._mark), indent=1).encode() + b"\n"
        target = self._folder / MARK_NAME
        part = target.with_name(f".{MARK_NAME}.part")
        with at_point(self._name):
            with self._opened(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC) as fd:
                self._disk.write_at(fd, text, 0)
                self._disk.flush(fd)
            self._rename(part, target)

    def take_over(self) -> bool:
        """Mark the folder anew where it is this point of another site; tell whether it was."""
        found = self.read_mark() or {}
        if found.get("point") != self._mark.point or found.get("site") == self._mark.site:
            return False
        self.write_mark()
        return True

    def remove_mark(self) -> None:
        """Take the mark away."""
        with at_point(self._name), suppress(FileNotFoundError):
            (self._folder / MARK_NAME).unlink()

    # Reading

    def look(self, name: str) -> Held | None:
        """Give what lies under a name; what is no plain file holds nothing of use."""
        with at_point(self._name):
            try:
                fd = self._open(name, os.O_RDONLY | os.O_NONBLOCK)
            except FileNotFoundError:
                return None
            except OSError as error:
                if error.errno != errno.ELOOP:
                    raise
                return Held(b"", 0)
            try:
                found = os.fstat(fd)
                if not stat.S_ISREG(found.st_mode):
                    return Held(b"", 0)
                return Held(read_at(fd, layout.HEADER_SIZE, 0), found.st_size)
            finally:
                os.close(fd)

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Give so many bytes of a file; fewer at its end."""
        with at_point(self._name), self._opened(name, os.O_RDONLY) as fd:
            return read_at(fd, size, offset)

    def pieces(self, name: str, end: int) -> Iterator[bytes]:
        """Give the first `end` bytes of a file, as the point has them."""
        with self._opened(name, os.O_RDONLY) as fd:
            with at_point(self._name):
                os.posix_fadvise(fd, 0, end, os.POSIX_FADV_DONTNEED)
            for offset in range(0, end, PIECE):
                with at_point(self._name):
                    piece = read_at(fd, min(PIECE, end - offset), offset)
                yield piece

    # Sending

    def send(self, job: Job) -> str:
        """Bring the file into the state of the job."""
        target = self._folder / job.name
        self._refuse_source(target, job)
        if job.route.way is Way.WHOLE:
            return self._send_whole(target, job)
        with self._opened(target, os.O_RDWR) as fd:
            transfer = FolderTransfer(self._name, self._disk, fd, job, self._segment)
            if job.route.way is Way.TAIL:
                transfer.body(job.route.base)
            job.watch.committing()
            transfer.header()
            return ""

    def _send_whole(self, target: Path, job: Job) -> str:
        part = target.with_name(f".{target.name}.part")
        self._make_folder(target.parent)
        with self._opened(part, os.O_RDWR | os.O_CREAT) as fd:
            self._need_space(fd, job)
            transfer = FolderTransfer(self._name, self._disk, fd, job, self._segment)
            transfer.body(layout.HEADER_SIZE)
            transfer.header()
        job.watch.committing(transfer.sha256)
        with at_point(self._name):
            self._rename(part, target)
        found = self.look(job.name)
        if found is None or (found.header, found.size) != (job.state.header, job.state.length):
            raise arrived_otherwise(self._name, job.name)
        return ""

    def _make_folder(self, folder: Path) -> None:
        with at_point(self._name):
            if not folder.is_dir() or folder.is_symlink():
                folder.mkdir()
                self._flush_folder(folder.parent)

    def _need_space(self, fd: int, job: Job) -> None:
        """Refuse at once what would not fit in the end."""
        with at_point(self._name):
            volume = os.fstatvfs(fd)
            needed = job.state.length - os.fstat(fd).st_size
            if volume.f_blocks and needed > volume.f_bavail * volume.f_frsize:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._folder))

    def _refuse_source(self, target: Path, job: Job) -> None:
        with at_point(self._name):
            try:
                same = os.path.samestat(target.stat(), job.source.stat())
            except FileNotFoundError:
                return
        if same:
            message = f"{target} is the image package's own file"
            hint = "A distribution point is another place than the source."
            raise DistributionError(message, hint=hint)

    # Removing

    def remove(self, name: str) -> None:
        """Remove a file, its half-sent copy, and the package's folder where it is empty then."""
        target = self._folder / name
        with at_point(self._name):
            if target.parent.is_symlink():
                message = f"{target.parent} is a link that wimdock did not make"
                raise DistributionError(message, hint="Remove it yourself.")
            for path in (target.with_name(f".{target.name}.part"), target):
                with suppress(FileNotFoundError):
                    path.unlink()
            with suppress(FileNotFoundError):
                try:
                    target.parent.rmdir()
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                        raise
                    self._flush_folder(target.parent)  # somebody else's files are in it
            self._flush_folder(self._folder)

    # How files are opened and folders flushed

    def _open(self, name: str | Path, flags: int) -> int:
        path = self._folder / name
        if path.parent != self._folder and path.parent.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path.parent))
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    @contextmanager
    def _opened(self, name: str | Path, flags: int) -> Iterator[int]:
        with at_point(self._name):
            fd = self._open(name, flags)
        try:
            yield fd
        finally:
            with at_point(self._name):
                os.close(fd)

    def _rename(self, part: Path, target: Path) -> None:
        try:
            self._disk.replace(part, target)
        except StorageError as error:
            if not _cannot_flush(error) or part.exists():
                raise

    def _flush_folder(self, folder: Path) -> None:
        try:
            self._disk.flush_folder(folder)
        except StorageError as error:
            if not _cannot_flush(error):
                raise


def _cannot_flush(error: StorageError) -> bool:
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in _CANNOT_FLUSH
