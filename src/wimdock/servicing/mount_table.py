"""The kernel's table of mounts, as `/proc/<pid>/mountinfo` gives it (proc_pid_mountinfo(5)).

Reading it never touches a mounted file system, so it answers even where the process behind a FUSE
mount hangs or is dead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TABLE = Path("/proc/self/mountinfo")
"""The table of this process."""

_ESCAPE = re.compile(rb"\\([0-7]{3})")
_SEPARATOR = b"-"
_WIM_TYPES = frozenset({"fuse.wimfs", "fuse.wimlib"})
_WIM_SOURCES = frozenset({"wimfs", "wimlib"})


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the table: where, what kind of file system, from what, and whether for writing.

    `kind` is its type, such as `ext4` or `fuse.wimfs`, `device` its number as "major:minor", `root`
    the folder of it that is seen at `directory`; `parent` is the number of the mount that it stands
    in, `owner` the user who mounted it, where FUSE tells.
    """

    id: int
    parent: int
    device: str
    root: Path
    directory: Path
    kind: str
    source: str
    writable: bool
    owner: int | None = None

    @property
    def is_wim(self) -> bool:
        """Tell whether it is a WIM image that wimlib mounted."""
        return self.kind in _WIM_TYPES or (self.kind == "fuse" and self.source in _WIM_SOURCES)


def parse_mounts(table: bytes) -> Iterator[Mount]:
    """Give the mounts of a table, in the order in which they were made; other lines are left out.

    Nothing but a space and a line feed ends a field: the kernel escapes no other blank.
    """
    for line in table.split(b"\n"):
        found = _parse(line)
        if found is not None:
            yield found


def _parse(line: bytes) -> Mount | None:
    fields = line.split(b" ")
    try:
        after = fields.index(_SEPARATOR, 6)
        kind, source, options = fields[after + 1 : after + 4]
        number, parent = int(fields[0]), int(fields[1])
    except (ValueError, IndexError):
        return None
    words = os.fsdecode(options).split(",")
    owner = next((word[8:] for word in words if word.startswith("user_id=")), "")
    return Mount(
        number,
        parent,
        _plain(fields[2]),
        Path(_plain(fields[3])),
        Path(_plain(fields[4])),
        _plain(kind),
        _plain(source),
        b"rw" in fields[5].split(b",") and "ro" not in words,
        int(owner) if owner.isdigit() else None,
    )


def _plain(field: bytes) -> str:
    r"""Give a field with its escapes (`\040` for a space) undone."""
    return os.fsdecode(_ESCAPE.sub(lambda found: bytes((int(found[1], 8) & 0xFF,)), field))
