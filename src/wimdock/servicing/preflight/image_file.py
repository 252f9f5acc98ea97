"""The image file itself: what kind it is, how many images it holds, and who else works with it.

Whoever has it open is found through /proc (proc(5)): its descriptors tell how a file is open and
which locks are on it. Nothing is locked here: a lock, however short, could stop another program.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wimdock.errors import UnsupportedImage
from wimdock.servicing.preflight.check import Check, Result

if TYPE_CHECKING:
    from wimdock.wim import Archive

KIND = ("image-file", "Image file")
USE = ("image-in-use", "Image file in use")
COUNT = ("image-count", "Images in the file")

_PROC = Path("/proc")
_SHOWN = 5
_WRITING = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True, slots=True)
class User:
    """A process that has the image file open."""

    process: int
    name: str
    writes: bool
    locks: bool

    @property
    def words(self) -> str:
        """The process for people."""
        how = "holds a lock on it" if self.locks else "writes it" if self.writes else "reads it"
        return f"process {self.process} ({self.name}) {how}"


def check_file(archive: Archive) -> Iterator[Check]:
    """Tell whether the file is of a kind that can be serviced in place."""
    from wimdock.wim.write_access import refuse_unwritable

    try:
        refuse_unwritable(archive)
    except UnsupportedImage as error:
        yield Check(*KIND, Result.FAILED, f"{error.message}.", error.hint)
        return
    compression = archive.header.compression.upper()
    reason = f"a plain WIM file ({compression}), {archive.size:,} bytes."
    yield Check(*KIND, Result.PASSED, reason)


def unusable_file(error: Exception) -> Check:
    """Make a check of a file that cannot be opened as an image."""
    what = str(getattr(error, "message", error)).rstrip(".")
    hint = str(getattr(error, "hint", ""))
    if isinstance(error, UnsupportedImage) and "solid" in what:
        reason = f"{what}; an older host's library refuses it too, with 0x8007000B."
        return Check(*KIND, Result.FAILED, reason, hint, failure=18)
    return Check(*KIND, Result.FAILED, f"it cannot be used: {what}.", hint)


def check_count(count: int, looked_at: Collection[int]) -> Check:
    """Tell what the number of images means for a run; `looked_at` has the indexes judged here."""
    left_out = [str(index) for index in range(1, count + 1) if index not in looked_at]
    if left_out:
        which = f"image{'s' if len(left_out) > 1 else ''} {', '.join(left_out[:_SHOWN])}"
        more = f" and {len(left_out) - _SHOWN:,} more" if len(left_out) > _SHOWN else ""
        return Check(
            *COUNT,
            Result.NOT_CHECKED,
            f"{count} images, and {which}{more} not looked at: Configuration Manager services each "
            "of them, and one that fails ends the run.",
            "Leave out --index, or export the image that is deployed into a file of its own.",
        )
    if count == 1:
        reason = "one image: superseded updates can be removed in the same run."
        return Check(*COUNT, Result.PASSED, reason)
    return Check(
        *COUNT,
        Result.WARNING,
        f"{count} images: Configuration Manager services each of them, and removes superseded "
        "updates only where there is one.",
        "Export the image that is deployed into a file of its own, if you need that.",
    )


def check_users(path: Path) -> Iterator[Check]:
    """Tell who else has the image file open or locked."""
    if not _PROC.joinpath("self", "fd").is_dir():
        reason = "this system does not tell who has a file open."
        yield Check(*USE, Result.NOT_CHECKED, reason, "Close all programs that use it.")
        return
    users = tuple(_users(path))
    details = tuple(user.words for user in users[:_SHOWN])
    limits = "" if os.geteuid() == 0 else " (as far as this user may see)"
    if any(user.writes or user.locks for user in users):
        reason = "another program writes it or has locked it: a run would collide with that."
        remedy = "Wait until it has finished."
        yield Check(*USE, Result.FAILED, reason, remedy, failure=10, details=details)
    elif users:
        reason = "another program reads it: replacing the file at the end of a run may fail."
        remedy = "Close it before the run."
        yield Check(*USE, Result.WARNING, reason, remedy, failure=10, details=details)
    else:
        yield Check(*USE, Result.PASSED, f"no other program has it open{limits}.")


def _users(path: Path) -> Iterator[User]:
    mine = path.stat()
    for process in sorted(int(each.name) for each in _PROC.iterdir() if each.name.isdigit()):
        if process == os.getpid():
            continue
        folder = _PROC / str(process)
        found = [
            _use(folder, descriptor)
            for descriptor in _descriptors(folder)
            if _is_same(folder / "fd" / descriptor, mine)
        ]
        if found:
            writes, locks = (any(flags) for flags in zip(*found, strict=True))
            yield User(process, _name(folder), writes, locks)


def _descriptors(folder: Path) -> list[str]:
    try:
        return [each.name for each in (folder / "fd").iterdir()]
    except OSError:  # it ended, or is another user's
        return []


def _is_same(link: Path, mine: os.stat_result) -> bool:
    try:
        return os.path.samestat(link.stat(), mine)
    except OSError:
        return False


def _use(folder: Path, descriptor: str) -> tuple[bool, bool]:
    """Tell whether a descriptor is open for writing, and whether a lock is on it."""
    try:
        text = (folder / "fdinfo" / descriptor).read_text("ascii", "replace")
    except OSError:
        return False, False
    facts = dict(line.partition(":")[::2] for line in text.splitlines())
    flags = int(facts.get("flags", "0").strip() or "0", 8)
    return bool(flags & _WRITING), "lock" in facts


def _name(folder: Path) -> str:
    try:
        return (folder / "comm").read_text("utf-8", "backslashreplace").strip()
    except OSError:
        return "ended"
