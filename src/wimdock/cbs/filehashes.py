r"""The list of hashes in a package, `$filehashes$.dat`.

UTF-16 text: `[sha1]` or `[sha256]`, then lines `name=HEX,size` with the size in hexadecimal.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from wimdock.cbs.contents import Contents, safe_name
from wimdock.errors import CorruptPackage, MalformedPackage

LIST_NAME = "$filehashes$.dat"
MAX_LIST = 64 << 20

_SECTION = re.compile(r"\[(\w+)\]", re.ASCII)
_LINE = re.compile(r"(.+)=([0-9A-Fa-f]+),([0-9A-Fa-f]{1,16})", re.ASCII)
_ALGORITHMS = frozenset(("sha1", "sha256", "sha384", "sha512"))
_HEX_PER_BYTE = 2


@dataclass(frozen=True, slots=True)
class FileHash:
    """One line of the list: the file, the algorithm, its digest and its size."""

    name: str
    algorithm: str
    digest: bytes
    size: int


def parse_filehashes(data: bytes) -> tuple[FileHash, ...]:
    """Read the list; MalformedPackage for a line that is none."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le")
    except UnicodeDecodeError as error:
        message = f"{LIST_NAME} is no UTF-16 text"
        raise MalformedPackage(message) from error
    algorithm = ""
    found: list[FileHash] = []
    # Not splitlines(): a name may hold characters that it takes for the end of a line.
    for raw in text.replace("\r", "\n").split("\n"):
        line = raw.strip(" \t\0")
        if not line:
            continue
        if section := _SECTION.fullmatch(line):
            algorithm = section[1].lower()
            continue
        match = _LINE.fullmatch(line)
        if match is None or not algorithm:
            message = f"{LIST_NAME} holds a line that is none: {line[:80]!r}"
            raise MalformedPackage(message)
        if algorithm not in _ALGORITHMS:
            continue
        if len(match[2]) != hashlib.new(algorithm).digest_size * _HEX_PER_BYTE:
            message = f"{LIST_NAME} holds a hash of the wrong length for {match[1][:200]!r}"
            raise MalformedPackage(message)
        size = int(match[3], 16)
        found.append(FileHash(safe_name(match[1]), algorithm, bytes.fromhex(match[2]), size))
    return tuple(found)


def verify_filehashes(contents: Contents, hashes: tuple[FileHash, ...]) -> int:
    """Compare every listed file with what was extracted; give the number of files compared.

    Raises CorruptPackage for the first file that is missing or differs.
    """
    wanted: dict[str, list[FileHash]] = {}
    for entry in hashes:
        wanted.setdefault(entry.name.lower(), []).append(entry)
    for entries in wanted.values():
        name = entries[0].name
        file = contents.get(name)
        if file is None:
            message = f"{name} is listed in {LIST_NAME} but is not in the package"
            raise CorruptPackage(message)
        digests = file.digests({entry.algorithm for entry in entries})
        for entry in entries:
            if entry.size != file.size or digests[entry.algorithm] != entry.digest:
                message = f"{name} does not have the hash that {LIST_NAME} lists"
                raise CorruptPackage(message)
    return len(wanted)
