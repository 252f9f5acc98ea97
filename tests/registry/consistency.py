"""A check of a whole hive, written apart from the reader it judges.

Every allocated cell must be reached exactly once, bins must follow gaplessly, lists must be sorted
and hashed, counts and references must be exact.
"""

from __future__ import annotations

import struct
from collections import Counter

NIL = 0xFFFFFFFF


class Checker:
    """Walks one hive; every finding is an AssertionError."""

    def __init__(self, data: bytes) -> None:
        """Read the base block and all cells."""
        self.data = data
        self.minor = self.u32(24)
        self.size = self.u32(40)
        self.used: dict[int, int] = {}
        self.reached: set[int] = set()
        self.references: Counter[int] = Counter()
        self.free = 0

    def u16(self, at: int) -> int:
        """Read 16 bits of the file."""
        return int.from_bytes(self.data[at : at + 2], "little")

    def u32(self, at: int) -> int:
        """Read 32 bits of the file."""
        return int.from_bytes(self.data[at : at + 4], "little")

    def check(self) -> None:
        """Check everything."""
        assert self.data[:4] == b"regf"
        assert self.u32(4) == self.u32(8)
        value = 0
        for (word,) in struct.iter_unpack("<I", self.data[:508]):
            value ^= word
        assert self.u32(508) == {0: 1, NIL: NIL - 1}.get(value, value)
        assert len(self.data) == 4096 + self.size
        self.check_cells()
        root = self.u32(36)
        keys = [(root, NIL)]
        for key, parent in keys:
            keys += [(sub, key) for sub in self.check_key(key, parent)]
        self.check_security(self.u32(4096 + root + 4 + 44))
        assert set(self.used) == self.reached

    def check_cells(self) -> None:
        """Check that bins and cells follow gaplessly, and that no two free cells touch."""
        offset = 0
        while offset < self.size:
            signature, stated, size = struct.unpack_from("<4sII", self.data, 4096 + offset)
            assert (signature, stated, size % 4096) == (b"hbin", offset, 0)
            cell, was_free = offset + 32, False
            while cell < offset + size:
                (length,) = struct.unpack_from("<i", self.data, 4096 + cell)
                assert length
                assert length % 8 == 0
                assert not (was_free and length > 0), f"free cells touch at 0x{cell:X}"
                was_free = length > 0
                if was_free:
                    self.free += length
                else:
                    self.used[cell] = -length
                cell += abs(length)
            assert cell == offset + size
            offset += size

    def reach(self, cell: int, content: int) -> int:
        """Note that a cell is referred to; give where its content lies."""
        assert self.used[cell] >= content + 4
        assert cell not in self.reached, f"0x{cell:X} is referred to twice"
        self.reached.add(cell)
        return 4096 + cell + 4

    def check_key(self, key: int, parent: int) -> list[int]:
        """Check a key with its values and lists; give its subkeys."""
        at = self.reach(key, 76)
        assert self.data[at : at + 2] == b"nk"
        if parent != NIL:
            assert self.u32(at + 16) == parent
        assert self.used[key] >= 4 + 76 + self.u16(at + 72)
        self.references[self.u32(at + 44)] += 1
        if self.u32(at + 48) != NIL:
            self.reach(self.u32(at + 48), self.u16(at + 74))
        self.check_values(at)
        count = self.u32(at + 20)
        if not count:
            assert self.u32(at + 28) == NIL
            return []
        subkeys = self.check_list(self.u32(at + 28), root_allowed=True)
        assert len(subkeys) == count
        names = [self.key_name(sub) for sub in subkeys]
        assert names == sorted(names)
        assert len(set(names)) == len(names)
        for sub in subkeys:
            node = 4096 + sub + 4
            wide = 2 if self.u16(node + 2) & 0x20 else 1
            assert self.u16(at + 52) >= wide * self.u16(node + 72)
            assert self.u32(at + 56) >= self.u16(node + 74)
        return subkeys

    def key_name(self, key: int) -> bytes:
        """Give a key's name in upper case, in a form that orders by code units."""
        at = 4096 + key + 4
        raw = self.data[at + 76 : at + 76 + self.u16(at + 72)]
        latin = self.u16(at + 2) & 0x20
        name = raw.decode("latin-1") if latin else raw.decode("utf-16-le", "surrogatepass")
        upper = "".join(c.upper() if len(c.upper()) == 1 and c != "µ" else c for c in name)
        return upper.encode("utf-16-be", "surrogatepass")

    def check_list(self, cell: int, *, root_allowed: bool) -> list[int]:
        """Check a list; give the keys on it."""
        at = self.reach(cell, 4)
        signature, count = struct.unpack_from("<2sH", self.data, at)
        assert count
        if signature == b"ri":
            assert root_allowed
            leaves = [self.u32(at + 4 + 4 * number) for number in range(count)]
            return [key for leaf in leaves for key in self.check_list(leaf, root_allowed=False)]
        width = {b"lf": 8, b"lh": 8, b"li": 4}[signature]
        assert self.used[cell] >= 8 + width * count
        keys = [self.u32(at + 4 + width * number) for number in range(count)]
        for number, key in enumerate(keys):
            hint = self.data[at + 8 + width * number : at + 12 + width * number]
            name = self.key_name(key).decode("utf-16-be", "surrogatepass")
            if signature == b"lh":
                value = 0
                units = name.encode("utf-16-be", "surrogatepass")
                for (unit,) in struct.iter_unpack(">H", units):
                    value = (value * 37 + unit) & NIL
                assert hint == value.to_bytes(4, "little")
            elif signature == b"lf" and name.isascii():
                assert hint.upper() == name[:4].encode().ljust(4, b"\0")
        return keys

    def check_values(self, at: int) -> None:
        """Check the values of the key whose content lies at `at`."""
        count = self.u32(at + 36)
        if not count:
            return
        listed = self.reach(self.u32(at + 40), 4 * count)
        for number in range(count):
            value = self.reach(self.u32(listed + 4 * number), 20)
            signature, name_size, size, offset, _, flags = struct.unpack_from(
                "<2sHIIIH", self.data, value
            )
            assert signature == b"vk"
            assert self.u32(at + 60) >= name_size * (2 if flags & 1 else 1)
            assert self.u32(at + 64) >= size & 0x7FFFFFFF
            if size & 0x80000000:
                assert size & 0x7FFFFFFF <= 4
            elif size > 16344 and self.minor >= 4:
                self.check_big(offset, size)
            else:
                self.reach(offset, size)

    def check_big(self, offset: int, size: int) -> None:
        """Check the segments of big data."""
        signature, count, listed = struct.unpack_from("<2sHI", self.data, self.reach(offset, 8))
        assert (signature, count) == (b"db", -(-size // 16344))
        row = self.reach(listed, 4 * count)
        for number in range(count):
            left = size - 16344 * number
            self.reach(self.u32(row + 4 * number), min(left, 16344))

    def check_security(self, first: int) -> None:
        """Check the circular list, both ways, and that each count is that of the keys."""
        cell, before = first, None
        contents = set()
        while True:
            at = self.reach(cell, 20)
            signature, _, following, previous, references, length = struct.unpack_from(
                "<2sHIIII", self.data, at
            )
            assert signature == b"sk"
            assert self.used[cell] >= 24 + length
            assert references == self.references[cell]
            assert before is None or previous == before
            contents.add(self.data[at + 20 : at + 20 + length])
            before, cell = cell, following
            if cell == first:
                assert self.u32(4096 + first + 4 + 8) == before
                return


def check(data: bytes) -> Checker:
    """Check a hive's bytes; give the checker for further questions."""
    checker = Checker(data)
    checker.check()
    return checker
