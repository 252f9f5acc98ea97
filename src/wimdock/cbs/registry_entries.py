"""Registry keys and values of a component: from the manifest's text to edits of the hives.

The forms of values are those of real manifests: numbers as `0x…`, binary data, 64-bit numbers and
types without a name as bytes in hexadecimal, lists as `"one","two"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from wimdock.cbs.component_manifest import ComponentManifest, ManifestKey, ManifestValue
from wimdock.cbs.refusal import Refusals, refuse
from wimdock.cbs.registry_place import RegistryMap, RegistryPlace
from wimdock.cbs.runtime_path import refuse_variables
from wimdock.cbs.security import ObjectKind, assigned_descriptor
from wimdock.image.change_set import CreateKey, RegistryEdit, SetValue
from wimdock.registry.value_type import (
    ValueType,
    encode_dword,
    encode_qword,
    encode_string,
    encode_strings,
)

Substitute = Callable[[str], str]

_NUMBER = re.compile(r"0x[0-9a-f]{1,16}|[0-9]", re.IGNORECASE)
_RAW_TYPE = re.compile(r"(?:0x|hex\()(?P<type>[0-9a-f]{1,8})\)?", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-f]{2})*|[0-9a-f]{2}(?:,[0-9a-f]{2})*", re.IGNORECASE)
_LIST = re.compile(r'"(?P<text>[^"]*)"(?P<rest>,|$)')
_MAX_DWORD = 0xFFFFFFFF
_QWORD_SIZE = 8
_HINTS = frozenset({"", "replace"})


def registry_edits(
    manifest: ComponentManifest, places: RegistryMap, substitute: Substitute, refusals: Refusals
) -> Iterator[RegistryEdit]:
    """Give the edits that a component's `registryKeys` ask for, in the manifest's order.

    `substitute` replaces variables in texts. What cannot be carried out goes into `refusals`.
    """
    for key in manifest.keys:
        with refusals.about(key.key):
            place = places.place(key.key)
            yield CreateKey(place.hive, place.key, _security(manifest, key))
            for value in key.values:
                with refusals.about(f"{key.key} {value.name or '(default)'}"):
                    yield _value_edit(place, value, substitute)


def _security(manifest: ComponentManifest, key: ManifestKey) -> bytes | None:
    return security_bytes(manifest, key.security, ObjectKind.KEY)


def security_bytes(manifest: ComponentManifest, name: str, kind: ObjectKind) -> bytes | None:
    """Give the descriptor that a manifest defines by a name; None where none is named.

    Raises UnsupportedPackage where the name is not defined, or not understood.
    """
    if not name:
        return None
    definition = manifest.security_of(name)
    if definition is None:
        refuse(f"the security descriptor {name} is not defined")
    return assigned_descriptor(definition.sddl, kind)


def _value_edit(place: RegistryPlace, value: ManifestValue, substitute: Substitute) -> SetValue:
    if value.hint.lower() not in _HINTS:
        refuse(f"the operation {value.hint!r} is not supported")
    refuse_variables(value.name)
    kind, data = value_data(value.type, value.value, substitute)
    return SetValue(place.hive, place.key, value.name, kind, data)


def value_data(written_type: str, text: str, substitute: Substitute) -> tuple[int, bytes]:
    """Give the type as a number, and the data, of a value as a manifest writes it.

    Raises UnsupportedPackage for types and texts that are not understood.
    """
    known = _TYPES.get(written_type.upper())
    if known is not None:
        return known[0], known[1](text, substitute)
    match = _RAW_TYPE.fullmatch(written_type)
    if match is None:
        refuse(f"the value type {written_type[:80]!r} is not known")
    return int(match["type"], 16), _bytes(text, substitute)


def _text(text: str, substitute: Substitute) -> bytes:
    return encode_string(substitute(text))


def _dword(text: str, _substitute: Substitute) -> bytes:
    number = _number(text)
    if number > _MAX_DWORD:
        refuse(f"{text[:80]!r} is no number of 32 bits")
    return encode_dword(number)


def _qword(text: str, substitute: Substitute) -> bytes:
    """Read a 64-bit number: `0x…`, or its eight bytes in the order of the hive."""
    if text[:2].lower() == "0x":
        return encode_qword(_number(text))
    data = _bytes(text, substitute)
    if len(data) != _QWORD_SIZE:
        refuse(f"{text[:80]!r} is no number of 64 bits")
    return data


def _number(text: str) -> int:
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        # A bare number of several digits could be decimal or hexadecimal: manifests write 0x.
        refuse(f"{text[:80]!r} is no number as manifests write it")
    return int(stripped, 0)


def _bytes(text: str, _substitute: Substitute) -> bytes:
    digits = text.strip()
    if not _HEX.fullmatch(digits):
        refuse(f"{text[:80]!r} is no data in hexadecimal")
    return bytes.fromhex(digits.replace(",", ""))


def _strings(text: str, substitute: Substitute) -> bytes:
    """Read `"one","two"`; nothing at all is the empty list."""
    strings: list[str] = []
    position = 0
    more = text not in ("", '""')
    while more:
        match = _LIST.match(text, position)
        if match is None:
            refuse(f"{text[:80]!r} is no list of strings")
        if not match["text"]:
            refuse(f"{text[:80]!r} has an empty string, which would end the list")
        strings.append(substitute(match["text"]))
        position = match.end()
        more = bool(match["rest"])
    return encode_strings(strings)


_TYPES: dict[str, tuple[ValueType, Callable[[str, Substitute], bytes]]] = {
    "REG_NONE": (ValueType.REG_NONE, _bytes),
    "REG_SZ": (ValueType.REG_SZ, _text),
    "REG_EXPAND_SZ": (ValueType.REG_EXPAND_SZ, _text),
    "REG_BINARY": (ValueType.REG_BINARY, _bytes),
    "REG_DWORD": (ValueType.REG_DWORD, _dword),
    "REG_MULTI_SZ": (ValueType.REG_MULTI_SZ, _strings),
    "REG_RESOURCE_LIST": (ValueType.REG_RESOURCE_LIST, _bytes),
    "REG_FULL_RESOURCE_DESCRIPTOR": (ValueType.REG_FULL_RESOURCE_DESCRIPTOR, _bytes),
    "REG_RESOURCE_REQUIREMENTS_LIST": (ValueType.REG_RESOURCE_REQUIREMENTS_LIST, _bytes),
    "REG_QWORD": (ValueType.REG_QWORD, _qword),
}
