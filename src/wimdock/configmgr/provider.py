"""Hosts that service images: the servers with an SMS Provider, each of which may do the work."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wimdock.errors import UsageError
from wimdock.files import storage_error
from wimdock.reparse.hosts import Build

WIMDOCK = "wimdock"
"""The name that stands for wimdock itself, which needs no host to understand anything."""

_LARGEST_FILE = 4 << 20
_HINT = "Write each as NAME=BUILD, such as CM01=6.3.9600 or 'CM01=Server 2012 R2'."
_FILE_HINT = 'Give CSV with a line "name,build" first, or JSON: [{"name": "CM01", "build": "…"}].'
_NAME_COLUMNS = ("name", "provider", "server", "machine", "host")
_BUILD_COLUMNS = ("build", "version", "osversion", "os")


@dataclass(frozen=True, slots=True)
class Provider:
    """A host that services images; `build` is None where nobody said it.

    `source` says where that is known from: the command line, a file, a site.
    """

    name: str
    build: Build | None
    site: str = ""
    source: str = ""

    @property
    def is_wimdock(self) -> bool:
        """Tell whether this is no host at all, but wimdock; a server of a site is always one."""
        return self.name.lower() == WIMDOCK and self.build is None and not self.site

    def __str__(self) -> str:
        """Give its name and what is known of its Windows: `CM01 (Server 2012 R2)`."""
        if self.is_wimdock:
            return self.name
        return f"{self.name} ({self.build.name if self.build else 'build not known'})"


def parse_provider(text: str, source: str = "the command line") -> Provider:
    """Read `CM01=6.3.9600`, `CM01=Server 2012 R2`, `CM01` (build not known) or `wimdock`.

    Raises UsageError for any other text.
    """
    name, has_build, build = (part.strip() for part in text.partition("="))
    if not name or (has_build and not build) or any(not char.isprintable() for char in name):
        message = f"{text[:80]!r} names no provider"
        raise UsageError(message, hint=_HINT)
    if has_build and name.lower() == WIMDOCK:
        message = "wimdock is no Windows and has no build"
        raise UsageError(message, hint=f"Give {WIMDOCK} alone. {_HINT}")
    return Provider(name, Build.parse(build) if has_build else None, source=source)


def read_providers(path: Path) -> tuple[Provider, ...]:
    """Read a list of providers from a CSV or JSON file.

    CSV begins with a line of column names, of which one is name and one build; JSON is a list of
    objects with these members, or an object with such a list as `providers`. A site's code may
    stand beside them as `site`. UsageError names the line that cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise storage_error(error, path) from error
    if len(data) > _LARGEST_FILE:
        message = f"{path} is too large for a list of providers"
        raise UsageError(message, hint=_FILE_HINT)
    text = _decoded(data, path)
    rows = _json_rows(text, path) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, path)
    found = tuple(_provider(row, place, path) for place, row in rows)
    if not found:
        message = f"{path} names no provider"
        raise UsageError(message, hint=_FILE_HINT)
    return found


def _decoded(data: bytes, path: Path) -> str:
    # PowerShell 5 writes UTF-16 with a mark, Excel UTF-8 with one.
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if b"\0" in data[:2]:  # UTF-16 without a mark: its first character is of ASCII
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"{path} is no text in UTF-8 or UTF-16"
        raise UsageError(message, hint=_FILE_HINT) from error


def _json_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        message = f"{path}{where}: not JSON"
        raise UsageError(message, hint=_FILE_HINT) from error
    rows = content.get("providers") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        message = f"{path} holds no list of providers"
        raise UsageError(message, hint=_FILE_HINT)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            message = f"{path}, provider {number}: not an object with name and build"
            raise UsageError(message, hint=_FILE_HINT)
        known = {str(key).lower(): value for key, value in row.items() if value is not None}
        if any(isinstance(value, bool | list | dict) for value in known.values()):
            message = f"{path}, provider {number}: a member is neither text nor number"
            raise UsageError(message, hint=_FILE_HINT)
        yield f"provider {number}", {key: str(value) for key, value in known.items()}


def _csv_rows(text: str, path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = {
                str(key).strip().lower(): value.strip()
                for key, value in row.items()
                if key is not None and isinstance(value, str)
            }
            if any(cells.values()):
                yield f"line {reader.line_num}", cells
    except csv.Error as error:
        message = f"{path}, line {reader.line_num}: {error}"
        raise UsageError(message, hint=_FILE_HINT) from error


def _provider(row: dict[str, str], place: str, path: Path) -> Provider:
    name = next((row[column] for column in _NAME_COLUMNS if row.get(column)), "")
    build = next((row[column] for column in _BUILD_COLUMNS if row.get(column)), "")
    if not name:
        message = f"{path}, {place}: no name"
        raise UsageError(message, hint=_FILE_HINT)
    try:
        found = parse_provider(f"{name}={build}" if build else name, source=str(path))
    except UsageError as error:
        message = f"{path}, {place}: {error.message}"
        raise UsageError(message, hint=error.hint) from error
    return Provider(found.name, found.build, row.get("site", ""), found.source)
