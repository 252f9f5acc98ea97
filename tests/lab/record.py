"""What ntfsinfo and ntfscat tell of one file record, where a mount does not reach."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from tests.lab.tool import run

_BLOCK = re.compile(r"Dumping attribute (\$[A-Z_]+) \(.*?(?=Dumping attribute|\Z)", re.DOTALL)
_STREAM = re.compile(r"Attribute name:\s*'(.*?)'\n")
_FILE_NAME = re.compile(
    r"Parent directory:\s*(\d+) .*?Namespace:\s*(.+?)\n\s*Filename:\s*'(.*?)'\n", re.DOTALL
)
_LINKS = re.compile(r"Number of Hard Links:\s*(\d+)")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Names as (inode of the folder, namespace, name); streams with "" for the unnamed one."""

    links: int
    names: tuple[tuple[int, str, str], ...]
    streams: tuple[str, ...]

    def short_name(self, folder: int, name: str) -> str:
        """Give the short name that belongs to a name in the folder with that inode."""
        if (folder, "Win32", name) not in self.names:
            return ""
        short = (text for parent, space, text in self.names if (parent, space) == (folder, "DOS"))
        return next(short, "")


def read_record(volume: Path, inode: int) -> FileRecord:
    """Read the record of an inode from an unmounted volume."""
    report = run("ntfsinfo", "-v", "-i", str(inode), volume).decode()
    names: list[tuple[int, str, str]] = []
    streams: list[str] = []
    for block in _BLOCK.finditer(report):
        if block[1] == "$FILE_NAME":
            parent, space, name = _FILE_NAME.findall(block[0])[0]
            names.append((int(parent), space, name))
        elif block[1] == "$DATA":
            named = _STREAM.search(block[0])
            streams.append(named[1] if named else "")
    counted = _LINKS.search(report)
    return FileRecord(int(counted[1]) if counted else 0, tuple(names), tuple(streams))


def read_stream(volume: Path, inode: int, name: str) -> bytes:
    """Read a stream of an inode from an unmounted volume, "" for the unnamed one."""
    return run("ntfscat", "-i", str(inode), *(("-n", name) if name else ()), volume)


def stream_hash(volume: Path, inode: int, name: str) -> str:
    """Give the SHA-256 of a stream."""
    return hashlib.sha256(read_stream(volume, inode, name)).hexdigest()
