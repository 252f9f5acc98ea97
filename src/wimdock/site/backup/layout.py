"""What a backup is made of: a gzipped tar archive whose first member names all the others.

    manifest.json           what the backup is of, and each member with its size and SHA-256
    wimdock.toml            the settings, without secrets unless they were asked for
    tables/<table>.jsonl    the rows of a table, one JSON list to a line, in the order of `columns`
    updates/<SHA-256>       a file of the update library

Tables stand in the order in which rows can be put back: what is referred to comes first. Times are
ISO 8601 in UTC.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, Self

from wimdock.errors import BackupError

FORMAT = 1
MANIFEST = "manifest.json"
SETTINGS = "wimdock.toml"
LARGEST_MANIFEST = 256 << 20

_TABLE = re.compile(r"tables/([a-z][a-z0-9_]{0,62})\.jsonl")
_UPDATE = re.compile(r"updates/([0-9a-f]{64})")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][\w.()+-]{0,199}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class Member:
    """A member beside the manifest: `columns` and `rows` of a table, `file` of an update."""

    name: str
    size: int
    sha256: str
    columns: tuple[str, ...] = ()
    rows: int = 0
    file: str = ""

    @property
    def table(self) -> str:
        """The name of the table, "" where it is none."""
        found = _TABLE.fullmatch(self.name)
        return found[1] if found else ""

    @property
    def update(self) -> str:
        """The SHA-256 of the update, "" where it is none."""
        found = _UPDATE.fullmatch(self.name)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of. `database` is "sqlite" or "postgresql", `schema` that of its tables."""

    wimdock: str
    code: str
    uuid: str
    folder: str
    schema: str
    database: str
    created_at: datetime
    secrets: bool
    updates: bool
    members: tuple[Member, ...]

    def to_json(self) -> bytes:
        """Give the manifest's text."""
        created = self.created_at.astimezone(UTC).isoformat()
        content = {"format": FORMAT, **asdict(self), "created_at": created}
        return json.dumps(content, indent=1).encode("ascii")

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read a manifest; BackupError where it is none, or of a format that is not known."""
        try:
            return cls._read(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            refuse(f"its manifest cannot be read: {error}")

    @classmethod
    def _read(cls, found: Mapping[str, Any]) -> Self:
        if found["format"] != FORMAT:
            message = f"the backup has format {found['format']!r:.20}, which is not known"
            raise BackupError(message, hint="It was made by a newer version: install that one.")
        members = tuple(_member(each) for each in found["members"])
        names = [member.name for member in members]
        if len(set(names)) != len(names):
            refuse("its manifest names a member twice")
        return cls(
            wimdock=_text(found["wimdock"]),
            code=_text(found["code"]),
            uuid=_text(found["uuid"]),
            folder=_text(found["folder"]),
            schema=_text(found["schema"]),
            database=_text(found["database"]),
            created_at=datetime.fromisoformat(found["created_at"]).astimezone(UTC),
            secrets=found["secrets"] is True,
            updates=found["updates"] is True,
            members=members,
        )


def _member(found: Mapping[str, Any]) -> Member:
    member = Member(
        _text(found["name"]),
        _count(found["size"]),
        _text(found["sha256"]),
        tuple(_text(each) for each in found["columns"]),
        _count(found["rows"]),
        _text(found["file"]),
    )
    known = member.name == SETTINGS or member.table or member.update
    if not known or not _DIGEST.fullmatch(member.sha256):
        refuse(f"its manifest names {member.name!r:.60}, which no backup has")
    if member.update and (member.update != member.sha256 or not _FILE_NAME.fullmatch(member.file)):
        refuse(f"its manifest names a file that no library has: {member.file!r:.60}")
    if not all(_COLUMN.fullmatch(each) for each in member.columns):
        refuse(f"its manifest names columns that {member.table} cannot have")
    return member


def refuse(what: str) -> NoReturn:
    """Raise BackupError: the backup is not whole, or not what its manifest says."""
    message = f"the backup is damaged: {what}"
    raise BackupError(message)


def _text(value: object) -> str:
    if not isinstance(value, str):
        message = "text was expected"
        raise TypeError(message)
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        message = "a count was expected"
        raise TypeError(message)
    return value
