"""A copy of an image that is written to, and put back into its first state after every run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bench.process import BenchError

_HEADER = 208
_TAIL = 32 << 20
_PIECE = 1 << 20


class WorkingCopy:
    """A copy beside the pristine image. All that is measured only appends and writes the header.

    Cutting off what was appended and writing the header back is therefore as good as a fresh copy,
    and leaves the same part of the file in the page cache for whoever is next.
    """

    def __init__(self, pristine: Path, folder: Path) -> None:
        """Copy the image into a folder."""
        self._pristine = pristine
        self.path = folder / pristine.name
        shutil.copyfile(pristine, self.path)
        self._settle()

    def restore(self) -> None:
        """Make it what it was, nothing of it waiting to be written; BenchError where it is not."""
        with self._pristine.open("rb") as first, self.path.open("r+b") as mine:
            size = os.fstat(first.fileno()).st_size
            mine.truncate(size)
            mine.write(first.read(_HEADER))
            mine.flush()
            first.seek(max(0, size - _TAIL))
            mine.seek(first.tell())
            # By pieces: this process must stay small, see `bench.process.timed`.
            while piece := first.read(_PIECE):
                if piece != mine.read(_PIECE):
                    message = f"{self.path.name} was changed before its end: no fresh copy now"
                    raise BenchError(message)
        self._settle()

    def remove(self) -> None:
        """Delete it, so that no two large copies wait side by side."""
        self.path.unlink()

    def _settle(self) -> None:
        for beside in self.path.parent.glob(f"{self.path.name}.*"):
            beside.unlink()
        fd = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
