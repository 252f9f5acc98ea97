"""Disks that fail on purpose, and one that remembers, so that a crash can be played afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from wimdock.errors import StorageError
from wimdock.files import Disk, name_of

# A disk writes a sector or does not; the 208 bytes of a header lie within the first one.
SECTOR = 512


class StoppedError(StorageError):
    """The machine stopped here: nothing after this reaches the disk."""


class CountingDisk(Disk):
    """Counts the operations, so that a test knows at how many places it can fail.

    A `quick` one does not wait for the hardware: only the order of operations counts in a test.
    """

    def __init__(self, *, quick: bool = False) -> None:
        """Start to count."""
        self.operations: list[str] = []
        self.quick = quick

    def _next(self, what: str) -> None:
        self.operations.append(what)

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        self._next("write")
        super().write_at(fd, data, offset)

    def flush(self, fd: int) -> None:
        self._next("flush")
        if not self.quick:
            super().flush(fd)

    def truncate(self, fd: int, length: int) -> None:
        self._next("truncate")
        super().truncate(fd, length)

    def remove(self, folder: int, name: str, *, is_folder: bool) -> None:
        self._next("remove")
        super().remove(folder, name, is_folder=is_folder)

    def replace(self, source: Path, target: Path) -> None:
        self._next("rename")
        super().replace(source, target)

    def flush_folder(self, folder: Path) -> None:
        self._next("flush folder")
        if not self.quick:
            super().flush_folder(folder)


class StoppingDisk(CountingDisk):
    """Stops for good at one operation; `torn` lets some of a write's sectors through first."""

    def __init__(self, at: int, *, torn: bool = False, quick: bool = False) -> None:
        """Stop at the operation with this number, counted from 0."""
        super().__init__(quick=quick)
        self.at = at
        self.torn = torn

    def _next(self, what: str) -> None:
        super()._next(what)
        if len(self.operations) > self.at:
            message = f"stopped at operation {self.at} ({what})"
            raise StoppedError(message)

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        if self.torn and len(self.operations) == self.at:
            reached = (offset + len(data) // 2) // SECTOR * SECTOR
            Disk.write_at(self, fd, memoryview(data)[: max(reached - offset, 0)], offset)
        super().write_at(fd, data, offset)


class FullDisk(CountingDisk):
    """Is full at one operation, and has room again afterwards."""

    def __init__(self, at: int, *, quick: bool = False) -> None:
        """Be full at the operation with this number, counted from 0."""
        super().__init__(quick=quick)
        self.at = at

    def _next(self, what: str) -> None:
        super()._next(what)
        if len(self.operations) == self.at + 1:
            message = f"No space left on device (operation {self.at}, {what})"
            raise StorageError(message, hresult=0x80070070)


@dataclass(slots=True)
class _Content:
    """A file as it is on the disk for certain, and what was written to it since its last flush."""

    durable: bytes
    pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def with_pending(self, which: str) -> bytes:
        """Give the content when all, none, the first half or every other pending write survived."""
        pending = {
            "all": self.pending,
            "none": [],
            "odd": self.pending[1::2],
            "even": self.pending[0::2],
            "last": self.pending[-1:],
        }[which]
        data = bytearray(self.durable)
        for kind, offset, piece in pending:
            if kind == "truncate":
                data = data[:offset].ljust(offset, b"\0")
            else:
                data = data.ljust(offset, b"\0")
                data[offset : offset + len(piece)] = piece
        return bytes(data)


class RememberingDisk(Disk):
    """Does everything, and can tell what a crash after any operation may leave.

    A write that was not followed by a flush of its file may be lost, in any combination; renames
    are taken to be lost or kept as a whole.
    """

    SURVIVALS = ("all", "none", "odd", "even", "last")

    def __init__(self, *files: Path) -> None:
        """Start with the files as they are."""
        self._files = {path: _Content(path.read_bytes()) for path in files if path.exists()}
        self.states: list[dict[Path, dict[str, bytes]]] = []
        self._remember()

    def _remember(self) -> None:
        self.states.append(
            {
                path: {which: content.with_pending(which) for which in self.SURVIVALS}
                for path, content in self._files.items()
            }
        )

    def _path(self, fd: int) -> Path:
        return Path(name_of(fd))

    def write_at(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> None:
        super().write_at(fd, data, offset)
        content = self._files.setdefault(self._path(fd), _Content(b""))
        content.pending.append(("write", offset, bytes(data)))
        self._remember()

    def truncate(self, fd: int, length: int) -> None:
        super().truncate(fd, length)
        content = self._files.setdefault(self._path(fd), _Content(b""))
        content.pending.append(("truncate", length, b""))
        self._remember()

    def flush(self, fd: int) -> None:
        super().flush(fd)
        content = self._files.setdefault(self._path(fd), _Content(b""))
        content.durable = content.with_pending("all")
        content.pending.clear()
        self._remember()

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self._files[target] = self._files.pop(source)
        self._remember()
