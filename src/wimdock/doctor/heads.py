"""The heads of rule files: enough to say in which known failures a code occurs, and nothing more.

`wimdock code` must answer at once, so this imports neither the rules nor what checks them; the
strict reading is that of `wimdock.doctor.rules`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from wimdock.errors import RuleError
from wimdock.files import storage_error

FOLDER = Path(__file__).parent / "rules"
"""The folder with wimdock's own rule files."""

_FIRST_TABLE = "\n["


class RuleHead(NamedTuple):
    """What names a failure; `codes` are unsigned HRESULTs."""

    number: int
    id: str
    title: str
    codes: tuple[int, ...]
    file: str


def load_heads(folder: Path = FOLDER) -> tuple[RuleHead, ...]:
    """Read number, id, title and codes of the rules of a folder, ordered by number.

    Raises RuleError where a head is not as it must be, StorageError where a file cannot be read.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as error:
        raise storage_error(error, folder) from error
    return tuple(sorted(_head(path) for path in files))


def _head(path: Path) -> RuleHead:
    try:
        content = tomllib.loads(_text(path).partition(_FIRST_TABLE)[0])
        codes = tuple(int(code, 16) for code in content.get("codes", ()))
        number, identity, title = content["number"], content["id"], content["title"]
    except (KeyError, TypeError, ValueError) as error:  # bad TOML is a ValueError
        message = f"{path.name}: the head of this rule cannot be read: {error}"
        raise RuleError(message) from error
    return RuleHead(int(number), str(identity), " ".join(str(title).split()), codes, path.name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise storage_error(error, path) from error
