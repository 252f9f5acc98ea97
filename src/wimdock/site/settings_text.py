"""Writing `wimdock.toml`: every setting with what it means; what is not given is a comment."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from wimdock.files import Disk
from wimdock.site.settings import (
    SETTINGS_NAME,
    TABLE_WORDS,
    TABLES,
    Target,
    settings_of,
    variable_of,
)

_WIDTH = 98
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_FIRST_PLAIN = 0x20
_DELETE = 0x7F
_PRIVATE = 0o600

_HEAD = f"""\
# The settings of this site of wimdock. docs/reference/settings.md describes them.
# What begins with # is a comment; settings in comments stand at their defaults.
# The environment outweighs this file: {variable_of("worker", "lease")} is the lease of [worker].
# Only who runs wimdock should read this file: it can hold passwords.
"""

_EXAMPLES = {
    "storage": ('# nas = "/mnt/nas"',),
    "notification": (
        "# [[notification]]",
        '# name = "operators"',
        '# kind = "webhook"',
        '# url = "https://example.org/hook"',
        '# secret_file = "/etc/wimdock/hook-secret"',
    ),
}


def write_settings(folder: Path, url: URL | str, disk: Disk | None = None) -> None:
    """Write the settings of a new site: only the URL of its database is given."""
    text = url if isinstance(url, str) else url.render_as_string(hide_password=False)
    given = {"database": {"url": text}} if text else {}
    write_text(folder, settings_text(given), disk)


def write_text(folder: Path, text: str, disk: Disk | None = None) -> None:
    """Put the file in its place, whole or not at all, and for nobody else to read."""
    data = text.encode("utf-8")
    (disk or Disk()).replace_contents(folder / SETTINGS_NAME, data, _PRIVATE)


def settings_text(given: Mapping[str, Any]) -> str:
    """Give the file's text for values as TOML has them: tables of settings by name.

    Reading it gives the same values.
    """
    return "\n".join((_HEAD, *_lines(given))).rstrip() + "\n"


def without_secrets(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values without those that nobody else may know."""
    kept: dict[str, Any] = {}
    for name, table in given.items():
        if name == "notification":
            kept[name] = [_open(each, Target) for each in table]
        else:
            kept[name] = _open(table, TABLES[name]) if name in TABLES else table
    return kept


def _open(table: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    secret = {field.name for field, rule in settings_of(kind) if rule.secret}
    return {name: value for name, value in table.items() if name not in secret}


def _lines(given: Mapping[str, Any]) -> Iterator[str]:
    for name, words in TABLE_WORDS.items():
        yield f"# {words}"
        if name == "notification":
            yield from _targets(given.get(name, ()))
            continue
        yield f"[{name}]"
        found = given.get(name, {})
        if name in TABLES:
            yield from _settings(found, TABLES[name])
        else:
            yield from [f"{_key(key)} = {toml(found[key])}" for key in found] or _EXAMPLES[name]
        yield ""


def _settings(found: Mapping[str, Any], kind: type[Any]) -> Iterator[str]:
    for field, rule in settings_of(kind):
        yield from textwrap.wrap(
            rule.words, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
        if field.name in found:
            yield f"{field.name} = {toml(found[field.name])}"
        else:
            yield f"# {field.name} = {toml(field.default)}"


def _targets(found: Any) -> Iterator[str]:
    if not found:
        yield from _EXAMPLES["notification"]
    for each in found:
        yield "[[notification]]"
        yield from (f"{_key(name)} = {toml(value)}" for name, value in each.items())
        yield ""


def toml(value: object) -> str:
    """Write a value as TOML: text, numbers, true and false, lists of texts."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(toml(each) for each in value)}]"
        case _:
            return f'"{"".join(_character(each) for each in str(value))}"'


def _character(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    return f"\\u{code:04X}" if code < _FIRST_PLAIN or code == _DELETE else char


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else toml(name)
