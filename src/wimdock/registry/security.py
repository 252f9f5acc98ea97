"""Security descriptors of a hive: one circular list of cells (`sk`), each with a reference count.

Equal descriptors are stored once. The list is read when the first one is looked for by content.
"""

from __future__ import annotations

from struct import Struct

from wimdock.errors import MalformedHive, RegistryError
from wimdock.registry.allocator import Allocator
from wimdock.registry.cells import Cells
from wimdock.registry.layout import (
    NIL,
    SECURITY,
    SECURITY_NEXT,
    SECURITY_PREVIOUS,
    SECURITY_REFERENCES,
    SECURITY_SIGNATURE,
)

_DESCRIPTOR = Struct("<BBHIIII")
_SELF_RELATIVE = 0x8000
_MAX_DESCRIPTOR = 0x4_0000


def check_descriptor(descriptor: bytes) -> None:
    """Raise RegistryError unless these bytes look like a self-relative descriptor."""
    if _DESCRIPTOR.size <= len(descriptor) <= _MAX_DESCRIPTOR:
        revision, _, control, *offsets = _DESCRIPTOR.unpack_from(descriptor)
        if revision == 1 and control & _SELF_RELATIVE and max(offsets) < len(descriptor):
            return
    message = f"{len(descriptor)} bytes that are no self-relative security descriptor"
    raise RegistryError(message)


class SecurityList:
    """The descriptors of one hive. Cells are those of `sk` records."""

    __slots__ = ("_allocator", "_by_content", "_cells", "_first")

    def __init__(self, cells: Cells, allocator: Allocator, first: int) -> None:
        """Take the cell of any descriptor of the hive, that of the root key."""
        self._cells = cells
        self._allocator = allocator
        self._first = first
        self._by_content: dict[bytes, int] | None = None

    def descriptor(self, cell: int) -> bytes:
        """Give the descriptor in a cell; nothing for a key without one."""
        if cell == NIL:
            return b""
        at, length = self._place(cell)
        start = at + SECURITY.size
        return bytes(self._cells.data[start : start + length])

    def share(self, cell: int) -> int:
        """Count one more reference to a cell; give the cell."""
        if cell != NIL:
            at, _ = self._place(cell)
            count = self._cells.u32(at + SECURITY_REFERENCES)
            self._cells.put_u32(at + SECURITY_REFERENCES, min(count + 1, NIL))
        return cell

    def acquire(self, descriptor: bytes) -> int:
        """Give the cell of a descriptor, made where it is new, with one more reference."""
        check_descriptor(descriptor)
        known = self._known()
        cell = known.get(descriptor)
        if cell is None:
            cell = known[descriptor] = self._add(descriptor)
            return cell
        return self.share(cell)

    def release(self, cell: int) -> None:
        """Count one reference less; the last one frees the cell."""
        if cell == NIL:
            return
        at, length = self._place(cell)
        count = self._cells.u32(at + SECURITY_REFERENCES)
        if count > 1:
            self._cells.put_u32(at + SECURITY_REFERENCES, count - 1)
            return
        known = self._known()
        descriptor = bytes(self._cells.data[at + SECURITY.size : at + SECURITY.size + length])
        following = self._cells.u32(at + SECURITY_NEXT)
        before = self._cells.u32(at + SECURITY_PREVIOUS)
        self._cells.put_u32(self._place(before)[0] + SECURITY_NEXT, following)
        self._cells.put_u32(self._place(following)[0] + SECURITY_PREVIOUS, before)
        if self._first == cell:
            self._first = following
        if known.get(descriptor) == cell:
            del known[descriptor]
        self._allocator.give_back(cell)

    def _add(self, descriptor: bytes) -> int:
        length = len(descriptor)
        first = self._first
        following = self._cells.u32(self._place(first)[0] + SECURITY_NEXT)
        cell = self._allocator.put(
            SECURITY.pack(SECURITY_SIGNATURE, 0, following, first, 1, length) + descriptor
        )
        self._cells.put_u32(self._place(first)[0] + SECURITY_NEXT, cell)
        self._cells.put_u32(self._place(following)[0] + SECURITY_PREVIOUS, cell)
        return cell

    def _place(self, cell: int) -> tuple[int, int]:
        """Give where a record lies in the data, and the length of its descriptor."""
        at, room = self._cells.place(cell, SECURITY.size, "security descriptor")
        signature, _, _, _, _, length = SECURITY.unpack_from(self._cells.data, at)
        if signature != SECURITY_SIGNATURE or length > room - SECURITY.size:
            message = f"no valid security descriptor at 0x{cell:X}"
            raise MalformedHive(message)
        return at, length

    def _known(self) -> dict[bytes, int]:
        if self._by_content is not None:
            return self._by_content
        found: dict[bytes, int] = {}
        cell, before = self._first, None
        room = self._cells.size
        while True:
            at, length = self._place(cell)
            # Records that overlap in a hostile file must not add up to more than the hive.
            room -= SECURITY.size + length
            previous = self._cells.u32(at + SECURITY_PREVIOUS)
            if room < 0 or (before is not None and previous != before):
                message = f"the list of security descriptors is broken at 0x{cell:X}"
                raise MalformedHive(message)
            found.setdefault(self.descriptor(cell), cell)
            before, cell = cell, self._cells.u32(at + SECURITY_NEXT)
            if cell == self._first:
                break
        self._by_content = found
        return found
