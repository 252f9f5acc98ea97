r"""What starts or stops a service: `serviceTrigger`, as the keys below TriggerInfo keep it.

SERVICE_TRIGGER of winsvc.h; the names of types and subtypes are those that real manifests use for
services whose keys a real SYSTEM hive shows.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from wimdock.cbs.element import Element
from wimdock.cbs.refusal import refuse
from wimdock.registry.value_type import ValueType, encode_dword, encode_string

_ACTIONS = {"start": 1, "stop": 2}
_TYPES = {
    "deviceinterfacearrival": 1,
    "networkendpointevent": 6,
    "wnfstateevent": 7,
}
_SUBTYPES = {
    "rpc_interface_event": "bc90d167-9470-4139-a9ba-be0bbbf5b74d",
    "named_pipe_event": "1f81d131-3fac-4537-9e0c-7e7b0c2f4b55",
    "wnf_state_change": "2d7a2816-0c5e-45fc-9ce7-570e5ecde9c9",
}
_BINARY = 1
_STRING = 2
_GUID = re.compile(r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.IGNORECASE)
_KNOWN = frozenset({"action", "type", "subtype"})
_DATA_KNOWN = frozenset({"type", "value"})


def trigger_values(trigger: Element) -> Iterator[tuple[str, int, bytes]]:
    """Give name, type and data of the values of one trigger's key.

    Raises UnsupportedPackage for kinds of triggers that are not known.
    """
    _check_attributes(trigger, _KNOWN)
    action = _ACTIONS.get(trigger.get("action").lower())
    kind = _TYPES.get(trigger.get("type").lower())
    if action is None or kind is None:
        refuse(f"its trigger {trigger.get('type')[:80]!r} is not supported")
    yield "Action", ValueType.REG_DWORD, encode_dword(action)
    for number, data in enumerate(trigger.children):
        if data.name != "triggerData":
            refuse(f"its trigger has the element {data.name}, which is not known")
        yield from _trigger_data(number, data)
    yield "GUID", ValueType.REG_BINARY, _subtype(trigger.get("subtype"))
    yield "Type", ValueType.REG_DWORD, encode_dword(kind)


def _trigger_data(number: int, data: Element) -> Iterator[tuple[str, int, bytes]]:
    _check_attributes(data, _DATA_KNOWN)
    value = data.get("value")
    match data.get("type").lower():
        case "binary" if _HEX.fullmatch(value):
            kind, content = _BINARY, bytes.fromhex(value)
        case "string":
            kind, content = _STRING, encode_string(value)
        case _:
            refuse(f"its trigger has data of type {data.get('type')[:80]!r}")
    yield f"Data{number}", ValueType.REG_BINARY, content
    yield f"DataType{number}", ValueType.REG_DWORD, encode_dword(kind)


def _check_attributes(element: Element, known: frozenset[str]) -> None:
    for name, _ in element.attributes:
        if name not in known:
            refuse(f"its trigger attribute {name} is not known")


def _subtype(text: str) -> bytes:
    guid = _SUBTYPES.get(text.lower(), text)
    if not _GUID.fullmatch(guid):
        refuse(f"its trigger subtype {text[:80]!r} is not known")
    return uuid.UUID(guid).bytes_le
