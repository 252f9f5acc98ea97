"""Who works in a mounted image: processes that have something in it open, found through /proc.

Other users' processes can be looked at by root only; without the option allow_other, which wimdock
does not give, nobody else can enter the mount anyway.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import MountInUse
from wimdock.servicing.mounts.mountinfo import mount_points

_PROC = Path("/proc")
_SHOWN = 5
_DELETED = " (deleted)"


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, its name, and the first thing in the mount that it holds."""

    process: int
    name: str
    what: str


def holders(directory: Path) -> tuple[Holder, ...]:
    """Give the processes that hold something in a folder or below, in order of their number."""
    found = []
    prefix = os.fsdecode(directory)
    for entry in sorted(_numbers()):
        what = _held(_PROC / str(entry), prefix)
        if what is not None:
            found.append(Holder(entry, _name(entry), what))
    return tuple(found)


def keeper_of(directory: Path) -> Holder | None:
    """Give the process of wimlib that keeps a mount of ours, known by its own command line."""
    wanted = os.fsencode(directory)
    for process in _numbers():
        try:
            words = (_PROC / str(process) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in words and {b"mount", b"mountrw"} & set(words):
            return Holder(process, _name(process), os.fsdecode(directory))
    return None


def refuse_in_use(directory: Path) -> None:
    """Raise MountInUse where a process works in a mount, or something is mounted in it."""
    inner = [p.directory for p in mount_points() if directory in p.directory.parents]
    if inner:
        message = f"something else is mounted in {directory}: {inner[0]}"
        raise MountInUse(message, hint=f"Unmount {inner[0]} first.")
    found = holders(directory)
    if not found:
        return
    named = [f"process {h.process} ({h.name}) holds {h.what}" for h in found[:_SHOWN]]
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    message = f"{directory} is in use: {', '.join(named)}{more}"
    raise MountInUse(message)


def _numbers() -> Iterator[int]:
    try:
        names = [entry.name for entry in _PROC.iterdir()]
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit())


def _name(process: int) -> str:
    try:
        return (_PROC / str(process) / "comm").read_text("utf-8", "backslashreplace").strip()
    except OSError:
        return "ended"


def _held(process: Path, prefix: str) -> str | None:
    """Give what a process holds at `prefix` or below: folder, program, open or mapped file."""
    for link in ("cwd", "root", "exe"):
        target = _target(process / link)
        if _is_in(target, prefix):
            return target
    try:
        descriptors = list((process / "fd").iterdir())
    except OSError:
        descriptors = []
    for descriptor in descriptors:
        target = _target(descriptor)
        if _is_in(target, prefix):
            return target
    return _mapped(process, prefix)


def _mapped(process: Path, prefix: str) -> str | None:
    try:
        lines = os.fsdecode((process / "maps").read_bytes()).split("\n")
    except OSError:
        return None
    for line in lines:
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and _is_in(fields[5], prefix):  # noqa: PLR2004 - the sixth is the path
            return fields[5].removesuffix(_DELETED)
    return None


def _target(link: Path) -> str:
    """Give where a link leads, without going there: it may lead into a mount that hangs."""
    try:
        return os.readlink(link).removesuffix(_DELETED)  # noqa: PTH115 - text, not a path
    except OSError:
        return ""


def _is_in(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
