"""The image file at its source, read while others may write it.

A writer only appends behind the committed end and then flips the header. So what lies between the
header and the committed end of a state stays as it is for as long as the file is in that state, or
in one made from it. Whether it still is must be asked before what was read is given to anybody: a
rollback frees the tail, and the next writer writes over it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from wimdock.errors import ImageBusy, StorageError
from wimdock.files import open_file, read_at, real_path, refuse_special, storage_error
from wimdock.wim import layout
from wimdock.wim.archive import Archive
from wimdock.wim.generations import Generation, current_generation, read_generations
from wimdock.wim.header import Header

PIECE = 1 << 20
"""So many bytes are read at once."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """A committed state: its header, and its length in bytes up to the committed end.

    `records` are the recorded generations, oldest first, and `current` that of this state, None
    where the file has no record of it.
    """

    header: bytes
    length: int
    records: tuple[Generation, ...] = ()
    current: Generation | None = None


class Source:
    """An open image file. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the file for reading; no lock is taken."""
        self.path = real_path(path)
        refuse_special(self.path)
        self._fd = open_file(self.path)

    def __enter__(self) -> Self:
        """Give the source itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        os.close(self._fd)

    def stat(self) -> os.stat_result:
        """Give what the system says of the open file."""
        return os.fstat(self._fd)

    def state(self) -> SourceState:
        """Give the state that the file is in; ImageError where it is no whole WIM file."""
        self._reopen()
        raw = read_at(self._fd, layout.HEADER_SIZE, 0)
        header = Header.parse(raw)
        if header.flags & layout.FLAG_WRITE_IN_PROGRESS:
            message = f"another program writes {self.path}, or was stopped while it did"
            raise ImageBusy(message, hint="Wait until it has ended; else check it: wimdock verify.")
        length = Archive(self._fd, self.path, raw).committed_end
        records = tuple(read_generations(self.path))
        return SourceState(raw, length, records, current_generation(list(records), raw))

    def is_still(self, state: SourceState) -> bool:
        """Tell whether the file is in the state that it was in, and is the same file."""
        try:
            if not os.path.samestat(os.fstat(self._fd), self.path.stat()):
                return False
        except OSError:
            return False
        raw = read_at(self._fd, layout.HEADER_SIZE, 0)
        # The same header may come again with other content after a rollback; its record differs.
        found = current_generation(read_generations(self.path), raw)
        return raw == state.header and _same(found, state.current)

    def read(self, offset: int, size: int) -> bytes:
        """Give exactly so many bytes; StorageError where the file ends before."""
        data = read_at(self._fd, size, offset)
        if len(data) != size:
            message = f"{self.path} has become shorter while it was read"
            raise StorageError(message, hint="Another program changed it: run the command again.")
        return data

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """Give the bytes from `start` to `end`, piece by piece."""
        for offset in range(start, end, PIECE):
            yield self.read(offset, min(PIECE, end - offset))

    def sha256(self, header: bytes, length: int, alive: Callable[[], None]) -> str:
        """Give the SHA-256 of a state, in hexadecimal; `alive` is called for every piece."""
        found = hashlib.sha256(header)
        for piece in self.pieces(layout.HEADER_SIZE, length):
            alive()
            found.update(piece)
        return found.hexdigest()

    def _reopen(self) -> None:
        """Go on with the file that has the name now, where it was replaced."""
        try:
            same = os.path.samestat(os.fstat(self._fd), self.path.stat())
        except OSError as error:
            raise storage_error(error, self.path) from error
        if not same:
            fd = open_file(self.path)
            os.close(self._fd)
            self._fd = fd


def _same(one: Generation | None, other: Generation | None) -> bool:
    """Tell whether two records are of one state; being marked as committed changes nothing."""
    if one is None or other is None:  # the first writer records a file as it found it
        return True
    return (one.number, one.time, one.token) == (other.number, other.time, other.token)
