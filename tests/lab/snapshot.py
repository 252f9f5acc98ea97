"""What a volume holds, read back with ntfs-3g's own programs: the independent comparison.

The mount gives names, contents, streams, extended attributes. It cannot look behind a reparse
point of a kind that it does not know, nor tell the short name of a file with several names; these
are read from the unmounted volume with ntfsinfo and ntfscat.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from tests.lab.entry import DIRECTORY, REPARSE_POINT, Times
from tests.lab.record import read_record, stream_hash
from tests.lab.volume import (
    ACL,
    ATTRIBUTES,
    OBJECT_ID,
    REPARSE,
    SHORT_NAME,
    STREAMS,
    TIMES,
    mounted,
)
from tests.lab.xattr import need_attribute, read_attribute

_ROOT_INODE = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything there is to know about one name on a volume.

    `sha256` is that of the unnamed data, None without any; `streams` are names and SHA-256 of the
    named streams, sorted; `names` all names of the same file, sorted.
    """

    attributes: int
    sha256: str | None
    size: int
    streams: tuple[tuple[str, str], ...]
    security: bytes | None
    names: tuple[str, ...]
    short_name: str
    times: Times
    reparse: bytes | None = None
    object_id: bytes | None = None


Snapshot = dict[str, Facts]

# What wimlib-imagex apply gives back of an image captured from NTFS. The rest is lost by its
# capture (data behind a reparse point) or set by the file system itself (compression, sparseness).
KEPT = ("sha256", "streams", "security", "names", "short_name", "reparse", "times", "object_id")


def snapshot(volume: Path) -> Snapshot:
    """Read everything that stands on an unmounted volume; keys are paths with slashes."""
    found: Snapshot = {}
    inodes = {"": _ROOT_INODE}
    with mounted(volume, read_only=True) as root:
        _walk(root, "", found, inodes)
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for path in found:
        groups[inodes[path]].append(path)
    for path, facts in found.items():
        inode = inodes[path]
        complete = replace(facts, names=tuple(sorted(groups[inode])))
        if len(complete.names) > 1:
            folder, _, name = path.rpartition("/")
            short = read_record(volume, inode).short_name(inodes[folder], name)
            complete = replace(complete, short_name=short)
        if complete.reparse is not None:
            complete = _behind(volume, inode, complete)
        found[path] = complete
    return found


def differences(
    old: Snapshot, new: Snapshot, names: tuple[str, ...] = KEPT
) -> Iterator[tuple[str, str, object, object]]:
    """Give path, fact, old and new for every fact that differs, and for every path on one side."""
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            yield path, "is gone", old[path], None
        elif path not in old:
            yield path, "is new", None, new[path]
        else:
            for name in names:
                one, other = getattr(old[path], name), getattr(new[path], name)
                if one != other and not (name == "sha256" and old[path].reparse is not None):
                    yield path, name, one, other


def all_facts() -> tuple[str, ...]:
    """Give the names of all facts, for `differences`."""
    return tuple(field.name for field in fields(Facts))


def _walk(root: Path, folder: str, found: Snapshot, inodes: dict[str, int]) -> None:
    with os.scandir(root / folder) as entries:
        listed = sorted((entry.name, entry.inode()) for entry in entries)
    for name, inode in listed:
        path = f"{folder}/{name}" if folder else name
        facts = _facts(root / path)
        found[path] = facts
        inodes[path] = inode
        if facts.attributes & (DIRECTORY | REPARSE_POINT) == DIRECTORY:
            _walk(root, path, found, inodes)


def _facts(path: Path) -> Facts:
    (attributes,) = struct.unpack("<I", need_attribute(path, ATTRIBUTES))
    created, written, accessed = struct.unpack_from("<QQQ", need_attribute(path, TIMES))
    reparse = read_attribute(path, REPARSE) if attributes & REPARSE_POINT else None
    plain = reparse is None
    digest, size = _hash(path) if plain and not attributes & DIRECTORY else (None, 0)
    object_id = read_attribute(path, OBJECT_ID)
    return Facts(
        attributes=attributes,
        sha256=digest,
        size=size,
        streams=_streams(path) if plain else (),
        security=read_attribute(path, ACL),
        names=(),
        short_name=_short_name(path),
        times=Times(created, written, accessed),
        reparse=reparse,
        object_id=object_id and object_id[:16],
    )


def _short_name(path: Path) -> str:
    try:
        return (read_attribute(path, SHORT_NAME) or b"").decode()
    except OSError as error:
        # A file with several names: answered from its record later.
        if error.errno == errno.EMLINK:
            return ""
        raise


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, file.tell()


def _streams(path: Path) -> tuple[tuple[str, str], ...]:
    listed = (read_attribute(path, STREAMS) or b"").decode()
    names = [name for name in listed.split("\0") if name]
    return tuple(sorted((name, _hash(path.with_name(f"{path.name}:{name}"))[0]) for name in names))


def _behind(volume: Path, inode: int, facts: Facts) -> Facts:
    hashes = {name: stream_hash(volume, inode, name) for name in read_record(volume, inode).streams}
    unnamed = hashes.pop("", None)
    return replace(facts, sha256=unnamed, streams=tuple(sorted(hashes.items())))
