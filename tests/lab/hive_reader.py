"""Hives as other people's programs read them, key by key, for comparison.

Keys are paths below the root without a leading backslash, "" for the root itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from regipy.registry import RegistryHive

from tests.lab.hive import REG_DWORD, export

Exported = dict[str, dict[str, tuple[int, bytes]]]

_LINE = re.compile(r'(?:@|"(?P<name>(?:[^"\\]|\\.)*)")=(?P<data>.*)', re.DOTALL)
_HEXADECIMAL = re.compile(r"hex(?:\((?P<type>[0-9a-f]+)\))?:(?P<bytes>[0-9a-f,]*)")
_REG_BINARY = 3


def by_hivexregedit(path: Path) -> Exported:
    """Give every key with every value's type and raw data, as hivexregedit exports them."""
    found: Exported = {}
    key: dict[str, tuple[int, bytes]] = {}
    for line in export(path).replace("\\\n", "").split("\n"):
        if line.startswith("[") and line.endswith("]"):
            key = found.setdefault(line[1:-1].lstrip("\\"), {})
        elif match := _LINE.fullmatch(line):
            name = re.sub(r"\\(.)", r"\1", match["name"] or "")
            key[name] = _value(match["data"])
    return found


def _value(text: str) -> tuple[int, bytes]:
    if text.startswith("dword:"):
        return REG_DWORD, int(text.removeprefix("dword:"), 16).to_bytes(4, "little")
    match = _HEXADECIMAL.fullmatch(text)
    assert match is not None, text
    kind = int(match["type"], 16) if match["type"] else _REG_BINARY
    return kind, bytes.fromhex(match["bytes"].replace(",", ""))


def by_regipy(path: Path) -> dict[str, dict[str, Any]]:
    """Give every key with every value as regipy understands it; "" is the default value."""
    reader: Any = RegistryHive
    found: dict[str, dict[str, Any]] = {}
    for key in reader(str(path)).recurse_subkeys(as_json=False):
        values = {
            "" if value.name == "(default)" else value.name: value.value for value in key.values
        }
        found[key.path.lstrip("\\")] = values
    return found


def changes(old: Exported, new: Exported) -> Exported:
    """Give the values that are new or different, by key; a new key without values is there empty.

    Asserts that nothing is gone.
    """
    assert old.keys() <= new.keys(), sorted(old.keys() - new.keys())
    found: Exported = {}
    for key, values in new.items():
        before = old.get(key)
        if before is None:
            found[key] = values
            continue
        assert before.keys() <= values.keys(), (key, sorted(before.keys() - values.keys()))
        differing = {name: value for name, value in values.items() if before.get(name) != value}
        if differing:
            found[key] = differing
    return found
