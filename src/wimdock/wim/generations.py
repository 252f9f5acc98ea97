"""Generations: the committed states of an image file that can be gone back to.

A sidecar `<file>.generations` holds one record for every state: the 208-byte header that made it
and the length that the file had. It is replaced as a whole, before the header is flipped; so a
record whose header the file never had may stand in it after a crash, marked as not committed.
The sidecar is only a help: without it the image file is whole, and nothing but its past is lost.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from wimdock.errors import GenerationError
from wimdock.files import Disk, storage_error
from wimdock.wim import layout

_FORMAT = 1
LARGEST_SIDECAR = 64 << 20
"""A sidecar of more bytes is refused."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One state of an image file.

    `header` are its first 208 bytes, `length` its size in bytes, `added` by how many bytes it is
    longer than the state before; `committed` is false for one whose header was never written.
    `token` is what whoever wrote it wanted recorded, to know it again.
    """

    number: int
    header: bytes
    length: int
    added: int
    time: datetime
    note: str
    committed: bool
    token: str = ""

    @property
    def name(self) -> str:
        """A short fingerprint of the header, for people."""
        return hashlib.sha256(self.header).hexdigest()[:12]


def sidecar_path(image: Path) -> Path:
    """Give the path of the sidecar of an image file."""
    return image.with_name(f"{image.name}.generations")


def read_generations(image: Path) -> list[Generation]:
    """Give the recorded generations, oldest first; none where there is no sidecar.

    GenerationError for a sidecar that cannot be read.
    """
    path = sidecar_path(image)
    try:
        if path.stat().st_size > LARGEST_SIDECAR:
            raise _unreadable(path)
        text = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        document = json.loads(text)
        if document["wimdock"] != {"document": "generations", "version": _FORMAT}:
            raise _unreadable(path)
        found = [_parse(record) for record in document["generations"]]
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise _unreadable(path) from error
    numbers = [generation.number for generation in found]
    if numbers != sorted(set(numbers)):
        raise _unreadable(path)
    return found


def write_generations(image: Path, generations: list[Generation], disk: Disk) -> None:
    """Replace the sidecar, atomically and durably."""
    document = {
        "wimdock": {"document": "generations", "version": _FORMAT},
        "generations": [
            asdict(generation)
            | {
                "header": base64.b64encode(generation.header).decode("ascii"),
                "time": generation.time.isoformat(),
            }
            for generation in generations
        ],
    }
    disk.replace_contents(
        sidecar_path(image), json.dumps(document, indent=1).encode("utf-8") + b"\n"
    )


def current_generation(generations: list[Generation], header: bytes) -> Generation | None:
    """Give the newest record with this header, or None for a file that others changed."""
    return next((g for g in reversed(generations) if g.header == header), None)


def reconcile(
    generations: list[Generation], header: bytes, length: int, now: datetime
) -> list[Generation]:
    """Give the records as they must stand before the next write.

    The state that the file is in comes out committed; a state that no record knows (the file is
    new to us, or another program wrote it) starts a row of its own: what was recorded before
    described another file content and cannot be gone back to.
    """
    current = current_generation(generations, header)
    if current is None:
        number = generations[-1].number + 1 if generations else 1
        note = "changed by another program" if generations else "as found"
        return [Generation(number, header, length, 0, now, note, committed=True)]
    return marked_committed(generations, current)


def marked_committed(generations: list[Generation], current: Generation) -> list[Generation]:
    """Give the records with the one committed that the file is seen to be in."""
    return [replace(g, committed=True) if g is current else g for g in generations]


def _parse(record: dict[str, object]) -> Generation:
    header = base64.b64decode(str(record["header"]), validate=True)
    number, length, added = record["number"], record["length"], record["added"]
    if (
        len(header) != layout.HEADER_SIZE
        or header[:8] != layout.MAGIC
        or not isinstance(number, int)
        or not isinstance(length, int)
        or not isinstance(added, int)
        or length < layout.HEADER_SIZE
    ):
        message = "a record cannot be"
        raise ValueError(message)
    return Generation(
        number,
        header,
        length,
        added,
        datetime.fromisoformat(str(record["time"])),
        str(record["note"]),
        record["committed"] is True,
        str(record.get("token", "")),
    )


def _unreadable(path: Path) -> GenerationError:
    return GenerationError(
        f"{path} cannot be read: it is damaged or of a newer version",
        hint="Move it away: the image file itself is whole, but its older states are then lost.",
    )
